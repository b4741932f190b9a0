"""Sequence classification: one label per text or pair of texts (NSMC, KorNLI), or any number of labels."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torchmetrics import MetricCollection
from torchmetrics.classification import (
    MulticlassAccuracy,
    MulticlassF1Score,
    MultilabelExactMatch,
    MultilabelF1Score,
)

from distilkobert.metrics import MatthewsCorrelation
from distilkobert.models.dropout import NO_CHANGE, DropoutSpec
from distilkobert.optim import OptimizerSpec
from distilkobert.tasks.input_settings import InputSettings
from distilkobert.tasks.kinds import MULTI_LABEL_CLASSIFICATION, SEQUENCE_CLASSIFICATION
from distilkobert.tasks.texts.losses import class_loss, labels_loss
from distilkobert.tasks.texts.table_labels import SCORE_NAMES
from lightning_modules.finetuning import FINE_TUNING, Batch, FineTuning, Record, TaskOutput


class SequenceClassification(FineTuning):
    """An encoder with transformers' sequence classification head.

    Scores for one label per text are `accuracy`, `macro_f1` (over the classes that occur) and `mcc`, Matthews'
    correlation; for several labels `micro_f1`, `macro_f1` and `exact_match`. `test` adds `f1_LABEL` of each label. All
    are from 0 to 1, `mcc` from -1.

    Args:
        init_from: encoder to start from: exported folder, checkpoint of this project, or hub id.
        labels: names of the classes; filled in from the data.
        multi_label: whether an example has any number of labels; filled in from the data.
        class_weights: weight of each class in the loss, or of examples with the label; filled in from the data.
        optimizer: AdamW and its schedule.
        dropout: dropout of the encoder in training, where it is not to be its own.
        vocab_size: pieces of the data's tokenizer; filled in from the data.
        pad_token_id: id of [PAD]; filled in from the data.
        input_settings: how texts become inputs; filled in from the data.

    Raises:
        ValueError: there are fewer than two classes, or not one weight for each.
    """

    batch_keys = ("labels", "rows")

    def __init__(
        self,
        init_from: str,
        labels: Sequence[str],
        multi_label: bool = False,
        class_weights: Sequence[float] | None = None,
        optimizer: OptimizerSpec = FINE_TUNING,
        dropout: DropoutSpec = NO_CHANGE,
        vocab_size: int | None = None,
        pad_token_id: int | None = None,
        input_settings: InputSettings | None = None,
    ) -> None:
        super().__init__(
            kind=MULTI_LABEL_CLASSIFICATION if multi_label else SEQUENCE_CLASSIFICATION,
            init_from=init_from,
            optimizer=optimizer,
            dropout=dropout,
            labels=labels,
            input_settings=input_settings,
            vocab_size=vocab_size,
            pad_token_id=pad_token_id,
        )
        count = len(self.labels)
        if count < 2:
            if multi_label:
                raise ValueError(
                    f"the data has the labels {self.labels}; expected two or more. For a single label that a text has "
                    "or has not, set data.kind=classification and name a column with two classes"
                )
            if self.labels == list(SCORE_NAMES):
                raise ValueError("data.kind is regression; set model.class_path=SequenceRegression")
            raise ValueError(f"the data has the classes {self.labels}; expected two or more")
        if class_weights is not None:
            if len(class_weights) != count:
                raise ValueError(f"class_weights has {len(class_weights)} numbers for {count} classes: {class_weights}")
            if not all(0 < weight < math.inf for weight in class_weights):
                raise ValueError(f"data.class_weights is {list(class_weights)}: expected finite numbers above 0")
        self.multi_label = multi_label
        self._weights = None if class_weights is None else torch.tensor(list(class_weights))
        self._number_of = {label: number for number, label in enumerate(self.labels)}
        self.metrics = MetricCollection(
            {
                "micro_f1": MultilabelF1Score(count, average="micro"),
                "macro_f1": MultilabelF1Score(count, average="macro"),
                "exact_match": MultilabelExactMatch(count),
            }
            if multi_label
            else {
                "accuracy": MulticlassAccuracy(count, average="micro"),
                "macro_f1": MulticlassF1Score(count, average="macro"),
                "mcc": MatthewsCorrelation(count),
            }
        )
        per_class = MultilabelF1Score if multi_label else MulticlassF1Score
        self.class_f1 = per_class(count, average="none")

    def task_loss(self, batch: Batch, logits: tuple[Tensor, ...]) -> TaskOutput:
        """Cross-entropy of the true labels, weighted where there are weights; logits (B, labels).

        Of several labels it is the binary cross-entropy, mean over examples and labels. Examples without a label do not
        count.

        Raises:
            ValueError: the batch is one of tagged sentences, of scores, or of the other number of labels.
        """
        labels = batch["labels"]
        if labels.is_floating_point():
            raise ValueError(
                "SequenceClassification got scores, not classes; set data.kind to classification, or "
                "model.class_path=SequenceRegression"
            )
        if labels.ndim != 1 + self.multi_label:
            raise ValueError(
                "SequenceClassification got labels for every piece, not one for each text; tagged sentences need "
                "model.class_path=TokenClassification"
            )
        weights = None if self._weights is None else self._weights.to(labels.device)
        loss = labels_loss if self.multi_label else class_loss
        return TaskOutput(*loss(logits[0], labels, weights), logits)

    @property
    def classes(self) -> tuple[str, ...]:
        """The labels, where a text has one."""
        return () if self.multi_label else tuple(self.labels)

    def confusions(self, record: Record) -> list[tuple[str, str]]:
        """The text's label."""
        return [] if self.multi_label else [(record["gold"], record["predicted"])]

    def shown_answers(self, batch: Batch, number: int, record: Record) -> tuple[str, str]:
        """Both labels, or all of them."""
        if self.multi_label:
            return ", ".join(record["gold"]) or "-", ", ".join(record["predicted"]) or "-"
        return record["gold"], record["predicted"]

    def score(self, batch: Batch, records: Sequence[Record]) -> None:
        """Count the labels."""
        predicted, gold = (self._numbers([record[name] for record in records]) for name in ("predicted", "gold"))
        self.metrics.update(predicted, gold)
        self.class_f1.update(predicted, gold)

    def scores(self, stage: str) -> dict[str, Tensor]:
        """The scores, and on the test part the F1 of each class."""
        values: dict[str, Tensor] = dict(self.metrics.compute())
        if stage == "test":
            values |= {f"f1_{label}": value for label, value in zip(self.labels, self.class_f1.compute(), strict=True)}
        self.metrics.reset()
        self.class_f1.reset()
        return values

    def _numbers(self, answers: Sequence[str] | Sequence[Sequence[str]]) -> Tensor:
        """Labels as numbers (B,), or as 0 and 1 for each (B, labels)."""
        if self.multi_label:
            rows = [[int(label in held) for label in self.labels] for held in answers]
            return torch.tensor(rows, device=self.device)
        return torch.tensor([self._number_of[str(label)] for label in answers], device=self.device)
