"""Batches that loader workers send as bytes through their pipes, not in shared memory.

Torch shares tensors in /dev/shm, by a socket in the folder for temporary files. Where one of the two cannot be used (a
small /dev/shm of a container, a long TMPDIR), a batch never arrives and training waits forever.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import default_convert


class _ByValue(dict[str, Any]):
    """A batch that is a plain dict of tensors again where it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _with_tensors, ({name: _as_array(value) for name, value in self.items()},)


def by_value(batch: Any) -> dict[str, Any]:
    """The batch to send; for `DataLoader(collate_fn=...)`.

    Args:
        batch: name to a tensor on the CPU, or to another value.
    """
    return _ByValue(default_convert(batch))  # type: ignore[no-untyped-call]


def _as_array(value: Any) -> Any:
    return value.numpy() if isinstance(value, Tensor) else value


def _with_tensors(batch: dict[str, Any]) -> dict[str, Any]:
    return {name: torch.from_numpy(value) if isinstance(value, np.ndarray) else value for name, value in batch.items()}
