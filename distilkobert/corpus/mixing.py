"""Several corpora in one epoch: which sequences each gives, as often as its weight says.

A corpus of N sequences and weight w gives `round(w * N)` sequences to every epoch: each sequence `floor(w)` times, and
the rest drawn without repetition. What is drawn is a function of (seed, epoch). Over N epochs every sequence is drawn
equally often and evenly spaced: with w = 0.3 each comes in every third or fourth epoch.

Batches are planned once for all epochs (`batching.py`), from the lengths alone. So an epoch has *slots*. One that is
drawn holds another sequence in each epoch, a neighbour in the order of lengths, and counts as the longest of them.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from distilkobert.corpus.sequences import Rows
from distilkobert.seeds import derived_seed

IntArray = npt.NDArray[np.int64]


def sequences_of_epoch(count: int, weight: float) -> int:
    """How many sequences a corpus of `count` gives to an epoch."""
    return int(np.floor(weight * count + 0.5))


class Stored(Protocol):
    """Sequences, as `StoredSequences` has them."""

    def __len__(self) -> int:
        """Their number, N."""

    def lengths(self) -> npt.NDArray[np.int32]:
        """Tokens of each, (N,)."""

    def gather(self, rows: list[int]) -> Rows:
        """Those with these numbers, in this order."""


class WeightedSlots:
    """The slots of one corpus.

    Args:
        stored: Its sequences.
        weight: Times that a sequence comes in an epoch, on average; at least one of them has to come.
        seed: Seed of what is drawn.
    """

    def __init__(self, stored: Stored, weight: float, seed: int) -> None:
        self.stored, self._count = stored, len(stored)
        self._slots = sequences_of_epoch(self._count, weight)
        self._repeats, self._drawn = divmod(self._slots, self._count)
        if self._drawn:
            # Equal lengths in any order, so that no regular pattern of the text is drawn.
            shuffled = np.random.default_rng(derived_seed(seed, "mixing")).permutation(self._count)
            order = shuffled[np.argsort(stored.lengths()[shuffled], kind="stable")]
            self._order = order.astype(np.min_scalar_type(self._count))

    def __len__(self) -> int:
        """Their number, M."""
        return self._slots

    def lengths(self) -> npt.NDArray[np.int32]:
        """Most tokens that each slot may hold, (M,)."""
        lengths = self.stored.lengths()
        parts = [lengths] * self._repeats
        if self._drawn:
            slots = np.arange(1, self._drawn + 1, dtype=np.int64)
            parts.append(lengths[self._order[_ceil(slots * self._count, self._drawn) - 1]])
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def rows(self, slots: IntArray, epoch: int) -> IntArray:
        """The sequences that slots hold in an epoch, each (n,)."""
        rows = slots % self._count
        drawn = slots >= self._repeats * self._count
        if drawn.any():
            # The place p in the order of lengths is drawn in epoch e where (p + e) * drawn mod count < drawn.
            shift = (epoch - 1) * self._drawn % self._count
            numbers = slots[drawn] - self._repeats * self._count
            rows[drawn] = self._order[_ceil((numbers + 1) * self._count - shift, self._drawn) - 1]
        return rows


class MixedSequences:
    """The sequences of one part of one or more corpora, by slot and epoch.

    Args:
        stored: That part of each corpus.
        weights: Times that a sequence of each comes in an epoch, on average.
        seed: Seed of what is drawn.

    Raises:
        ValueError: The stored lengths are not those of the ids.
    """

    def __init__(self, stored: Sequence[Stored], weights: Sequence[float], seed: int) -> None:
        self._corpora = [WeightedSlots(part, weight, seed) for part, weight in zip(stored, weights, strict=True)]
        self._ends = np.cumsum([len(corpus) for corpus in self._corpora], dtype=np.int64)

    def lengths(self) -> npt.NDArray[np.int32]:
        """Most tokens that each slot may hold, (M,), corpus after corpus."""
        parts = [corpus.lengths() for corpus in self._corpora]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def gather(self, slots: Sequence[int], epoch: int) -> tuple[Rows, list[int]]:
        """The sequences of some slots, corpus after corpus, and how many tokens of each corpus they have.

        Args:
            slots: numbers below M.
            epoch: the epoch, from 0.
        """
        numbers = np.asarray(slots, dtype=np.int64)
        owners = np.searchsorted(self._ends, numbers, side="right")
        found: list[Rows] = []
        tokens = [0] * len(self._corpora)
        for owner in np.unique(owners).tolist():
            start = int(self._ends[owner - 1]) if owner else 0
            corpus = self._corpora[owner]
            found.append(corpus.stored.gather(corpus.rows(numbers[owners == owner] - start, epoch).tolist()))
            tokens[owner] = len(found[-1].ids)
        ids, lengths = (np.concatenate([getattr(rows, name) for rows in found]) for name in ("ids", "lengths"))
        return Rows(ids, lengths), tokens


def _ceil(numbers: IntArray, divisor: int) -> IntArray:
    return -(-numbers // divisor)
