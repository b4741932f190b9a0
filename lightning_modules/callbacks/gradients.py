"""Watch losses and gradients: log the gradient norm, and stop all ranks together before a non-finite step is taken."""

from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.nn.utils import get_total_norm


class GradientWatch(pl.Callback):
    """Log `train/grad_norm` (before clipping) and refuse to step on a loss that is not finite.

    The check runs before the optimizer changes any weight, on a flag summed over the ranks, so that every rank raises
    at the same step and the checkpoints written before stay good. It costs one small reduction for each optimizer step.
    """

    def __init__(self) -> None:
        self._bad: Tensor | None = None

    def on_before_backward(self, trainer: pl.Trainer, pl_module: pl.LightningModule, loss: Tensor) -> None:
        """Remember, on the device, whether this micro-batch's loss is finite."""
        bad = (~torch.isfinite(loss.detach())).float()
        self._bad = bad if self._bad is None else self._bad + bad

    def on_before_optimizer_step(self, trainer: pl.Trainer, pl_module: pl.LightningModule, optimizer: Any) -> None:
        """Raise if any rank saw a loss that is not finite; log the gradient norm when logging is due.

        Raises:
            FloatingPointError: on all ranks, naming the step.
        """
        if self._bad is not None and float(trainer.strategy.reduce(self._bad, reduce_op="sum")) > 0:
            checkpoints = _saved(trainer)
            raise FloatingPointError(
                f"the loss is not finite at optimizer step {trainer.global_step} (epoch {trainer.current_epoch}, "
                f"batch {trainer.fit_loop.epoch_loop.batch_idx}); no weight was changed by it. Last good checkpoint: "
                f"{checkpoints[0] if checkpoints else 'none was written yet'}. Resume from it with a lower "
                "model.optimizer.lr, a longer warm-up, or trainer.precision=32-true"
            )
        self._bad = None
        if (trainer.global_step + 1) % trainer.log_every_n_steps == 0:  # type: ignore[attr-defined]
            norm = get_total_norm([p.grad for p in pl_module.parameters() if p.grad is not None])
            for logger in trainer.loggers:
                logger.log_metrics({"train/grad_norm": float(norm)}, step=trainer.global_step + 1)


def _saved(trainer: pl.Trainer) -> list[str]:
    """The path of every checkpoint that was written."""
    names = ("last_model_path", "best_model_path")
    paths = [str(getattr(callback, name, "")) for callback in trainer.checkpoint_callbacks for name in names]
    return [path for path in paths if path]
