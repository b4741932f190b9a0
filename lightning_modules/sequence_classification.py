"""Sequence classification: one label a text (NSMC)."""

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor

from distilkobert.metrics import Accuracy
from distilkobert.optim import OptimizerSpec
from distilkobert.tasks.input_settings import InputSettings
from distilkobert.tasks.kinds import SEQUENCE_CLASSIFICATION
from lightning_modules.finetuning import FINE_TUNING, Batch, FineTuning, Record, TaskOutput


class SequenceClassification(FineTuning):
    """An encoder under transformers' sequence classification head, scored by accuracy (0 to 1).

    Args:
        init_from: exported folder, checkpoint of ours, or hub id that gives the encoder.
        labels: names of the classes; filled in from the data.
        optimizer: AdamW and its schedule.
        vocab_size: pieces of the data's tokenizer; filled in from the data.
        pad_token_id: id of [PAD]; filled in from the data.
        input_settings: how texts become inputs; filled in from the data.
    """

    batch_keys = ("labels", "rows")

    def __init__(
        self,
        init_from: str,
        labels: Sequence[str],
        optimizer: OptimizerSpec = FINE_TUNING,
        vocab_size: int | None = None,
        pad_token_id: int | None = None,
        input_settings: InputSettings | None = None,
    ) -> None:
        super().__init__(
            kind=SEQUENCE_CLASSIFICATION,
            init_from=init_from,
            optimizer=optimizer,
            labels=labels,
            input_settings=input_settings,
            vocab_size=vocab_size,
            pad_token_id=pad_token_id,
        )
        self.accuracy = Accuracy()

    def output(self, batch: Batch) -> TaskOutput:
        """Cross-entropy of the true labels; logits (B, labels).

        Raises:
            ValueError: the batch is one of tagged sentences.
        """
        if batch["labels"].ndim != 1:
            raise ValueError(
                "SequenceClassification got labels for every piece, not one for each text; tagged sentences need "
                "model.class_path=TokenClassification"
            )
        logits = self.network(**self.inputs(batch)).logits
        return TaskOutput(F.cross_entropy(logits.float(), batch["labels"]), len(logits), (logits,))

    @property
    def classes(self) -> tuple[str, ...]:
        """The labels."""
        return tuple(self.labels)

    def confusions(self, record: Record) -> list[tuple[str, str]]:
        """The text's label."""
        return [(record["gold"], record["predicted"])]

    def shown_answers(self, batch: Batch, number: int, record: Record) -> tuple[str, str]:
        """Both labels."""
        return record["gold"], record["predicted"]

    def score(self, batch: Batch, records: Sequence[Record]) -> None:
        """Count the right labels."""
        self.accuracy.update([record["predicted"] for record in records], [record["gold"] for record in records])

    def scores(self, stage: str) -> dict[str, Tensor]:
        """`accuracy`."""
        value = self.accuracy.compute()
        self.accuracy.reset()
        return {"accuracy": value}
