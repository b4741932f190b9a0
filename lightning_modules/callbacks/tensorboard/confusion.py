"""Draw a task's confusion matrix for TensorBoard's image tab."""

from collections import Counter
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.loggers import TensorBoardLogger
from pytorch_lightning.utilities import rank_zero_warn

from distilkobert.metrics.confusion import confusion_matrix, draw_confusion
from lightning_modules.callbacks.gathering import gather_to_zero
from lightning_modules.task_module import TaskModule


class ConfusionFigure(pl.Callback):
    """Write `val/confusion` after every validation and `test/confusion` after `test`.

    It counts what the module's `confusions` gives for each record: texts by label (NSMC), words or characters by the
    type of their tag (NER). Tasks without classes get no picture.
    """

    def __init__(self) -> None:
        self._pairs: Counter[tuple[str, str]] = Counter()
        self._can_draw = True

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Start empty."""
        self._pairs = Counter()

    def on_validation_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Count one batch."""
        if isinstance(pl_module, TaskModule):
            for record in outputs["records"]:
                self._pairs.update(pl_module.scorer.confusions(record))

    on_test_start = on_validation_start
    on_test_batch_end = on_validation_batch_end

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Draw."""
        if not trainer.sanity_checking:
            self._draw(trainer, pl_module, "val")

    def on_test_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Draw."""
        self._draw(trainer, pl_module, "test")

    def _draw(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        if not isinstance(pl_module, TaskModule) or not pl_module.scorer.classes:
            return
        parts = gather_to_zero(trainer, self._pairs)
        writers = [logger.experiment for logger in trainer.loggers if isinstance(logger, TensorBoardLogger)]
        if not (parts and writers and self._can_draw):
            return
        classes = pl_module.scorer.classes
        matrix = confusion_matrix(sum(parts, Counter()), classes)
        step = pl_module.weights_step
        try:
            picture = draw_confusion(matrix, classes, f"{stage}, step {step:,}, {matrix.sum():,} counted")
        except ImportError as error:
            self._can_draw = False
            rank_zero_warn(
                f"no confusion matrix in TensorBoard ({error}); install it with: pip install 'distilkobert[report]'"
            )
            return
        for writer in writers:
            writer.add_image(f"{stage}/confusion", picture, step, dataformats="HWC")
