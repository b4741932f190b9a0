"""Try weights on a batch before they are saved: what training steps give, and whether the loss is finite."""

from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor

from lightning_modules.run.callbacks import first_callback


class TrainedBatch(pl.Callback):
    """Base of the callback that keeps the batch which the weights were last trained on."""

    trained: tuple[Any, int] | None = None
    """The last micro-batch, and its number, of the last optimizer step that was not skipped; None before there is one.

    A step is skipped because of its batches, so that their loss says nothing about the weights.
    """


def tried_step(trainer: pl.Trainer, pl_module: Any, batch: Any, batch_idx: int) -> dict[str, Any]:
    """What the module's training step gives for a batch, without gradients."""
    with torch.no_grad(), trainer.precision_plugin.train_step_context():
        found: dict[str, Any] = pl_module.training_step(batch, batch_idx)
    return found


def gives_finite_loss(trainer: pl.Trainer, pl_module: Any) -> bool:
    """Whether the weights give every rank a finite loss for the batch that they were last trained on.

    True where this process has trained them on none. All ranks must call it.
    """
    last = first_callback(trainer, TrainedBatch)
    if last is None or last.trained is None:
        return True
    loss: Tensor = tried_step(trainer, pl_module, *last.trained)["loss"]
    return float(trainer.strategy.reduce((~torch.isfinite(loss)).float(), reduce_op="sum")) == 0
