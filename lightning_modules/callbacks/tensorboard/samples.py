"""Show a task's examples with their answers in TensorBoard's text tab."""

from collections.abc import Callable
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.loggers import TensorBoardLogger

from distilkobert.metrics.samples import Sample, sample_page
from distilkobert.tokenizers.kobert import KoBertTokenizer
from lightning_modules.callbacks.gathering import gather_to_zero
from lightning_modules.task_module import TaskModule

_FIRST = 5
_WRONG = 15


class SampleTable(pl.Callback):
    """Write `val/samples` after every validation and `test/samples` after `test`.

    Texts are read back from the batch through the data module's `tokenizer`: they are what the model has read, cut to
    its length, with [UNK] where a piece is unknown.
    """

    def __init__(self) -> None:
        self._first: list[Sample] = []
        self._wrong: list[Sample] = []
        self._decode: Callable[[list[int]], str] | None = None

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Start empty."""
        self._first, self._wrong = [], []
        tokenizer: Any = getattr(getattr(trainer, "datamodule", None), "tokenizer", None)
        if self._decode is None and tokenizer is not None:
            self._decode = text_of(tokenizer)

    def on_validation_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Keep what may be shown of one batch."""
        if not isinstance(pl_module, TaskModule) or self._decode is None:
            return
        scorer = pl_module.scorer
        for number, record in enumerate(outputs["records"]):
            wrong = not scorer.is_right(record)
            weight = scorer.weight_of_error(record)
            surer = len(self._wrong) < _WRONG or weight > self._wrong[-1].weight
            if record["row"] < _FIRST or (wrong and surer):
                text = self._decode(scorer.shown_ids(batch, number))
                gold, predicted = scorer.shown_answers(batch, number, record)
                sample = Sample(record["row"], text, gold, predicted, weight, right=not wrong)
                self._first += [sample] if record["row"] < _FIRST else []
                self._wrong = most_confident([*self._wrong, sample] if wrong else self._wrong)

    on_test_start = on_validation_start
    on_test_batch_end = on_validation_batch_end

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write the page."""
        if not trainer.sanity_checking:
            self._show(trainer, pl_module, "val")

    def on_test_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write the page."""
        self._show(trainer, pl_module, "test")

    def _show(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        if not isinstance(pl_module, TaskModule):
            return
        parts = gather_to_zero(trainer, (self._first, self._wrong))
        if not parts or self._decode is None:
            return
        first = sorted((sample for part, _ in parts for sample in part), key=lambda sample: sample.row)
        wrong = most_confident([sample for _, part in parts for sample in part])
        page = sample_page(first, wrong, pl_module.scorer.errors_title)
        for logger in trainer.loggers:
            if isinstance(logger, TensorBoardLogger):
                logger.experiment.add_text(f"{stage}/samples", page, pl_module.weights_step)


def most_confident(samples: list[Sample]) -> list[Sample]:
    """Those to show of wrong answers, the worst first; of equal ones that of the first row."""
    return sorted(samples, key=lambda sample: (-sample.weight, sample.row))[:_WRONG]


def text_of(tokenizer: Any) -> Callable[[list[int]], str]:
    """What turns ids into text, without the tokens that frame and fill inputs.

    Args:
        tokenizer: KoBERT's, or another `distilkobert.tokenizers.loading.TextEncoder`.
    """
    frame = tokenizer.frame.special_ids
    kobert = isinstance(tokenizer, KoBertTokenizer)
    reader: Any = tokenizer if kobert else tokenizer.to_transformers(model_max_length=512, segment_ids=False)

    def decode(ids: list[int]) -> str:
        return str(reader.decode([number for number in ids if number not in frame], skip_special_tokens=False))

    return decode
