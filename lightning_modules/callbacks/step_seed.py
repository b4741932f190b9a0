"""Make every random choice of a training step a function of the seed and of the batch, and of nothing else."""

from typing import Any

import pytorch_lightning as pl
import torch

from distilkobert.seeds import derived_seed


class StepSeed(pl.Callback):
    """Seed torch before each training batch from (seed, epoch, global batch number).

    Dropout then does not depend on what ran before: a resumed run draws what an undisturbed one would have drawn, and
    two processes draw for each batch what one process draws for it.

    Args:
        seed: the run's seed.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Seed the CPU's and the devices' generators."""
        number = batch_idx * trainer.world_size + trainer.global_rank
        torch.manual_seed(derived_seed("dropout", self.seed, trainer.current_epoch, number))
