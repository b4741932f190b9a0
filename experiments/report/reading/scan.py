"""Open a folder for a report: a study with its plan, or any folder of runs."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from distilkobert.io.metric_names import AGREEMENT, ARM, CORPUS_CONTENT, RECIPE, SEED, STATUS, TEST, VAL, has_any
from distilkobert.io.run_files import CONFIG_FILE, METRICS_FILE, why_unfinished
from experiments._shared.plan_file import PLAN_FILE, TEACHER, Arm, ArmKind
from experiments._shared.run.results import how_to_finish
from experiments.report.reading.runs import (
    Run,
    Study,
    planned_study,
    usable_metrics,
)
from experiments.report.reading.sources import setting

_KINDS: dict[str, ArmKind] = {TEACHER: "teacher", "undistilled": "control", "mlm_only": "control"}
"""Of arms that are no students, where no plan says what they are."""


def open_runs(folder: Path, notes: list[str], baseline: str | None = None, teacher: str | None = None) -> Study:
    """Read what a report is about.

    Args:
        folder: a study's folder, or any folder with runs below it.
        notes: what is missing or not as it should be is added here.
        baseline: arm that differences are taken against, instead of the study's own.
        teacher: arm that retention is taken against, instead of the study's own.

    Raises:
        FileNotFoundError: the folder does not exist.
        ValueError: nothing in it can be reported on, the plan is broken, or an arm is named that does not exist.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: no such folder; name a study's folder or a folder of runs")
    planned = planned_study(folder, notes)
    if planned is not None:
        _note_strangers(planned, notes)
    study = planned or _found_runs(folder, notes)
    names = [arm.name for arm in study.arms]
    for option, value in (("--baseline", baseline), ("--teacher", teacher)):
        if value is not None and value not in names:
            raise ValueError(f"{option}={value}: no such arm; the arms are {', '.join(names)}")
    if baseline is not None:
        study = replace(study, base_arm=baseline)
    if study.base_arm is None:
        notes.append("No base arm is named, so no differences are computed; choose one with --baseline.")
    if teacher is not None:
        study = replace(study, reference_arm=teacher)
        learns = any(run.arm == teacher and run.stage in study.distil_stages for run in study.runs)
        if study.teacher is None and not study.is_planned and not learns:  # nothing but its name was unknown
            arms = (replace(arm, kind="teacher") if arm.name == teacher else arm for arm in study.arms)
            study = replace(study, arms=tuple(arms))
    return study


def _found_runs(folder: Path, notes: list[str]) -> Study:
    """A study made up from the recipe, arm and seed in each `metrics.json` below `folder`."""
    studies = sorted(path.parent for path in folder.rglob(PLAN_FILE))
    runs: dict[str, Run] = {}
    for path in sorted(folder.rglob(METRICS_FILE)):
        if any(study in path.parents for study in studies):
            continue
        metrics = usable_metrics(path.parent, notes)
        recipe, arm, seed = (metrics.get(key) for key in (RECIPE, ARM, SEED))
        if not (isinstance(recipe, str) and isinstance(arm, str) and isinstance(seed, int)):
            if metrics:
                notes.append(f"{path} is left out: it does not say recipe, arm and seed.")
            continue
        if STATUS in metrics and (why := why_unfinished(metrics)):
            notes.append(f"{path} is left out: {why}.")
            continue
        if not metrics.keys().isdisjoint((AGREEMENT, CORPUS_CONTENT)) and has_any(metrics, TEST):
            metrics = {name: value for name, value in metrics.items() if not name.startswith(TEST)}
            notes.append(f"{path}: {TEST} scores left out: they are of a corpus's held-out text, as {VAL} is.")
        run = Run(recipe, arm, seed, path.parent, metrics)
        if run.label in runs:
            notes.append(f"{path} is left out: {runs[run.label].folder} is {run.label} as well.")
        runs.setdefault(run.label, run)
    if studies:
        named = ", ".join(map(str, studies))
        if not runs:
            raise ValueError(f"{folder} holds whole studies; name one of them: {named}")
        notes.append(f"Studies below this folder are left out, report on each by itself: {named}.")
    tasks = _stages(runs.values(), TEST)
    distil = tuple(stage for stage in _stages(runs.values(), AGREEMENT) if stage not in tasks)
    shown = [run for run in runs.values() if run.stage in (*tasks, *distil)]
    if not shown:
        remarks = [*notes, *_unfinished(folder)]
        why = f" ({'; '.join(remarks)})" if remarks else ""
        raise ValueError(f"{folder}: no run with test scores or a distillation in it; expected {METRICS_FILE}{why}")
    rows = {
        run.label: row
        for name in sorted({run.arm for run in shown})
        for run, row in _rows([run for run in shown if run.arm == name], tasks, notes)
    }
    kinds = {rows[run.label]: _KINDS.get(run.arm, "student") for run in shown}
    order = ("teacher", "student", "control")
    arms = sorted((Arm(name, kind) for name, kind in kinds.items()), key=lambda arm: (order.index(arm.kind), arm.name))
    students = [arm.name for arm in arms if arm.kind == "student"]
    base = "base" if "base" in students else students[0] if len(students) == 1 else None
    found = tuple(
        replace(run, arm=rows.get(run.label, run.arm), source=setting(run, "init_from") if run.stage in tasks else None)
        for run in runs.values()
    )
    return Study(folder.resolve().name, "", folder, tuple(arms), base, tasks, distil, found)


def _rows(runs: Sequence[Run], tasks: Sequence[str], notes: list[str]) -> list[tuple[Run, str]]:
    """The runs of one arm, each with the name of its row.

    No plan says that runs of several recipes are of one model. Fine-tunings share a row where those of each seed
    started from the same model, and a distillation shares it where it is the only one of that name.
    """
    groups: list[list[str]] = []
    starts: list[dict[int, str | None]] = []
    for task in dict.fromkeys(run.stage for run in runs if run.stage in tasks):
        own = {run.seed: setting(run, "init_from") for run in runs if run.stage == task}
        for tasks_of_one, known in zip(groups, starts, strict=True):
            if all(known.get(seed, start) == start for seed, start in own.items()):
                tasks_of_one.append(task)
                known |= own
                break
        else:
            groups.append([task])
            starts.append(own)
    distilled = [[stage] for stage in dict.fromkeys(run.stage for run in runs if run.stage not in tasks)]
    if len(groups) < 2 and len(distilled) < 2:
        return [(run, run.arm) for run in runs]
    groups += distilled
    names = {stage: f"{runs[0].arm} ({', '.join(stages)})" for stages in groups for stage in stages}
    notes.append(
        f"Runs of several recipes are called {runs[0].arm} and are not known to be of one model, so each has a row of "
        f"its own: {', '.join(dict.fromkeys(names.values()))}."
    )
    return [(run, names[run.stage]) for run in runs]


def _unfinished(folder: Path) -> list[str]:
    """What runs that broke off still need."""
    remarks = []
    for path in sorted(folder.rglob(CONFIG_FILE)):
        try:
            remarks.append(how_to_finish(path.parent))
        except ValueError:  # a broken metrics.json, which has been noted
            continue
    return [remark for remark in remarks if remark]


def _stages(runs: Iterable[Run], prefix: str) -> tuple[str, ...]:
    """Stages with a run that has a metric of that kind, in order of the alphabet."""
    return tuple(sorted({run.stage for run in runs if has_any(run.metrics, prefix)}))


def _note_strangers(study: Study, notes: list[str]) -> None:
    """Name the runs in the study's folder that are not part of its plan."""
    planned = {run.folder.resolve() for run in study.runs}
    found = {path.parent.resolve() for path in study.folder.rglob(METRICS_FILE)} - planned
    if found:
        named = ", ".join(sorted(str(path.relative_to(study.folder.resolve())) for path in found))
        notes.append(f"Not in {PLAN_FILE}, left out: {named}.")
