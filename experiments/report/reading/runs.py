"""What a report is made from: a study's arms and runs, read from `plan.json` or found by their `metrics.json`."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, get_args

from distilkobert.io.run_files import METRICS_FILE, how_to_finish, read_metrics, why_unfinished
from experiments._shared.run_results import differing_owner, is_number, no_numbers

ArmKind = Literal["teacher", "student", "control"]

PLAN_FILE = "plan.json"
DISTIL_STAGE = "distil"
CONTROL_ARMS = ("undistilled", "mlm_only")
"""Arms that are controls where no plan says what they are."""
TEACHER_ARM = "teacher"


@dataclass(frozen=True)
class Arm:
    """One row of the tables.

    Args:
        name: as in the run folders' names.
        kind: what it is compared as.
        axes: axis to the label that it has there; for a point of a search, option to the value proposed.
    """

    name: str
    kind: ArmKind = "student"
    axes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Run:
    """One run, there or not.

    Args:
        stage: `distil` or a fine-tuning recipe.
        arm: name of its arm.
        seed: its seed.
        folder: where its files lie.
        metrics: what its `metrics.json` holds; empty where the run is missing.
        export: folder of the model it exports, if it does.
        source: label of the distillation that it comes from, where a plan says so; of several that took no step from
            the same start, the first.
        log: where a study's worker writes what it prints, where a plan says so.
    """

    stage: str
    arm: str
    seed: int
    folder: Path
    metrics: Mapping[str, Any] = field(default_factory=dict)
    export: Path | None = None
    source: str | None = None
    log: Path | None = None

    @property
    def label(self) -> str:
        """`<stage>/<arm>_seed<k>`."""
        return f"{self.stage}/{self.arm}_seed{self.seed}"

    def number(self, name: str) -> float | None:
        """A figure of `metrics.json`; None where it is absent, no number, or not finite."""
        value = self.metrics.get(name)
        if not is_number(value) or not math.isfinite(value):
            return None
        return float(value)


@dataclass(frozen=True)
class Study:
    """Everything that the tables are computed from.

    Args:
        name: the study's name.
        question: what it asks; empty where nobody said.
        folder: where it lies.
        arms: rows of the tables, in order.
        base_arm: arm that differences are taken against; None where none is named.
        tasks: fine-tuning stages, in order.
        distil_stages: stages whose runs were scored against a teacher's masked-LM head.
        runs: all of them, the missing ones too.
        metric: figure that decides, as STAGE/KEY, if one is named.
        trials: number of points that a search will have proposed.
        points: number of those that it has proposed.
    """

    name: str
    question: str
    folder: Path
    arms: tuple[Arm, ...]
    base_arm: str | None
    tasks: tuple[str, ...]
    distil_stages: tuple[str, ...]
    runs: tuple[Run, ...]
    metric: str | None = None
    trials: int = 0
    points: int = 0

    @property
    def teacher(self) -> str | None:
        """Name of the arm that retention is taken against."""
        return next((arm.name for arm in self.arms if arm.kind == "teacher"), None)

    def of(self, stage: str, arm: str | None = None) -> list[Run]:
        """Runs of a stage, of one arm or of all."""
        return [run for run in self.runs if run.stage == stage and arm in (None, run.arm)]


def read_plan(folder: Path, notes: list[str]) -> Study:
    """The study that `plan.json` declares, with what its runs have left behind.

    Args:
        folder: the study's folder.
        notes: what is missing or not as it should be is added here.

    Raises:
        ValueError: `plan.json` is no JSON, or lacks something.
    """
    path = folder / PLAN_FILE
    try:
        plan = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path}: not readable as JSON ({error}); start the study again to write it anew") from error
    arms = []
    for number, entry in enumerate(_items(path, plan, "arms")):
        kind = _value(path, entry, "kind", str, f"arms[{number}]")
        if kind not in get_args(ArmKind):
            raise ValueError(f"{path}: arms[{number}] has kind {kind!r}; expected {', '.join(get_args(ArmKind))}")
        axes = {
            str(axis): str(label)
            for axis, label in _value(path, {"axes": {}} | entry, "axes", dict, f"arms[{number}]").items()
        }
        arms.append(Arm(_value(path, entry, "arm", str, f"arms[{number}]"), kind, axes))
    runs = []
    for number, entry in enumerate(_items(path, plan, "runs")):
        where = f"runs[{number}]"
        stage, arm = (_value(path, entry, key, str, where) for key in ("stage", "arm"))
        place = folder / _value(path, entry, "folder", str, where)
        export = entry.get("export")
        seed = _value(path, entry, "seed", int, where)
        source = next((str(need) for need in entry.get("needs", ()) if str(need).startswith(f"{DISTIL_STAGE}/")), None)
        export, log = (None if path is None else folder / str(path) for path in (export, entry.get("log")))
        runs.append(Run(stage, arm, seed, place, export=export, source=source, log=log))
    tasks = tuple(str(task) for task in _items(path, plan, "tasks"))
    base = _value(path, plan, "base_arm", str, "the plan")
    names = [arm.name for arm in arms]
    if len(set(names)) != len(names) or not names:
        raise ValueError(f"{path}: arms are {', '.join(names) or 'none'}; expected at least one, each once")
    strangers = {run.arm for run in runs if run.stage in (*tasks, DISTIL_STAGE)} - set(names)
    if strangers:
        raise ValueError(f"{path}: runs of {', '.join(sorted(strangers))}, which are not among its arms")
    return Study(
        name=_value(path, plan, "study", str, "the plan"),
        question=_value(path, plan, "question", str, "the plan"),
        folder=folder,
        arms=tuple(arms),
        base_arm=base,
        tasks=tasks,
        distil_stages=(DISTIL_STAGE,),
        runs=tuple(_with_origins(_with_metrics(runs, tasks, notes))),
        metric=plan.get("metric"),
        trials=int(plan.get("trials", 0)),
        points=int(plan.get("points", 0)),
    )


def usable_metrics(folder: Path, notes: list[str]) -> dict[str, Any]:
    """The run's `metrics.json`, empty where it is missing or broken; figures that are not finite are noted."""
    try:
        metrics = read_metrics(folder)
    except (ValueError, OSError) as error:
        notes.append(f"Broken file, its run counts as missing: {error}")
        return {}
    if "limited/test" in metrics:
        notes.append(f"{folder}: tested on {metrics['limited/test']}; its scores are those of a part.")
    if "limited/val" in metrics and not any(name.startswith("test/") for name in metrics):
        notes.append(f"{folder}: validated on {metrics['limited/val']}; its held-out figures are those of a part.")
    if metrics.get("val/step") is not None and (unfinished := how_to_finish(folder)):
        notes.append(unfinished)
    strange = [name for name, value in metrics.items() if isinstance(value, float) and not math.isfinite(value)]
    if strange:
        notes.append(f"Not finite in {folder / METRICS_FILE}, left out: {', '.join(sorted(strange))}.")
    return metrics


def _with_metrics(runs: Sequence[Run], tasks: Iterable[str], notes: list[str]) -> list[Run]:
    """The runs with their metrics, if these hold what the run's last command writes and belong to it."""
    absent, begun, unfinished, result = [], [], [], []
    for run in runs:
        metrics = usable_metrics(run.folder, notes)
        prefix = "test/" if run.stage in tasks else "val/"
        differing = differing_owner(metrics, run.stage, run.arm, run.seed)
        if differing:
            notes.append(f"{run.label} counts as missing: its metrics.json is that of {differing}.")
            metrics = {}
        elif strange := no_numbers(metrics, prefix):
            notes.append(f"{run.label} counts as missing: {', '.join(strange)} in its metrics.json is no number.")
            metrics = {}
        elif "status" in metrics and (why := why_unfinished(metrics)):
            notes.append(f"{run.label} counts as missing: {why}.")
            metrics = {}
        elif run.stage == "corpus":
            metrics = {}  # no training: it writes a manifest
        elif not metrics:
            (begun if run.log and run.log.is_file() else absent).append(run)
        elif not any(name.startswith(prefix) for name in metrics):
            unfinished.append(run.label)
            metrics = {}
        result.append(replace(run, metrics=metrics))
    if absent:
        labels = ", ".join(run.label for run in absent)
        notes.append(f"Missing runs, without a readable metrics.json: {labels}.")
    if begun:
        logs = ", ".join(f"{run.label} (log: {run.log})" for run in begun)
        notes.append(f"Missing runs, started but failed, stopped or still running before any figures: {logs}.")
    if unfinished:
        notes.append(f"Missing runs, started but without final figures in metrics.json: {', '.join(unfinished)}.")
    return result


def _with_origins(runs: Sequence[Run]) -> list[Run]:
    """The runs, with one source for all that start from the same untrained student, whatever their seeds."""
    starts: dict[tuple[object, ...], str] = {}
    same = {}
    for run in runs:
        if run.stage == DISTIL_STAGE and run.metrics.get("steps") == 0:
            figures = (run.arm, run.number("val/loss"), run.number("val/agreement"))
            same[run.label] = starts.setdefault(figures, run.label)
    return [replace(run, source=same.get(run.source or run.label, run.source)) for run in runs]


def _items(path: Path, plan: Any, key: str) -> list[Any]:
    if not isinstance(plan, dict) or not isinstance(plan.get(key), list):
        raise ValueError(f"{path}: expected an object with a list '{key}'; start the study again to write it anew")
    return list(plan[key])


def _value(path: Path, entry: Any, key: str, kind: type, where: str) -> Any:
    value = entry.get(key) if isinstance(entry, dict) else None
    if not isinstance(value, kind) or isinstance(value, bool):
        raise ValueError(f"{path}: {where} has {key}={value!r}; expected a {kind.__name__}")
    return value
