"""The progress bar: tokens per second, and a remaining time that knows `max_steps`."""

from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import TQDMProgressBar


class TokenProgressBar(TQDMProgressBar):
    """Lightning's tqdm bar with `loss` and `tokens/s` (from `TrainingLog`), without the version number.

    When `max_steps` ends the run inside the epoch, the bar ends there too, so that its remaining time is right.
    """

    @property
    def total_train_batches(self) -> int | float:
        """Micro-batches of this epoch that will be run on this rank."""
        in_epoch = super().total_train_batches
        trainer = self.trainer
        if trainer.max_steps < 0:
            return in_epoch
        done = trainer.fit_loop.epoch_loop.batch_progress.current.completed
        left = (trainer.max_steps - trainer.global_step) * trainer.accumulate_grad_batches
        return min(in_epoch, done + left)

    def get_metrics(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> dict[str, Any]:
        """What stands behind the bar."""
        metrics = super().get_metrics(trainer, pl_module)
        metrics.pop("v_num", None)
        if "tokens/s" in metrics:
            metrics["tokens/s"] = f"{float(str(metrics['tokens/s'])):,.0f}"
        return metrics
