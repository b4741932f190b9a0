"""Loaders of planned batches: whole batches by key, in the order of a sampler, from workers without shared memory."""

from collections.abc import Iterator
from typing import Any, Protocol, cast

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from datamodules.batches.by_value import by_value
from distilkobert.batching import BatchKey, TokenBudgetSampler
from distilkobert.stop_signals import shield_worker, signals_held

Batch = dict[str, Tensor]


class BatchDataset(Protocol):
    """Makes whole batches; runs inside loader workers, so a batch depends on its key alone."""

    def __getitem__(self, key: BatchKey) -> Batch:
        """Build the batch that `key` names."""


class TrainingDataset(BatchDataset, Protocol):
    """Batches to train on."""

    @property
    def fingerprint(self) -> str:
        """Names the content: equal for equal examples, and for no others."""


class PlannedLoader(DataLoader[Batch]):
    """A loader of planned batches.

    It starts where its data module says that training is. Lightning looks for the two state methods to believe that a
    loader can resume; there is nothing for them to do.
    """

    sampler: TokenBudgetSampler

    def __init__(self, dataset: BatchDataset, sampler: TokenBudgetSampler, num_workers: int) -> None:
        super().__init__(
            cast("Dataset[Batch]", dataset),
            batch_size=None,
            sampler=sampler,
            num_workers=num_workers,
            persistent_workers=num_workers > 0,
            collate_fn=by_value if num_workers else None,
            worker_init_fn=shield_worker,
            pin_memory=torch.cuda.is_available(),
        )

    def __iter__(self) -> Any:
        """The batches; OSError if workers cannot start. A signal that comes while they start ends none of them."""
        with signals_held():
            try:
                return super().__iter__()
            except OSError as error:
                remedy = "free memory and /dev/shm, or set --data.num_workers=0"
                raise OSError(f"num_workers={self.num_workers}: workers cannot start ({error}); {remedy}") from error

    def state_dict(self) -> dict[str, Any]:
        """Nothing: the position is in the data module's state."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Nothing: the data module has placed the sampler."""


class PlannedBatches:
    """The batches of a planned loader, as no `DataLoader`: for `predict` Lightning takes those apart and rebuilds them.

    Args:
        loader: the loader.
    """

    def __init__(self, loader: PlannedLoader) -> None:
        self.loader = loader

    def __len__(self) -> int:
        return len(self.loader)

    def __iter__(self) -> Iterator[Batch]:
        return iter(self.loader)
