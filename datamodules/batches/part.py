"""What the batches of one part of a task's files offer."""

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from distilkobert.batching import BatchKey


class TaskBatches(Protocol):
    """The batches of one part, made inside loader workers; a batch depends on its key alone."""

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Tokens that each item takes in a batch, (N,); an item is what batches are planned over."""

    @property
    def fingerprint(self) -> str:
        """Names the examples of the part."""

    @property
    def facts(self) -> dict[str, int | float]:
        """Counts and shares of the part."""

    def __getitem__(self, key: BatchKey) -> dict[str, Any]:
        """Build the batch that `key` names."""
