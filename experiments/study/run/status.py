"""The state of every run of a study, and how long it still takes, from the journal and what this worker is running."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal

from distilkobert.io.durations import duration
from experiments._shared.plan_file import LATENCY, Plan
from experiments.study.run.trials import Entry

Status = Literal["waiting", "ready", "elsewhere", "running", "done", "failed", "skipped"]

ENDED: tuple[Status, ...] = ("done", "failed", "skipped")
OPEN: tuple[Status, ...] = ("ready", "elsewhere")
"""A worker may try these: what the journal calls running elsewhere may have been killed."""


def statuses(
    plan: Plan, entries: Mapping[str, Entry], running: Collection[str], redo: Collection[str]
) -> dict[str, Status]:
    """The status of every run, in the plan's order.

    A run whose need has failed is skipped. The latency waits until nothing else runs, because it is measured, and
    measures the models that are there.

    Args:
        plan: the study's plan.
        entries: what the journal says.
        running: labels that this worker is running.
        redo: labels that are done by the journal, but whose result is no longer there.
    """
    found: dict[str, Status] = {}
    for run in plan.all_runs:
        label, entry = run.label, entries.get(run.label)
        ended = all(value in ENDED for value in found.values())
        needs = {found[need] for need in run.needs}
        if label in running:
            found[label] = "running"
        elif entry is not None and entry.state == "done" and label not in redo:
            found[label] = "done"
        elif entry is not None and entry.state == "failed":
            found[label] = "failed"
        elif needs & {"failed", "skipped"} and (run.stage != LATENCY or "done" not in needs):
            found[label] = "skipped"
        elif entry is None or (not ended if run.stage == LATENCY else needs - {"done"}):
            found[label] = "waiting"
        else:
            found[label] = "elsewhere" if entry.state == "running" else "ready"
    return found


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
