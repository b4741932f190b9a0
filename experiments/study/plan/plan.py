"""What a study runs: runs with their command lines and what they need first, and plan.json, which holds them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import TypeAlias

from experiments._shared.plan_file import PlanJson, RunEntry
from experiments.study.plan.args import config_files
from experiments.study.plan.arms import Arm

Command: TypeAlias = tuple[str, ...]
"""Arguments of one command line after `python -m`."""


@dataclass(frozen=True)
class Run:
    """One or more commands that leave a run's folder, an export, or the table of latencies.

    Args:
        stage: `corpus`, `teacher`, `distil`, a task, or `latency`.
        arm: name of its arm.
        seed: its seed.
        commands: executed one after the other.
        needs: labels of the runs that must have ended well before.
        export: folder of the model it exports, relative to the study's.
    """

    stage: str
    arm: str
    seed: int
    commands: tuple[Command, ...]
    needs: tuple[str, ...] = ()
    export: str | None = None

    @property
    def label(self) -> str:
        """`<stage>/<arm>_seed<k>`: its name, and its folder in the study's."""
        return f"{self.stage}/{self.arm}_seed{self.seed}"

    @property
    def file_stem(self) -> str:
        """The label as a file name."""
        return self.label.replace("/", "_")

    @property
    def log(self) -> str:
        """Its log, below the study's folder."""
        return f"logs/{self.file_stem}.log"

    def entry(self) -> RunEntry:
        """Entry of plan.json."""
        return {
            "label": self.label,
            "stage": self.stage,
            "arm": self.arm,
            "seed": self.seed,
            "folder": self.label,
            "export": self.export,
            "log": self.log,
            "commands": [list(command) for command in self.commands],
            "needs": list(self.needs),
        }


@dataclass(frozen=True)
class Plan:
    """All that a study runs.

    Args:
        study: its name.
        question: what it asks.
        base_arm: arm that the others are compared with.
        arms: in the order of the table.
        tasks: names of the fine-tunings.
        runs: in the order in which they are started; what a run needs comes before it.
        latency: the last step, if there is one; it waits until nothing else runs.
        metric: figure that decides, as STAGE/KEY, if one is named.
        trials: number of points that a search will have proposed.
        points: number of those that it has proposed.
    """

    study: str
    question: str
    base_arm: str
    arms: tuple[Arm, ...]
    tasks: tuple[str, ...]
    runs: tuple[Run, ...]
    latency: Run | None
    metric: str | None = None
    trials: int = 0
    points: int = 0

    @property
    def all_runs(self) -> tuple[Run, ...]:
        """The runs and the last step."""
        return (*self.runs, self.latency) if self.latency else self.runs

    def only(self, patterns: Sequence[str]) -> "Plan":
        """The plan of the runs whose labels match a pattern, and of those that they need; all of it without patterns.

        Raises:
            ValueError: no label matches a pattern, or it is a search, whose runs are not known beforehand.
        """
        if not patterns:
            return self
        if self.trials:
            raise ValueError("--only: unsupported in a study with a search, whose runs are not known beforehand")
        labels = [run.label for run in self.all_runs]
        for pattern in patterns:
            if not any(fnmatchcase(label, pattern) for label in labels):
                known = ", ".join(dict.fromkeys(run.stage for run in self.all_runs))
                raise ValueError(
                    f"--only: no run matches {pattern!r}; labels are STAGE/ARM_seedN, for example {labels[-1]}; "
                    f"stages: {known}"
                )
        wanted: set[str] = set()
        for run in reversed(self.all_runs):
            if run.label in wanted or any(fnmatchcase(run.label, pattern) for pattern in patterns):
                wanted |= {run.label, *run.needs}
        latency = self.latency if self.latency and self.latency.label in wanted else None
        return replace(self, runs=tuple(run for run in self.runs if run.label in wanted), latency=latency)

    def as_json(self, files: Mapping[str, str]) -> PlanJson:
        """Content of plan.json; `files` are the sums of the settings in the configs."""
        return {
            "study": self.study,
            "question": self.question,
            "base_arm": self.base_arm,
            "arms": [arm.entry() for arm in self.arms],
            "tasks": list(self.tasks),
            "runs": [run.entry() for run in self.runs],
            "latency": self.latency.entry() if self.latency else None,
            "metric": self.metric,
            "trials": self.trials,
            "points": self.points,
            "configs": dict(files),
        }


def differences(before: PlanJson, now: PlanJson) -> dict[str, str]:
    """What two plan.json do not agree about; empty where they are the same study.

    Runs may be added: more seeds, arms and tasks do not change what is there. A run is another one when its arguments
    change, a config file that they name, or a run that it needs.

    Returns:
        Of every run that is another one what to say behind its label: `had '--x=1', has now '--x=2'`.
    """
    found: dict[str, str] = {}
    commands = {run["label"]: run["commands"] for run in now["runs"]}
    sums = now["configs"]
    changed = {file for file, sha in before["configs"].items() if sums.get(file, sha) != sha}
    for run in before["runs"]:
        label = run["label"]
        args = [arg for command in run["commands"] for arg in command]
        if label not in commands:
            found[label] = "is gone"
        elif run["commands"] != commands[label]:
            new = [arg for command in commands[label] for arg in command]
            gone, come = (" ".join(w for w in a if w not in b) for a, b in ((args, new), (new, args)))
            found[label] = f"had {gone or 'other arguments'!r}, has now {come or 'their order changed'!r}"
        elif file := next((file for file in config_files(run["commands"][0]) if file in changed), None):
            found[label] = f"was made with {file}, which has changed"
        elif need := next((need for need in run["needs"] if need in found), None):
            found[label] = f"was made from {need}, which {found[need]}"
    return found


def together(before: PlanJson | None, now: PlanJson) -> PlanJson:
    """Content of plan.json with all that either of two has; `now` as it is where nothing is missing in it."""
    if before is None:
        return now
    own_arms, own_runs = {arm["arm"] for arm in now["arms"]}, {run["label"] for run in now["runs"]}
    arms = [arm for arm in before["arms"] if arm["arm"] not in own_arms]
    runs = [run for run in before["runs"] if run["label"] not in own_runs]
    tasks = [task for task in before["tasks"] if task not in now["tasks"]]
    if not (arms or runs or tasks):
        return now
    return {
        **now,
        "arms": [*now["arms"], *arms],
        "runs": [*now["runs"], *runs],
        "tasks": [*now["tasks"], *tasks],
        "configs": {**before["configs"], **now["configs"]},
    }
