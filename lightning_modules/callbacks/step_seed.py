"""Make every random choice of a training step a function of the seed and of the batch, and of nothing else."""

from typing import Any

import pytorch_lightning as pl
import torch


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
        torch.manual_seed(mix(self.seed, trainer.current_epoch, number))


def mix(*numbers: int) -> int:
    """A 63-bit number that looks unrelated for neighbouring arguments (the finalizer of SplitMix64, Steele 2014)."""
    state = 0
    for number in numbers:
        state = (state + number + 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF
        state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
        state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & 0xFFFFFFFFFFFFFFFF
        state ^= state >> 31
    return state >> 1
