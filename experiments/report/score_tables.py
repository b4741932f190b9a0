"""The tables of scores: tasks, retention, differences, classes, and what distillation reached."""

from collections.abc import Callable, Sequence
from functools import partial

from distilkobert.io.metric_names import (
    AGREEMENT,
    BEST,
    LIMITED_VAL,
    LOSS,
    OBJECTIVES_TOTAL,
    OTHER_F1,
    TEACHER_LOSS,
    TOKENS_SEEN,
    TYPE_F1,
    WALL_TIME,
)
from distilkobert.tasks.kinds import TOKEN_CLASSIFICATION, TaskKind
from experiments._shared.plan_file import Arm
from experiments.report.arm_tables import arm_table, measured
from experiments.report.constants import MAJORITY
from experiments.report.model_tables import size_of
from experiments.report.reading.deployment import Deployment
from experiments.report.reading.runs import Run, Study
from experiments.report.reading.tasks import Metric
from experiments.report.scores import Scores
from experiments.report.tables import DELTA, NONE, RATIO, SPREAD, Cell, Column, Table, constant_cell, value_cell

_CHOSEN_BY_TOTAL = f"{BEST}{OBJECTIVES_TOTAL}"
"""In `metrics.json` of a distillation whose objectives all do without the student's logits."""


def scores_table(study: Study, scores: Scores, deployment: Deployment) -> Table:
    """Size and task scores of every arm."""
    constants = [scores.constants.get(metric.heading) for metric in scores.metrics]
    last = [Cell(MAJORITY), Cell("no model"), Cell(NONE), *(constant_cell(one, 2, len(SPREAD)) for one in constants)]
    size = (
        "Size: bytes of the weights (*.safetensors, or an older pytorch_model.bin) / 2^20, masked-LM head included, "
        "tokenizer not."
    )
    return arm_table(
        study,
        slug="scores",
        title="Scores on the test files, in per cent",
        columns=[
            Column("kind", of=lambda arm: Cell(arm.kind)),
            Column("size MB", ("",), lambda arm: size_of(deployment, arm)),
            *(measured(study, one.heading, one.stage, one.percent, ranked=True) for one in scores.metrics),
        ],
        last=last if scores.constants else (),
        explained="Mean ± sample standard deviation over n seeds.",
        notes=(*_taught_note(study), *_options_note(study), *_majority_note(scores), *scores.alike, size),
    )


def retention_table(study: Study, scores: Scores) -> Table:
    """Per cent of the reference's score that every arm keeps."""

    def kept(metric: Metric, arm: Arm) -> Cell:
        planned = bool(study.of(metric.stage, arm.name))
        return value_cell(scores.retention.get((arm.name, metric.heading)), planned=planned)

    def mean(arm: Arm) -> Cell:
        counted = [one for one in scores.metrics if scores.is_in_mean(one) or not study.is_planned]
        planned = [bool(study.of(one.stage, arm.name)) for one in counted]
        has_mean = (bool(planned) and all(planned)) if study.is_planned else any(planned)
        return value_cell(scores.mean_retention(arm.name), planned=has_mean)

    constants = (scores.constant_retention(study.reference, metric.heading) for metric in scores.metrics)
    last = [Cell(MAJORITY), *(constant_cell(one, 1, len(RATIO)) for one in constants), Cell(NONE)]
    several = {metric.stage for metric in scores.metrics if not metric.main}
    chosen = [metric.heading for metric in scores.metrics if metric.main and metric.stage in several]
    which = f", with {', '.join(chosen)} for a task of several scores" if chosen else ""
    some = f"Not every arm has {', '.join(scores.of_some)}, so the mean does not include it."
    return arm_table(
        study,
        slug="retention",
        title=f"Retention: per cent of the score of {study.reference}, fine-tuned and scored by the same code",
        columns=[
            *(Column(one.heading, RATIO, partial(kept, one)) for one in scores.metrics),
            Column("mean", RATIO, mean),
        ],
        last=last if scores.constants else (),
        explained=(
            "Ratio of the means over seeds; n is the number of seeds of the arm or of the one it is "
            "compared with, whichever is less. "
            f"The last column is the mean over the tasks{which}."
        ),
        notes=(*([some] if scores.of_some else []), *_majority_note(scores), *scores.alike),
    )


def _taught_note(study: Study) -> list[str]:
    rows = [f"{arm.name}: the exports of {arm.taught_from}" for arm in study.arms if arm.taught_from is not None]
    teacher = f"fine-tuned with {study.teacher}, itself fine-tuned on the task, as teacher"
    return [f"{'; '.join(rows)}, {teacher}."] if rows else []


def _options_note(study: Study) -> list[str]:
    """Which arms were fine-tuned with options of their own."""
    alike: dict[str, list[str]] = {}
    for arm in study.arms:
        if arm.fine_tuning:
            options = " ".join(word.removeprefix("--") for word in arm.fine_tuning)
            alike.setdefault(options, []).append(arm.name)
    rows = [f"{', '.join(names)}: {options}" for options, names in alike.items()]
    return [f"Fine-tuned with options of their own: {'; '.join(rows)}."] if rows else []


def _majority_note(scores: Scores) -> list[str]:
    sentences = []
    for in_part, where in ((False, "the test file"), (True, "the tested part of the test file")):
        answers = ", ".join(
            f"{heading}: {constant.answer}"
            for heading, constant in scores.constants.items()
            if constant.in_part == in_part
        )
        if answers:
            sentences.append(f"{MAJORITY}: score of always predicting the most frequent answer of {where} ({answers}).")
    return sentences


def delta_table(study: Study, scores: Scores) -> Table:
    """Differences to the base arm, with their intervals."""

    def cell(metric: Metric, arm: Arm) -> Cell:
        if arm.name == study.base_arm:
            return Cell("base")
        planned = bool(study.of(metric.stage, arm.name))
        return value_cell(scores.deltas.get((arm.name, metric.heading)), planned=planned)

    return arm_table(
        study,
        slug="differences",
        title=f"Difference to {study.base_arm}, in percentage points, with 95 % intervals",
        columns=[Column(one.heading, DELTA, partial(cell, one)) for one in scores.metrics],
        explained="Paired bootstrap intervals over the test examples; they do not include the spread over seeds.",
    )


def class_table(study: Study, metric: Metric) -> Table | None:
    """F1 of every class or entity type, a classification's scores before them; None where no run has any."""
    classes = class_names(study.of(metric.stage), metric.kind)
    if not classes:
        return None
    tagging = metric.kind is TOKEN_CLASSIFICATION
    scored = [] if tagging else [Metric(metric.stage, metric.kind, score) for score in metric.kind.scores]
    reads: dict[str, Callable[[Run], float | None]] = {one.score.title: one.percent for one in scored}
    reads |= {name: partial(class_score, name=name) for name in classes}
    what = f"{metric.heading} by entity type" if tagging else f"{metric.task} by class"
    return arm_table(
        study,
        slug=f"{'entities' if tagging else 'classes'}_{metric.stage}",
        title=f"{what}, in per cent",
        columns=[measured(study, heading, metric.stage, read, ranked=True) for heading, read in reads.items()],
        explained=f"{'' if tagging else 'Below a class: its F1 on the test file. '}Mean ± sample standard deviation.",
    )


def class_names(runs: Sequence[Run], kind: TaskKind | None = None) -> list[str]:
    """Classes, or entity types, that any of the runs has a score of; other F1 scores of a tagging are no types."""
    names = {name for run in runs for name in run.metrics if name.startswith(TYPE_F1)}
    others = OTHER_F1 if kind is TOKEN_CLASSIFICATION else ()
    return sorted(name.removeprefix(TYPE_F1) for name in names.difference(others))


def class_score(run: Run, name: str) -> float | None:
    """F1 of one class or entity type, in per cent."""
    return run.number(f"{TYPE_F1}{name}", 100)


def distillation_table(study: Study, stage: str) -> Table:
    """What distillation itself reached and cost."""
    ending = "" if stage == "distil" else stage
    without = dict.fromkeys(run.arm for run in study.of(stage) if {_CHOSEN_BY_TOTAL, LOSS} <= run.metrics.keys())
    untrained = (
        f"No objective trains the masked-LM head of {', '.join(without)}, so a held-out loss and an agreement of that "
        "head say nothing about the student."
    )
    return arm_table(
        study,
        slug=f"distillation_{ending}".strip("_"),
        title=f"Distillation ({ending})" if ending else "Distillation",
        columns=[
            measured(study, heading, stage, read, f"{{:{form}}}".format, limited)
            for heading, read, form, limited in (
                ("held-out loss", lambda run: _of_head(run, LOSS), ".3f", LIMITED_VAL),
                ("teacher's loss, same masks", lambda run: run.number(TEACHER_LOSS), ".3f", LIMITED_VAL),
                ("agreement %", lambda run: _of_head(run, AGREEMENT, 100), ".2f", LIMITED_VAL),
                ("tokens seen", lambda run: run.number(TOKENS_SEEN), ",.0f", None),
                ("wall time s", lambda run: run.number(WALL_TIME), ",.1f", None),
                ("tokens/s", _tokens_per_s, ",.0f", None),
            )
        ],
        rows=[(arm.name, arm) for arm in study.arms if study.of(stage, arm.name)],
        explained=(
            "On masked tokens of held-out text. Losses are comparable if the teacher's loss is the same, because "
            "the masks are then the same. Agreement: share of tokens for which the first choice is the teacher's."
        ),
        notes=(
            *([untrained] if without else []),
            "Wall time covers training only, without validation. Wall time and tokens/s depend on other load "
            "of the machine, including other runs of the study.",
        ),
    )


def _of_head(run: Run, name: str, scale: float = 1.0) -> float | None:
    """A metric of the student's masked-LM head; None where no objective has trained it."""
    return None if _CHOSEN_BY_TOTAL in run.metrics else run.number(name, scale)


def _tokens_per_s(run: Run) -> float | None:
    tokens, seconds = run.number(TOKENS_SEEN), run.number(WALL_TIME)
    return tokens / seconds if tokens and seconds else None
