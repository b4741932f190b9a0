"""The tables of a report, from scores and runs."""

from collections.abc import Callable, Sequence
from functools import partial

from distilkobert.io.metric_names import (
    AGREEMENT,
    LIMITED_VAL,
    LOSS,
    OTHER_F1,
    TEACHER_LOSS,
    TEST,
    TOKENS_SEEN,
    TYPE_F1,
    WALL_TIME,
)
from experiments.report.constants import MAJORITY
from experiments.report.formatting import (
    DELTA,
    RATIO,
    SPREAD,
    constant_cell,
    delta_cell,
    marks_explained,
    ratio_cell,
    spread_cell,
    spread_column,
)
from experiments.report.model_tables import arm_size
from experiments.report.reading.deployment import Deployment
from experiments.report.reading.runs import Run, Study
from experiments.report.reading.tasks import Metric
from experiments.report.scores import Scores, spread_of
from experiments.report.tables import MISSING, NONE, Cell, Column, Table, text_column


def scores_table(study: Study, scores: Scores, deployment: Deployment) -> Table:
    """Size and task scores of every arm."""
    headings = [metric.heading for metric in scores.metrics]
    columns = (text_column("arm"), text_column("kind"), Column("size MB", ("",)), *(spread_column(h) for h in headings))
    rows = []
    for arm in study.arms:
        cells = [
            spread_cell(scores.spreads.get((arm.name, heading)), scores.planned[arm.name, heading])
            for heading in headings
        ]
        rows.append((Cell(arm.name), Cell(arm.kind), arm_size(deployment, arm.name), *cells))
    if scores.constants:
        found = [scores.constants.get(heading, ("", None))[1] for heading in headings]
        rows.append(
            (Cell(MAJORITY), Cell("no model"), Cell(NONE), *(constant_cell(one, 2, len(SPREAD)) for one in found))
        )
    return Table(
        slug="scores",
        title="Scores on the test files, in per cent",
        columns=columns,
        rows=tuple(rows),
        notes=(
            "Mean ± sample standard deviation over n seeds.",
            *_taught_note(study),
            *_majority_note(scores),
            *scores.alike,
            *marks_explained(rows),
            "Size: bytes of the weights (*.safetensors, or an older pytorch_model.bin) / 2^20, masked-LM head "
            "included, tokenizer not.",
        ),
    )


def retention_table(study: Study, scores: Scores) -> Table:
    """Per cent of the teacher's score that every arm keeps."""
    headings = [metric.heading for metric in scores.metrics]
    rows = []
    for arm in study.arms:
        planned = [scores.planned[arm.name, heading] for heading in headings]
        in_mean = [count for count, one in zip(planned, scores.metrics, strict=True) if scores.is_in_mean(one)]
        has_mean = min(in_mean, default=0) > 0 if study.is_planned else max(planned) > 0
        ratios = [scores.retention.get((arm.name, heading)) for heading in headings]
        cells = [
            *(ratio_cell(ratio, expected=count > 0) for ratio, count in zip(ratios, planned, strict=True)),
            ratio_cell(scores.mean_retention(arm.name), expected=has_mean),
        ]
        rows.append((Cell(arm.name), *cells))
    if scores.constants:
        found = [_constant_retention(study, scores, heading) for heading in headings]
        rows.append((Cell(MAJORITY), *(constant_cell(one, 1, len(RATIO)) for one in found), Cell(NONE)))
    several = {metric.stage for metric in scores.metrics if not metric.main}
    chosen = [metric.heading for metric in scores.metrics if metric.main and metric.stage in several]
    which = f", with {', '.join(chosen)} for a task of several scores" if chosen else ""
    return Table(
        slug="retention",
        title=f"Retention: per cent of the score of {study.teacher}, fine-tuned and scored by the same code",
        columns=(text_column("arm"), *(Column(heading, RATIO) for heading in (*headings, "mean"))),
        rows=tuple(rows),
        notes=(
            "Ratio of the means over seeds; n is the number of seeds of the arm or of the teacher, whichever is less. "
            f"The last column is the mean over the tasks{which}.",
            *_left_out(scores),
            *_majority_note(scores),
            *scores.alike,
            *marks_explained(rows),
        ),
    )


def _left_out(scores: Scores) -> tuple[str, ...]:
    if not scores.of_some:
        return ()
    return (f"Not every arm goes through {', '.join(scores.of_some)}, so the mean leaves that out.",)


def _taught_note(study: Study) -> tuple[str, ...]:
    rows = [arm for arm in study.arms if arm.taught_from is not None]
    if not rows:
        return ()
    named = "; ".join(f"{arm.name}: the exports of {arm.taught_from}" for arm in rows)
    return (f"{named}, fine-tuned with {study.teacher}, itself fine-tuned on the task, as teacher.",)


def _majority_note(scores: Scores) -> tuple[str, ...]:
    if not scores.constants:
        return ()
    answers = ", ".join(f"{heading}: {answer}" for heading, (answer, _) in scores.constants.items())
    return (f"{MAJORITY}: what always giving the most frequent answer of the test file scores ({answers}).",)


def _constant_retention(study: Study, scores: Scores, heading: str) -> float | None:
    reference, constant = scores.spreads.get((study.teacher or "", heading)), scores.constants.get(heading)
    return None if reference is None or constant is None or reference.mean <= 0 else 100 * constant[1] / reference.mean


def class_table(study: Study, metric: Metric) -> Table | None:
    """Accuracy, macro F1, Matthews' correlation and the F1 of every class; None where no run has that of a class."""
    runs = study.of(metric.stage)
    classes = class_names(runs)
    if not classes:
        return None
    keys = {score.title: score.key for score in metric.kind.scores} | {label: f"f1_{label}" for label in classes}
    rows = []
    for arm in study.arms:
        own = study.of(metric.stage, arm.name)
        cells = [spread_cell(spread_of(own, partial(_percent_of, key)), len(own)) for key in keys.values()]
        rows.append((Cell(arm.name), *cells))
    return Table(
        slug=f"classes_{metric.stage}",
        title=f"{metric.task} by class, in per cent",
        columns=(text_column("arm"), *(spread_column(heading) for heading in keys)),
        rows=tuple(rows),
        notes=("Below a class: its F1 on the test file.", *marks_explained(rows)),
    )


def class_names(runs: Sequence[Run]) -> list[str]:
    """Classes, or types of entities, that any of the runs has a score of."""
    return sorted({name.removeprefix(TYPE_F1) for run in runs for name in run.metrics if name.startswith(TYPE_F1)})


def _percent_of(key: str, run: Run) -> float | None:
    return _scaled(run.number(f"{TEST}{key}"), 100)


def delta_table(study: Study, scores: Scores) -> Table:
    """Differences to the base arm, with their intervals."""
    headings = [metric.heading for metric in scores.metrics]
    rows = []
    for arm in study.arms:
        cells = []
        for heading in headings:
            delta = scores.deltas.get((arm.name, heading))
            if arm.name == study.base_arm:
                cells.append(Cell("base"))
            elif delta is None:
                cells.append(Cell(MISSING if scores.planned[arm.name, heading] else NONE))
            else:
                cells.append(delta_cell(delta, scores.planned[arm.name, heading]))
        rows.append((Cell(arm.name), *cells))
    return Table(
        slug="differences",
        title=f"Difference to {study.base_arm}, in percentage points, with 95 % intervals",
        columns=(text_column("arm"), *(Column(heading, DELTA) for heading in headings)),
        rows=tuple(rows),
        notes=(
            "Paired bootstrap intervals over the test examples; they hold nothing of the spread over seeds.",
            *marks_explained(rows),
        ),
    )


def distillation_table(study: Study, stage: str) -> Table:
    """What distillation itself reached and cost."""
    measured: tuple[tuple[str, Callable[[Run], float | None], Callable[[float], str]], ...] = (
        ("held-out loss", lambda run: run.number(LOSS), "{:.3f}".format),
        ("teacher's loss, same masks", lambda run: run.number(TEACHER_LOSS), "{:.3f}".format),
        ("agreement %", lambda run: _scaled(run.number(AGREEMENT), 100), "{:.2f}".format),
        ("tokens seen", lambda run: run.number(TOKENS_SEEN), "{:,.0f}".format),
        ("wall time s", lambda run: run.number(WALL_TIME), "{:,.1f}".format),
        ("tokens/s", _tokens_per_s, "{:,.0f}".format),
    )
    rows = []
    for arm in study.arms:
        runs = study.of(stage, arm.name)
        if not runs:
            continue
        there = [run for run in runs if run.metrics]
        cells = []
        for _, read, form in measured:
            spread = spread_of(there, read, LIMITED_VAL)
            # A run without training steps has no time and no speed: nothing is missing then.
            cells.append(spread_cell(spread, len(runs), form) if spread or not there else Cell(NONE))
        rows.append((Cell(arm.name), *cells))
    return Table(
        slug="distillation" if stage == "distil" else f"distillation_{stage}",
        title="Distillation" if stage == "distil" else f"Distillation ({stage})",
        columns=(text_column("arm"), *(spread_column(heading) for heading, _, _ in measured)),
        rows=tuple(rows),
        notes=(
            "On masked tokens of held-out text. Losses are comparable where the teacher's loss is the same, for then "
            "the masks are. Agreement: share of tokens whose first choice is the teacher's. Wall time is training "
            "alone, without validation; it and tokens/s depend on what else the machine did, other runs of the study "
            "among it.",
            *marks_explained(rows),
        ),
    )


def entity_table(study: Study, stage: str, title: str) -> Table | None:
    """F1 of every entity type; None where no run has any."""
    types = [name.removeprefix(TYPE_F1) for name in entity_keys(study.of(stage))]
    if not types:
        return None
    rows = []
    for arm in study.arms:
        runs = study.of(stage, arm.name)
        cells = [spread_cell(spread_of(runs, partial(percent_of_type, kind)), len(runs)) for kind in types]
        rows.append((Cell(arm.name), *cells))
    return Table(
        slug=f"entities_{stage}",
        title=f"{title} by entity type, in per cent",
        columns=(text_column("arm"), *(spread_column(kind) for kind in types)),
        rows=tuple(rows),
        notes=marks_explained(rows),
    )


def entity_keys(runs: Sequence[Run]) -> list[str]:
    """Names of the per-type scores that any of the runs has, `f1_kept` and `f1_strict` not being types."""
    names = {name for run in runs for name in run.metrics if name.startswith(TYPE_F1)}
    return sorted(names.difference(OTHER_F1))


def percent_of_type(kind: str, run: Run) -> float | None:
    """A run's F1 of one entity type, in per cent."""
    return _scaled(run.number(f"{TYPE_F1}{kind}"), 100)


def _scaled(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor


def _tokens_per_s(run: Run) -> float | None:
    tokens, seconds = run.number(TOKENS_SEEN), run.number(WALL_TIME)
    return tokens / seconds if tokens and seconds else None
