"""How long a study still takes, from the times of the runs that have ended."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from distilkobert.io.durations import duration
from experiments._shared.plan_file import Plan
from experiments.study.run.status import ENDED, Status
from experiments.study.run.trials import Entry


@dataclass(frozen=True)
class Remaining:
    """Seconds until runs end.

    Args:
        seconds: by label of a run that has not ended.
        unknown: stages with such runs of which no run has ended, so that nothing is known of them.
        at_once: how many runs run at a time.
    """

    seconds: Mapping[str, float] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()
    at_once: int = 1

    def __str__(self) -> str:
        """`about 12 min left`, and what is not in it; empty where nothing is known or left."""
        if not self.seconds:
            return ""
        without = f", without {', '.join(self.unknown)}" if self.unknown else ""
        return f"about {duration(sum(self.seconds.values()) / self.at_once)} left{without}"


def remaining(
    plan: Plan, status: Mapping[str, Status], entries: Mapping[str, Entry], elapsed: Mapping[str, float], places: int
) -> Remaining:
    """What is left of every run: the mean time of the runs of its stage, less the time that it has been running.

    Args:
        plan: the study's plan.
        status: of its runs.
        entries: what the journal says, the time of each run that has ended among it.
        elapsed: seconds by label since runs that are running were started.
        places: runs at a time of this worker; more count where others run as well.
    """
    times = defaultdict(list)
    for run in plan.all_runs:
        entry = entries.get(run.label)
        if status[run.label] == "done" and entry is not None and entry.seconds:  # 0: it was there already
            times[run.stage].append(entry.seconds)
    left = [run for run in plan.all_runs if status[run.label] not in ENDED]
    seconds = {
        run.label: max(0.0, sum(times[run.stage]) / len(times[run.stage]) - elapsed.get(run.label, 0.0))
        for run in left
        if run.stage in times
    }
    unknown = dict.fromkeys(run.stage for run in left if run.stage not in times)
    running = sum(value in ("running", "elsewhere") for value in status.values())
    return Remaining(seconds, tuple(unknown), max(places, running))
