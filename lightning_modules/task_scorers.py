"""The task's own module, for its loss of true labels, its scores and its records."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor
from transformers import PreTrainedModel

from distilkobert.tasks.input_settings import InputSettings
from distilkobert.tasks.kinds import (
    MULTI_LABEL_CLASSIFICATION,
    QUESTION_ANSWERING,
    SEQUENCE_REGRESSION,
    TOKEN_CLASSIFICATION,
    kind_named,
)
from distilkobert.tasks.task_facts import TaskFacts
from lightning_modules.finetuning import Batch, FineTuning, Record, TaskOutput
from lightning_modules.question_answering import QuestionAnswering
from lightning_modules.sequence_classification import SequenceClassification
from lightning_modules.sequence_regression import SequenceRegression
from lightning_modules.token_classification import TokenClassification


def scorer_of(facts: TaskFacts, settings: InputSettings | None) -> FineTuning:
    """The module of a task, without a network."""
    kind = kind_named(facts.kind)
    if kind is SEQUENCE_REGRESSION:
        return SequenceRegression("", input_settings=settings)
    if kind is TOKEN_CLASSIFICATION:
        return TokenClassification("", facts.labels, facts.suffix_tags, input_settings=settings)
    if kind is QUESTION_ANSWERING:
        return QuestionAnswering("", rouge_w=facts.rouge_w, input_settings=settings)
    several = kind is MULTI_LABEL_CLASSIFICATION
    return SequenceClassification("", facts.labels, several, facts.class_weights, input_settings=settings)


class ScoredByTask(FineTuning):
    """A module that leaves the loss of true labels, scores and records to the task's own module.

    A subclass sets `scorer`, of `scorer_of`, and gives it the network.
    """

    scorer: FineTuning

    def settings_kept(self, model: PreTrainedModel, settings: InputSettings) -> InputSettings:
        """See the task's own module."""
        return self.scorer.settings_kept(model, settings)

    def task_loss(self, batch: Batch, logits: tuple[Tensor, ...]) -> TaskOutput:
        """The loss against the true labels; `val/loss` and `test/loss` are this one."""
        return self.scorer.task_loss(batch, logits)

    def records(self, batch: Batch, output: TaskOutput) -> list[Record]:
        """See the task's own module."""
        return self.scorer.records(batch, output)

    @property
    def classes(self) -> tuple[str, ...]:
        """See the task's own module."""
        return self.scorer.classes

    def confusions(self, record: Record) -> list[tuple[str, str]]:
        """See the task's own module."""
        return self.scorer.confusions(record)

    def is_right(self, record: Record) -> bool:
        """See the task's own module."""
        return self.scorer.is_right(record)

    def weight_of_error(self, record: Record) -> float:
        """See the task's own module."""
        return self.scorer.weight_of_error(record)

    def shown_ids(self, batch: Batch, number: int) -> list[int]:
        """See the task's own module."""
        return self.scorer.shown_ids(batch, number)

    def shown_answers(self, batch: Batch, number: int, record: Record) -> tuple[str, str]:
        """See the task's own module."""
        return self.scorer.shown_answers(batch, number, record)

    def score(self, batch: Batch, records: Sequence[Record]) -> None:
        """See the task's own module."""
        self.scorer.score(batch, records)

    def scores(self, stage: str) -> dict[str, Tensor]:
        """See the task's own module."""
        return self.scorer.scores(stage)

    def save_predictions(self, folder: Any, stem: str, records: Sequence[Record]) -> None:
        """See the task's own module."""
        self.scorer.save_predictions(folder, stem, records)
