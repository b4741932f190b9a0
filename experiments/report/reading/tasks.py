"""What the subtasks are scored by: one description for every column of the tables."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from experiments.report.reading.runs import Run, Study

TaskKind = Literal["classification", "tagging", "answering"]

TITLES = {"nsmc": "NSMC", "naver_ner": "Naver NER", "klue_ner": "KLUE-NER", "korquad": "KorQuAD"}
"""How the shipped recipes are called in tables; another recipe keeps its own name."""


@dataclass(frozen=True)
class Metric:
    """A score of one fine-tuning recipe.

    Args:
        stage: the recipe.
        kind: what kind of task it is.
        name: of the score.
        key: its name in `metrics.json`.
        scale: factor that makes it per cent.
        main: it stands for the task where one figure is wanted.
    """

    stage: str
    kind: TaskKind
    name: str
    key: str
    scale: float
    main: bool = True

    @property
    def heading(self) -> str:
        """Column heading, such as `NSMC accuracy`."""
        return f"{TITLES.get(self.stage, self.stage)} {self.name}"

    def percent(self, run: Run) -> float | None:
        """The run's score in per cent; None where it has none."""
        value = run.number(self.key)
        return None if value is None else value * self.scale


def metrics_of(study: Study) -> tuple[Metric, ...]:
    """The scores that the study's tasks are measured by, in the tasks' order."""
    return tuple(metric for stage in study.tasks for metric in _metrics(stage, task_kind(stage, study.of(stage))))


def task_kind(stage: str, runs: Sequence[Run]) -> TaskKind:
    """Kind of a task, from the scores that its runs have or, while there are none, from its name."""
    for run in runs:
        if "test/accuracy" in run.metrics:
            return "classification"
        if "test/exact_match" in run.metrics:
            return "answering"
        if "test/f1" in run.metrics:
            return "tagging"
    if "ner" in stage.split("_"):
        return "tagging"
    return "answering" if stage.startswith("korquad") else "classification"


def _metrics(stage: str, kind: TaskKind) -> tuple[Metric, ...]:
    if kind == "classification":
        return (Metric(stage, kind, "accuracy", "test/accuracy", 100.0),)
    if kind == "tagging":
        return (Metric(stage, kind, "F1", "test/f1", 100.0),)
    # KorQuAD's official scores are in per cent already; F1 is the one that the particles after an answer do not decide.
    return (
        Metric(stage, kind, "EM", "test/exact_match", 1.0, main=False),
        Metric(stage, kind, "F1", "test/f1", 1.0),
    )
