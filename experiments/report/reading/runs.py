"""What a report is made from: a study's arms and runs, read from `plan.json` or found by their `metrics.json`."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from distilkobert.io.metric_names import (
    AGREEMENT,
    LIMITED_TEST,
    LIMITED_VAL,
    LOSS,
    STATUS,
    STEPS,
    TEST,
    VAL,
    VAL_STEP,
    has_any,
)
from distilkobert.io.run_files import METRICS_FILE, read_metrics, why_unfinished
from experiments._shared.parsing.words import option_values
from experiments._shared.plan_file import CORPUS, DISTIL, PLAN_FILE, Arm, read_plan
from experiments._shared.run.results import differing_owner, how_to_finish, is_number, no_numbers
from experiments.report.reading.labels import grouped


@dataclass(frozen=True)
class Run:
    """One run, there or not.

    Args:
        stage: `distil` or a fine-tuning recipe.
        arm: name of its arm.
        seed: its seed.
        folder: where its files are.
        metrics: what its `metrics.json` holds; empty where the run is missing.
        export: folder of the model it exports, if it does.
        source: what it starts from, where a plan or its configuration says so: label of a distillation (of several that
            took no step from the same start, the first), or a folder or hub id.
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

    def number(self, name: str, scale: float = 1.0) -> float | None:
        """A metric of `metrics.json` times a factor; None where it is absent, no number, or not finite."""
        value = self.metrics.get(name)
        return value * scale if is_number(value) and math.isfinite(value) else None


@dataclass(frozen=True)
class Study:
    """Everything that the tables are computed from.

    Args:
        name: the study's name.
        question: what it asks; empty where nobody said.
        folder: its path.
        arms: rows of the tables, in order.
        base_arm: arm that differences are taken against; None where none is named.
        tasks: fine-tuning stages, in order.
        distil_stages: stages whose runs were scored against a teacher's masked-LM head.
        runs: all of them, the missing ones too.
        metric: deciding metric, as STAGE/KEY, if one is named.
        trials: number of points that a search will have proposed.
        points: number of those that it has proposed.
        is_planned: a plan says which runs there are to be, so that one that is not among them is not missing.
        reference_arm: arm that retention is taken against, where it is not the teacher.
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
    is_planned: bool = False
    reference_arm: str | None = None

    @property
    def tasks_of_some(self) -> tuple[str, ...]:
        """Tasks that the plan gives to some arms only; rows of distillation on tasks, which may have fewer, aside."""
        if not self.is_planned:
            return ()
        names = [arm.name for arm in self.arms if arm.taught_from is None]
        return tuple(task for task in self.tasks if not all(self.of(task, name) for name in names))

    @property
    def teacher(self) -> str | None:
        """Name of the arm that the others have learnt from."""
        return next((arm.name for arm in self.arms if arm.kind == "teacher"), None)

    @property
    def reference(self) -> str | None:
        """Name of the arm that retention is taken against."""
        return self.reference_arm or self.teacher

    @property
    def begun(self) -> "Study":
        """The study without the arms and tasks whose runs all lack results; all of it where those of every task do.

        The arms that others are compared with stay.
        """
        there = [run for run in self.runs if run.metrics]
        compared = {self.base_arm, self.teacher, self.reference}
        arms = {run.arm for run in self.runs} - {run.arm for run in there} - compared
        tasks = {run.stage for run in self.runs if run.stage in self.tasks} - {run.stage for run in there}
        if tasks == set(self.tasks):
            return self
        return replace(
            self,
            arms=tuple(arm for arm in self.arms if arm.name not in arms),
            tasks=tuple(task for task in self.tasks if task not in tasks),
            runs=tuple(run for run in self.runs if run.arm not in arms and run.stage not in tasks),
        )

    def of(self, stage: str, arm: str | None = None) -> list[Run]:
        """Runs of a stage, of one arm or of all."""
        return [run for run in self.runs if run.stage == stage and arm in (None, run.arm)]


def planned_study(folder: Path, notes: list[str]) -> Study | None:
    """The study that `plan.json` declares, with what its runs have left behind; None where there is no plan.

    Args:
        folder: the study's folder.
        notes: what is missing or not as it should be is added here.

    Raises:
        ValueError: see `read_plan`; or runs and arms do not fit together.
    """
    plan = read_plan(folder)
    if plan is None:
        return None
    path, runs = folder / PLAN_FILE, []
    for run in plan.runs:
        distilled = [need for need in run.needs if need.startswith(f"{DISTIL}/")]
        named = [value for command in run.commands for value in option_values(command, "--model.init_from")]
        source = next(iter([*distilled, *named]), None) if run.stage in plan.tasks else None
        export = None if run.export is None else folder / run.export
        place, log = folder / run.label, folder / run.log
        runs.append(Run(run.stage, run.arm, run.seed, place, export=export, source=source, log=log))
    names = [arm.name for arm in plan.arms]
    if len(set(names)) != len(names) or not names:
        raise ValueError(f"{path}: arms are {', '.join(names) or 'none'}; expected at least one, each once")
    strangers = {run.arm for run in runs if run.stage in (*plan.tasks, DISTIL)} - set(names)
    if strangers:
        raise ValueError(f"{path}: runs of {', '.join(sorted(strangers))}, which are not among its arms")
    return Study(
        name=plan.study,
        question=plan.question,
        folder=folder,
        arms=plan.arms,
        base_arm=plan.base_arm,
        tasks=plan.tasks,
        distil_stages=(DISTIL,),
        runs=tuple(_with_origins(_with_metrics(runs, plan.tasks, notes))),
        metric=plan.metric,
        trials=plan.trials,
        points=plan.points,
        is_planned=True,
    )


def usable_metrics(folder: Path, notes: list[str]) -> dict[str, Any]:
    """The run's `metrics.json`, empty where it is missing or broken; metrics that are not finite are noted."""
    try:
        metrics = read_metrics(folder)
    except (ValueError, OSError) as error:
        notes.append(f"Broken file, its run counts as missing: {error}")
        return {}
    if LIMITED_TEST in metrics:
        notes.append(f"{folder}: tested on {metrics[LIMITED_TEST]}; its scores are those of a part.")
    if LIMITED_VAL in metrics and not has_any(metrics, TEST):
        notes.append(f"{folder}: validated on {metrics[LIMITED_VAL]}; its held-out metrics are those of a part.")
    if metrics.get(VAL_STEP) is not None and (unfinished := how_to_finish(folder)):
        notes.append(unfinished)
    strange = [name for name, value in metrics.items() if isinstance(value, float) and not math.isfinite(value)]
    if strange:
        notes.append(f"Not finite in {folder / METRICS_FILE}, left out: {', '.join(sorted(strange))}.")
    return metrics


def _with_metrics(runs: Sequence[Run], tasks: Iterable[str], notes: list[str]) -> list[Run]:
    """The runs with their metrics, if these hold what the run's last command writes and belong to it."""
    absent: list[str] = []
    begun: list[str] = []
    unfinished: list[str] = []
    result = []
    for run in runs:
        metrics, prefix = usable_metrics(run.folder, notes), TEST if run.stage in tasks else VAL
        usable = has_any(metrics, prefix) and run.stage != CORPUS  # which trains nothing, and writes a manifest
        if why := _why_missing(run, metrics, prefix):
            notes.append(f"{run.label} counts as missing: {why}.")
            usable = False
        elif run.stage != CORPUS and metrics and not usable:
            unfinished.append(run.label)
        elif run.stage != CORPUS and not metrics:
            is_begun = run.log is not None and run.log.is_file()
            (begun if is_begun else absent).append(f"{run.label} (log: {run.log})" if is_begun else run.label)
        result.append(replace(run, metrics=metrics if usable else {}))
    for what, labels in (
        ("without a readable metrics.json", absent),
        ("started but failed, stopped or still running before any metrics", begun),
        ("started but without final metrics in metrics.json", unfinished),
    ):
        if labels:
            notes.append(f"Missing runs, {what}: {', '.join(grouped(labels, runs))}.")
    return result


def _why_missing(run: Run, metrics: Mapping[str, Any], prefix: str) -> str:
    """Why metrics are not the run's own and its last; empty where they may be."""
    if differing := differing_owner(metrics, run.stage, run.arm, run.seed):
        return f"its metrics.json is that of {differing}"
    if strange := no_numbers(metrics, prefix):
        return f"{', '.join(strange)} in its metrics.json is not a number"
    return why_unfinished(metrics) if STATUS in metrics else ""


_SEEN = (LOSS, AGREEMENT, f"{VAL}similarity/", f"{VAL}cka/")  # the last two also without a masked-LM head


def _with_origins(runs: Sequence[Run]) -> list[Run]:
    """The runs, with one source for all that start from the same untrained student, whatever their seeds."""
    starts: dict[tuple[object, ...], str] = {}
    same = {}
    for run in runs:
        if run.stage == DISTIL and run.metrics.get(STEPS) == 0:
            values = (run.arm, *((name, round(run.metrics[name], 6)) for name in run.metrics if name.startswith(_SEEN)))
            same[run.label] = starts.setdefault(values, run.label)
    return [replace(run, source=same.get(run.source or run.label, run.source)) for run in runs]
