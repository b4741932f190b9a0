"""What the processes of a run decide together."""

import pytorch_lightning as pl
import torch
import torch.distributed as dist


class Agreement:
    """The largest of the numbers that the processes bring; all must ask at the same places.

    It goes over the processors, in a group of its own where training uses the devices' (NCCL), so that no device is
    waited for.
    """

    def __init__(self) -> None:
        self._group: dist.ProcessGroup | None = None

    def largest(self, trainer: pl.Trainer, value: int) -> int:
        """`value` in a run of one process, else the largest over all."""
        if trainer.world_size == 1:
            return value
        if self._group is None:
            self._group = dist.group.WORLD if dist.get_backend() == "gloo" else dist.new_group(backend="gloo")
        values = torch.tensor([value])
        dist.all_reduce(values, dist.ReduceOp.MAX, group=self._group)
        return int(values)
