"""The tables of scores: tasks, retention, differences, classes, and what distillation reached."""

from collections.abc import Callable, Sequence

from distilkobert.io.metric_names import (
    AGREEMENT,
    LIMITED_VAL,
    LOSS,
    OTHER_F1,
    TEACHER_LOSS,
    TOKENS_SEEN,
    TYPE_F1,
    WALL_TIME,
)
from distilkobert.tasks.kinds import TOKEN_CLASSIFICATION, TaskKind
from experiments.report.arm_tables import Measure, arm_table
from experiments.report.constants import MAJORITY
from experiments.report.formatting import DELTA, RATIO, SPREAD, absent, constant_cell, delta_cell, ratio_cell
from experiments.report.model_tables import arm_size
from experiments.report.reading.deployment import Deployment
from experiments.report.reading.runs import Run, Study
from experiments.report.reading.tasks import Metric
from experiments.report.scores import Scores
from experiments.report.tables import NONE, Cell, Column, Table, text_column


def scores_table(study: Study, scores: Scores, deployment: Deployment) -> Table:
    """Size and task scores of every arm."""
    measures = [Measure(metric.heading, metric.stage, metric.percent, ranked=True) for metric in scores.metrics]
    rows = [
        [
            Cell(arm.name),
            Cell(arm.kind),
            arm_size(deployment, arm.name),
            *(one.cell(study, arm.name) for one in measures),
        ]
        for arm in study.arms
    ]
    if scores.constants:
        found = [scores.constants.get(one.heading, ("", None))[1] for one in measures]
        constants = (constant_cell(one, 2, len(SPREAD)) for one in found)
        rows.append([Cell(MAJORITY), Cell("no model"), Cell(NONE), *constants])
    size = (
        "Size: bytes of the weights (*.safetensors, or an older pytorch_model.bin) / 2^20, masked-LM head included, "
        "tokenizer not."
    )
    return arm_table(
        study,
        slug="scores",
        title="Scores on the test files, in per cent",
        columns=[text_column("arm"), text_column("kind"), Column("size MB", ("",)), *(one.column for one in measures)],
        rows=rows,
        explained="Mean ± sample standard deviation over n seeds.",
        notes=(*_taught_note(study), *_majority_note(scores), *scores.alike, size),
    )


def retention_table(study: Study, scores: Scores) -> Table:
    """Per cent of the teacher's score that every arm keeps."""
    rows = []
    for arm in study.arms:
        ratios = [scores.retention.get((arm.name, metric.heading)) for metric in scores.metrics]
        planned = [bool(study.of(metric.stage, arm.name)) for metric in scores.metrics]
        in_mean = [wanted for wanted, metric in zip(planned, scores.metrics, strict=True) if scores.is_in_mean(metric)]
        has_mean = bool(in_mean) and all(in_mean) if study.is_planned else any(planned)
        pairs = zip((*ratios, scores.mean_retention(arm.name)), (*planned, has_mean), strict=True)
        rows.append(
            [Cell(arm.name), *(absent(wanted) if ratio is None else ratio_cell(ratio) for ratio, wanted in pairs)]
        )
    if scores.constants:
        found = (scores.constant_retention(study.teacher, metric.heading) for metric in scores.metrics)
        rows.append([Cell(MAJORITY), *(constant_cell(one, 1, len(RATIO)) for one in found), Cell(NONE)])
    several = {metric.stage for metric in scores.metrics if not metric.main}
    chosen = [metric.heading for metric in scores.metrics if metric.main and metric.stage in several]
    which = f", with {', '.join(chosen)} for a task of several scores" if chosen else ""
    return arm_table(
        study,
        slug="retention",
        title=f"Retention: per cent of the score of {study.teacher}, fine-tuned and scored by the same code",
        columns=[text_column("arm"), *(Column(one, RATIO) for one in (*(m.heading for m in scores.metrics), "mean"))],
        rows=rows,
        explained=(
            "Ratio of the means over seeds; n is the number of seeds of the arm or of the teacher, whichever is less. "
            f"The last column is the mean over the tasks{which}."
        ),
        notes=(*_left_out(scores), *_majority_note(scores), *scores.alike),
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


def delta_table(study: Study, scores: Scores) -> Table:
    """Differences to the base arm, with their intervals."""

    def cell(arm: str, metric: Metric) -> Cell:
        if arm == study.base_arm:
            return Cell("base")
        delta = scores.deltas.get((arm, metric.heading))
        return absent(bool(study.of(metric.stage, arm))) if delta is None else delta_cell(delta)

    return arm_table(
        study,
        slug="differences",
        title=f"Difference to {study.base_arm}, in percentage points, with 95 % intervals",
        columns=[text_column("arm"), *(Column(metric.heading, DELTA) for metric in scores.metrics)],
        rows=[[Cell(arm.name), *(cell(arm.name, metric) for metric in scores.metrics)] for arm in study.arms],
        explained="Paired bootstrap intervals over the test examples; they hold nothing of the spread over seeds.",
    )


def class_table(study: Study, metric: Metric) -> Table | None:
    """F1 of every class or entity type, a classification's scores before them; None where no run has any."""
    classes = class_names(study.of(metric.stage), metric.kind)
    if not classes:
        return None
    tagging = metric.kind is TOKEN_CLASSIFICATION
    scored = () if tagging else (Metric(metric.stage, metric.kind, score) for score in metric.kind.scores)
    measures = [Measure(one.score.title, one.stage, one.percent, ranked=True) for one in scored]
    measures += [class_measure(metric.stage, name) for name in classes]
    what = f"{metric.heading} by entity type" if tagging else f"{metric.task} by class"
    return arm_table(
        study,
        slug=f"{'entities' if tagging else 'classes'}_{metric.stage}",
        title=f"{what}, in per cent",
        columns=[text_column("arm"), *(one.column for one in measures)],
        rows=[[Cell(arm.name), *(one.cell(study, arm.name) for one in measures)] for arm in study.arms],
        explained=f"{'' if tagging else 'Below a class: its F1 on the test file. '}Mean ± sample standard deviation.",
    )


def class_names(runs: Sequence[Run], kind: TaskKind | None = None) -> list[str]:
    """Classes, or entity types, that any of the runs has a score of; other F1 scores of a tagging are no types."""
    names = {name for run in runs for name in run.metrics if name.startswith(TYPE_F1)}
    others = OTHER_F1 if kind is TOKEN_CLASSIFICATION else ()
    return sorted(name.removeprefix(TYPE_F1) for name in names.difference(others))


def class_measure(stage: str, name: str) -> Measure:
    """F1 of one class or entity type, in per cent."""
    return Measure(name, stage, _scaled(f"{TYPE_F1}{name}", 100), ranked=True)


def distillation_table(study: Study, stage: str) -> Table:
    """What distillation itself reached and cost."""
    measures = [
        Measure(heading, stage, read, form, LIMITED_VAL)
        for heading, read, form in (
            ("held-out loss", _scaled(LOSS), "{:.3f}".format),
            ("teacher's loss, same masks", _scaled(TEACHER_LOSS), "{:.3f}".format),
            ("agreement %", _scaled(AGREEMENT, 100), "{:.2f}".format),
            ("tokens seen", _scaled(TOKENS_SEEN), "{:,.0f}".format),
            ("wall time s", _scaled(WALL_TIME), "{:,.1f}".format),
            ("tokens/s", _tokens_per_s, "{:,.0f}".format),
        )
    ]
    arms = [arm.name for arm in study.arms if study.of(stage, arm.name)]
    ending = "" if stage == "distil" else stage
    return arm_table(
        study,
        slug=f"distillation_{ending}".strip("_"),
        title=f"Distillation ({ending})" if ending else "Distillation",
        columns=[text_column("arm"), *(one.column for one in measures)],
        rows=[[Cell(arm), *(one.cell(study, arm) for one in measures)] for arm in arms],
        explained=(
            "On masked tokens of held-out text. Losses are comparable where the teacher's loss is the same, for then "
            "the masks are. Agreement: share of tokens whose first choice is the teacher's."
        ),
        notes=(
            "Wall time is training alone, without validation; it and tokens/s depend on what else the machine did, "
            "other runs of the study among it.",
        ),
    )


def _scaled(name: str, factor: float = 1.0) -> Callable[[Run], float | None]:
    """Reads a number of `metrics.json`, times a factor."""

    def read(run: Run) -> float | None:
        value = run.number(name)
        return None if value is None else value * factor

    return read


def _tokens_per_s(run: Run) -> float | None:
    tokens, seconds = run.number(TOKENS_SEEN), run.number(WALL_TIME)
    return tokens / seconds if tokens and seconds else None
