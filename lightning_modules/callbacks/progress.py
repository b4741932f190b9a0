"""The progress bar: tokens per second, and a remaining time that respects `max_steps`."""

import logging
from contextlib import ExitStack
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import TQDMProgressBar
from tqdm.contrib.logging import logging_redirect_tqdm


class TokenProgressBar(TQDMProgressBar):
    """Lightning's tqdm bar with `loss` and `tokens/s` (from `TrainingLog`), without the version number.

    Messages of the log are written above the bar, on a line of their own. When `max_steps` ends the run inside the
    epoch, the bar ends there too, so that its remaining time is right.
    """

    _done_before = 0
    _redirected: ExitStack | None = None

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Let messages pass by way of the bar until `teardown`, or until an error ends the command."""
        super().setup(trainer, pl_module, stage)
        self._release()
        self._redirected = ExitStack()
        self._redirected.enter_context(logging_redirect_tqdm([logging.getLogger("pytorch_lightning")]))

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Messages go their usual way again."""
        self._release()

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        """The same after an error."""
        self._release()

    def _release(self) -> None:
        if self._redirected is not None:
            self._redirected.close()
            self._redirected = None

    @property
    def total_train_batches(self) -> int | float:
        """Micro-batches that this epoch will have been run for on this rank when it, or training, ends."""
        trainer = self.trainer
        # Lightning's own value counts optimizer steps as batches.
        in_epoch: int | float = trainer.num_training_batches
        if trainer.max_steps < 0:
            return in_epoch
        left = (trainer.max_steps - trainer.global_step) * trainer.accumulate_grad_batches
        return min(in_epoch, self._done_before + left)

    def on_train_start(self, trainer: pl.Trainer, *_: Any) -> None:
        """Start the bar of a resumed run: Lightning starts no epoch there, so the bar would have no total."""
        super().on_train_start(trainer, *_)
        batches: Any = trainer.fit_loop.epoch_loop.batch_progress.current
        done = int(batches.processed)
        if done:
            self._begin_epoch(trainer, done)
            # The rate is that of this process.
            self.train_progress_bar.initial = self.train_progress_bar.n = done

    def on_train_epoch_start(self, trainer: pl.Trainer, *_: Any) -> None:
        """Begin a bar for a whole epoch."""
        self._begin_epoch(trainer, 0)

    def _begin_epoch(self, trainer: pl.Trainer, done: int) -> None:
        self._done_before = done
        super().on_train_epoch_start(trainer)

    def get_metrics(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> dict[str, Any]:
        """The text after the bar."""
        metrics = super().get_metrics(trainer, pl_module)
        metrics.pop("v_num", None)
        if "tokens/s" in metrics:
            metrics["tokens/s"] = f"{float(str(metrics['tokens/s'])):,.0f}"
        return metrics
