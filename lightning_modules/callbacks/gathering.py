"""Bring plain objects of all ranks to rank 0."""

from typing import TypeVar

import pytorch_lightning as pl
import torch.distributed

T = TypeVar("T")


def gather_to_zero(trainer: pl.Trainer, mine: T) -> list[T]:
    """What every rank has, in the order of the ranks; an empty list on all ranks but 0. All ranks must call it."""
    if trainer.world_size == 1:
        return [mine]
    parts: list[T] | None = [mine] * trainer.world_size if trainer.is_global_zero else None
    torch.distributed.gather_object(mine, parts)
    return parts or []
