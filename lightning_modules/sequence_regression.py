"""Sequence regression: one score per text or pair of texts (KorSTS)."""

import warnings
from collections.abc import Sequence

import torch
from pytorch_lightning.utilities import rank_zero_warn
from torch import Tensor
from torchmetrics import PearsonCorrCoef, SpearmanCorrCoef, SumMetric

from distilkobert.models.dropout import NO_CHANGE, DropoutSpec
from distilkobert.optim import OptimizerSpec
from distilkobert.tasks.input_settings import InputSettings
from distilkobert.tasks.kinds import SEQUENCE_REGRESSION
from distilkobert.tasks.texts.losses import score_loss
from lightning_modules.finetuning import FINE_TUNING, Batch, FineTuning, Record, TaskOutput


class SequenceRegression(FineTuning):
    """An encoder with transformers' sequence classification head with one output, trained with the mean squared error.

    Scored by the correlations of Pearson and Spearman (-1 to 1; 0 where all predictions are the same, NaN where
    one is NaN or Inf).

    Args:
        init_from: encoder to start from: exported folder, checkpoint of this project, or hub id.
        optimizer: AdamW and its schedule.
        dropout: dropout of the encoder in training, where it is not to be its own.
        vocab_size: pieces of the data's tokenizer; filled in from the data.
        pad_token_id: id of [PAD]; filled in from the data.
        input_settings: how texts become inputs; filled in from the data.
    """

    errors_title = "Largest errors first"
    batch_keys = ("labels", "rows")

    def __init__(
        self,
        init_from: str,
        optimizer: OptimizerSpec = FINE_TUNING,
        dropout: DropoutSpec = NO_CHANGE,
        vocab_size: int | None = None,
        pad_token_id: int | None = None,
        input_settings: InputSettings | None = None,
    ) -> None:
        super().__init__(
            kind=SEQUENCE_REGRESSION,
            init_from=init_from,
            optimizer=optimizer,
            dropout=dropout,
            labels=("score",),
            input_settings=input_settings,
            vocab_size=vocab_size,
            pad_token_id=pad_token_id,
        )
        self.pearson = PearsonCorrCoef()
        self.spearman = SpearmanCorrCoef()
        self.sum = SumMetric(nan_strategy="disable")
        for metric in (self.pearson, self.spearman, self.sum):
            metric.set_dtype(torch.float64)

    def task_loss(self, batch: Batch, logits: tuple[Tensor, ...]) -> TaskOutput:
        """Mean squared error of the scores, over the examples that have one; logits (B, 1).

        Raises:
            ValueError: the batch is one of classes.
        """
        if batch["labels"].ndim != 1 or not batch["labels"].is_floating_point():
            raise ValueError(
                "SequenceRegression got classes, not scores; set data.kind to regression, or "
                "model.class_path=SequenceClassification"
            )
        return TaskOutput(*score_loss(logits[0][:, 0], batch["labels"]), logits)

    def is_right(self, record: Record) -> bool:
        """Never: every score is off by something."""
        return False

    def weight_of_error(self, record: Record) -> float:
        """How far the score is off."""
        return float(abs(record["gold"] - record["predicted"]))

    def shown_answers(self, batch: Batch, number: int, record: Record) -> tuple[str, str]:
        """Both scores."""
        return f"{record['gold']:g}", f"{record['predicted']:.2f}"

    def score(self, batch: Batch, records: Sequence[Record]) -> None:
        """Count the scores."""
        predicted, gold = (
            torch.tensor([record[name] for record in records], dtype=torch.float64, device=self.device)
            for name in ("predicted", "gold")
        )
        self.pearson.update(predicted, gold)
        self.spearman.update(predicted, gold)
        self.sum.update(predicted)

    def scores(self, stage: str) -> dict[str, Tensor]:
        """`pearson` and `spearman`; 0 for constants, where neither is defined, NaN where a prediction is no number."""
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "The variance of predictions or target is close to zero")
            values = {"pearson": self.pearson.compute(), "spearman": self.spearman.compute()}
        finite = torch.isfinite(self.sum.compute())  # torchmetrics ranks NaN as a number
        if finite and values["pearson"].isnan():
            rank_zero_warn(
                f"{stage}/pearson and {stage}/spearman are 0: all predicted scores, or all true ones, are the same. If "
                "that does not change, the training has collapsed; use a lower model.optimizer.lr or a longer warmup"
            )
        for metric in (self.pearson, self.spearman, self.sum):
            metric.reset()
        return {name: torch.where(finite, value.nan_to_num(0.0), torch.nan) for name, value in values.items()}
