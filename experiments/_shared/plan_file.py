"""`plan.json` of a study: its runs with their commands, and what is compared; written by studies, read by reports."""

import fnmatch
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias, get_args

PLAN_FILE: Final = "plan.json"
_REMEDY: Final = "move the file away and start the study again"

CORPUS: Final = "corpus"
DISTIL: Final = "distil"
LATENCY: Final = "latency"
"""Stages other than the teacher's and the tasks'."""
TEACHER: Final = "teacher"
"""Stage and arm."""

ArmKind = Literal["teacher", "student", "control"]
Command: TypeAlias = tuple[str, ...]
"""Arguments of one command line after `python -m`."""


@dataclass(frozen=True)
class Arm:
    """One thing that is compared, a row of the tables.

    Args:
        name: as in the run folders' names.
        kind: a student of the question, a control, or the teacher.
        axes: axis to the label that it has there; for a point of a search, option to the value proposed.
        taught_from: the arm whose exports its fine-tunings start from, where a fine-tuned teacher teaches them.
        fine_tuning: options of its fine-tunings that win over those of the tasks.
        args: what its distillation adds to the base; like what follows, not in plan.json, whose commands have it.
        seeds: its seeds.
        init_from: the model that its fine-tunings start from, where it is not an arm's export.
        task_fine_tuning: by task, options that win over `fine_tuning`.
    """

    name: str
    kind: ArmKind = "student"
    axes: Mapping[str, str] = field(default_factory=dict)
    taught_from: str | None = None
    fine_tuning: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    seeds: tuple[int, ...] = ()
    init_from: str | None = None
    task_fine_tuning: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def is_distilled(self) -> bool:
        """Whether it has distillations of its own, which export."""
        return self.kind != "teacher" and self.init_from is None and self.taught_from is None


_IN_FILE: Final = ("kind", "axes", "taught_from", "fine_tuning")
"""What plan.json has of an arm, besides its name."""


@dataclass(frozen=True)
class PlannedRun:
    """One or more commands that leave a run's folder, an export, or the table of latencies.

    Args:
        stage: `corpus`, `teacher`, `distil`, a task, or `latency`.
        arm: name of its arm.
        seed: its seed.
        commands: executed one after the other.
        needs: labels of the runs that must have ended well before.
        export: folder of the model it exports, relative to the study's.
        machine: the words of its first command that say how it uses the machine: devices, precision.

    Raises:
        ValueError: the first command does not have these words.
    """

    stage: str
    arm: str
    seed: int
    commands: tuple[Command, ...] = ()
    needs: tuple[str, ...] = ()
    export: str | None = None
    machine: Command = ()

    def __post_init__(self) -> None:
        if self.machine and not self._machine_places:
            raise ValueError(f"{self.label}: its first command is without the words of its machine")

    @property
    def _machine_places(self) -> list[int]:
        first, length = next(iter(self.commands), ()), len(self.machine)
        return [at for at in range(len(first)) if first[at : at + length] == self.machine]

    @property
    def settings(self) -> tuple[Command, ...]:
        """Its commands without the machine's words, which may change while a study is under way."""
        if not self.machine:
            return self.commands
        first, place = self.commands[0], self._machine_places[0]
        return (first[:place] + first[place + len(self.machine) :], *self.commands[1:])

    @property
    def label(self) -> str:
        """`<stage>/<arm>_seed<k>`: its name, its folder in the study's, and, with an ending, its lock and its log."""
        return f"{self.stage}/{self.arm}_seed{self.seed}"

    @property
    def log(self) -> str:
        """Its log, below the study's folder."""
        return f"logs/{self.label}.log"


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
        metric: metric that decides, as STAGE/KEY, if one is named.
        trials: number of points that a search will have proposed.
        points: number of those that it has proposed.
        configs: sums of the settings in the config files that are named.
    """

    study: str
    question: str
    base_arm: str
    arms: tuple[Arm, ...]
    tasks: tuple[str, ...]
    runs: tuple[PlannedRun, ...]
    latency: PlannedRun | None = None
    metric: str | None = None
    trials: int = 0
    points: int = 0
    configs: Mapping[str, str] = field(default_factory=dict)

    @property
    def all_runs(self) -> tuple[PlannedRun, ...]:
        """The runs and the last step."""
        return (*self.runs, self.latency) if self.latency else self.runs

    @property
    def counted(self) -> tuple[PlannedRun, ...]:
        """The runs that have results of their own: all but the corpus and the latency, which are steps besides."""
        return tuple(run for run in self.runs if run.stage != CORPUS)

    def only(self, patterns: Sequence[str]) -> "Plan":
        """The plan of the runs whose labels match a pattern, and of those that they need; all of it without patterns.

        Raises:
            ValueError: no label matches a pattern, or it is a search, which proposes its runs one after the other.
        """
        if not patterns:
            return self
        if self.trials:
            raise ValueError("--only: unsupported in a study with a search, which proposes its runs")
        labels, wanted = [run.label for run in self.all_runs], set[str]()
        for pattern in patterns:
            found = fnmatch.filter(labels, pattern)
            if not found:
                stages = ", ".join(dict.fromkeys(run.stage for run in self.all_runs))
                raise ValueError(
                    f"--only: no run matches {pattern!r}; labels are STAGE/ARM_seedN, for example {labels[-1]}; "
                    f"stages: {stages}"
                )
            wanted.update(found)
        for run in reversed(self.all_runs):
            wanted.update(run.needs if run.label in wanted else ())
        latency = self.latency if self.latency and self.latency.label in wanted else None
        return replace(self, runs=tuple(run for run in self.runs if run.label in wanted), latency=latency)

    def as_json(self) -> dict[str, Any]:
        """Content of plan.json."""

        def entry(run: PlannedRun) -> dict[str, Any]:
            return {**asdict(run), "label": run.label, "folder": run.label, "log": run.log}

        content = vars(self) | {
            "arms": [{"arm": arm.name, **{key: getattr(arm, key) for key in _IN_FILE}} for arm in self.arms],
            "runs": [entry(run) for run in self.runs],
            "latency": entry(self.latency) if self.latency else None,
        }
        return dict(json.loads(json.dumps(content)))


def read_plan(folder: Path) -> Plan | None:
    """The plan in a study's folder; None where there is none.

    Raises:
        ValueError: the file is not a plan; names what is wrong in it.
    """
    path = folder / PLAN_FILE
    if not path.is_file():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path}: not readable as JSON ({error}); {_REMEDY}") from error
    return plan_of(content, path)


def plan_of(content: Any, path: Path) -> Plan:
    """The plan that `Plan.as_json` has given; 0.2.0 wrote neither `taught_from` nor `fine_tuning` of an arm,
    nor `machine` of a run.

    Raises:
        ValueError: it is not a plan of this version; names `path` and what is missing or of another type.
    """

    def arm(entry: Any) -> Arm:
        if entry["kind"] not in get_args(ArmKind):
            raise ValueError(f"kind is {entry['kind']!r}")
        options = tuple(entry.get("fine_tuning", ()))
        return Arm(entry["arm"], entry["kind"], dict(entry["axes"]), entry.get("taught_from"), options)

    def run(entry: Any) -> PlannedRun:
        commands = tuple(map(tuple, entry["commands"]))
        seed, needs = int(entry["seed"]), tuple(entry["needs"])
        machine = tuple(entry.get("machine", ()))
        return PlannedRun(entry["stage"], entry["arm"], seed, commands, needs, entry["export"], machine)

    try:
        return Plan(**{part.name: content[part.name] for part in fields(Plan)} | {
            "arms": tuple(map(arm, content["arms"])),
            "runs": tuple(map(run, content["runs"])),
            "tasks": tuple(content["tasks"]),
            "latency": None if content["latency"] is None else run(content["latency"]),
        })  # fmt: skip
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ValueError(f"{path}: not a plan of this version ({error!r}); {_REMEDY}") from error
