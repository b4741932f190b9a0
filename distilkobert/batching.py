"""Which sequences go into which batch: length-grouped, under a token budget, the same plan on every rank, resumable.

An epoch is planned as *global batches*. Sequences of similar length form a bucket; each epoch shuffles inside the
buckets, cuts them into batches and shuffles the batches. How many batches there are depends on the lengths alone, never
on the shuffle, so every epoch has the same number of steps. Rank r of W takes global batches r, r + W, r + 2 W, ...;
one process that accumulates W batches per step therefore sees what W processes see together.
"""

import hashlib
import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt
from torch.utils.data import Sampler

IntArray = npt.NDArray[np.int64]
Lengths = TypeVar("Lengths", int, IntArray)

_FAR: Final = 2**31
"""Number of sequences from which their numbers need 64 bits."""
_BLOCK: Final = 1 << 20
"""Numbers that are hashed at a time."""

IGNORE_INDEX: Final = -100
"""Label of a token that takes no part in a loss; torch's cross entropy leaves this value out by default."""


@dataclass(frozen=True)
class BatchKey:
    """Names one batch of one epoch; all that a data set needs to build it, in any worker process.

    Args:
        epoch: Epoch, from 0; always 0 where nothing is shuffled.
        index: Number of the global batch inside its epoch, from 0, counted over all ranks.
        rows: The sequences in it, as row numbers of the data set.
    """

    epoch: int
    index: int
    rows: list[int]


class TokenBudgetSampler(Sampler[BatchKey]):
    """Iterates over this rank's batches of the current epoch.

    Every sequence is in exactly one global batch of every epoch, and every rank has the same number of batches: where
    that number does not divide evenly, the largest batches are split in two.

    Args:
        lengths: Tokens of each sequence, [CLS] and [SEP] included.
        max_tokens: Budget of one batch: its rows times its longest row, padding included.
        seed: Seed of the shuffles.
        rank: This process, from 0.
        world_size: Number of processes.
        shuffle: Off: one fixed order, the same for every seed, and every key carries epoch 0, so that masks drawn from
            the key never change. Batches are mixed there too: the first ones are a sample, not the shortest sequences.
        max_sequences: Most rows of a batch, where the budget would allow more.
        bucket_width: Sequences whose lengths differ by less than this many tokens are mixed. Wider buckets mix more
            and pad more. At least `pad_to_multiple_of`, of which it is made a multiple.
        divisible_by: The number of global batches is a multiple of this where there are sequences enough, and of
            `world_size` in any case. Give processes times accumulated batches, so that the plan does not depend on how
            a step is divided among processes. Defaults to `world_size`.
        pad_to_multiple_of: The data set pads batches to a multiple of so many tokens, as `padded_length` says, and the
            budget counts that padding.

    Raises:
        ValueError: A setting out of range, no sequences, a sequence longer than the budget, or too few sequences to
            give every rank the same number of batches.
    """

    def __init__(
        self,
        lengths: npt.ArrayLike,
        max_tokens: int,
        seed: int,
        rank: int = 0,
        world_size: int = 1,
        shuffle: bool = True,
        max_sequences: int | None = None,
        bucket_width: int = 4,
        divisible_by: int | None = None,
        pad_to_multiple_of: int = 1,
    ) -> None:
        divisible_by = world_size if divisible_by is None else divisible_by
        if not 0 <= rank < world_size:
            raise ValueError(f"rank is {rank}; expected 0 to world_size - 1 = {world_size - 1}")
        if divisible_by < 1 or divisible_by % world_size:
            raise ValueError(f"divisible_by is {divisible_by}; expected a multiple of world_size = {world_size}")
        if max_sequences is not None and max_sequences < 1:
            raise ValueError(f"max_sequences is {max_sequences}; expected at least 1")
        if bucket_width < 1:
            raise ValueError(f"bucket_width is {bucket_width}; expected at least 1")
        if pad_to_multiple_of < 1:
            raise ValueError(f"pad_to_multiple_of is {pad_to_multiple_of}; expected at least 1")
        if seed < 0:
            raise ValueError(f"seed is {seed}; expected 0 or more")
        bucket_width = -(-bucket_width // pad_to_multiple_of) * pad_to_multiple_of
        self.seed, self.rank, self.world_size, self.shuffle = seed, rank, world_size, shuffle
        self.epoch = 0
        self._start = 0
        sizes = _checked_lengths(lengths, max_tokens)
        self.tokens = int(sizes.sum(dtype=np.int64))
        """Tokens of an epoch, without padding, over all ranks."""
        # By bucket, then by row: the fixed order, and the frame inside which a shuffled epoch permutes. Numbers are as
        # narrow as they may be: there can be hundreds of millions of sequences, and each rank has its own sampler.
        buckets = (sizes - 1) // bucket_width
        buckets = buckets.astype(np.min_scalar_type(int(buckets.max())))
        narrow = np.int32 if len(sizes) < _FAR else np.int64
        self._order: npt.NDArray[np.integer[Any]] = np.argsort(buckets, kind="stable").astype(narrow)
        counts = np.bincount(buckets)
        self._bucket_ends: IntArray = np.cumsum(counts[counts > 0], dtype=np.int64)
        longest = np.zeros(len(counts), dtype=np.int64)
        np.maximum.at(longest, buckets, sizes)
        longest = padded_length(longest[counts > 0], pad_to_multiple_of, int(sizes.max()))
        rows_allowed = max_tokens // longest
        if max_sequences is not None:
            rows_allowed = np.minimum(rows_allowed, max_sequences)
        self._batch_ends = _batch_ends(self._bucket_ends, rows_allowed, world_size, divisible_by)
        digest = hashlib.blake2b(f"{seed} {divisible_by} {shuffle}".encode(), digest_size=8)
        for array in (self._order, self._batch_ends):
            for start in range(0, len(array), _BLOCK):
                digest.update(array[start : start + _BLOCK].astype(np.int64).tobytes())
        self.plan = digest.hexdigest()

    def __len__(self) -> int:
        """Batches of this rank in a whole epoch; the same for all ranks and all epochs."""
        return len(self._batch_ends) // self.world_size

    def __iter__(self) -> Iterator[BatchKey]:
        """Yield this rank's batches from the loaded position on; the epoch is the current one when iteration starts."""
        epoch = self.epoch if self.shuffle else 0
        rows, sequence = self._plan(epoch)
        for place in range(self._start, len(self)):
            index = place * self.world_size + self.rank
            batch = int(sequence[index])
            start = self._batch_ends[batch - 1] if batch else 0
            yield BatchKey(epoch, index, rows[start : self._batch_ends[batch]].tolist())

    def set_epoch(self, epoch: int) -> None:
        """Go to the start of `epoch`; a loaded position stays if it belongs to this very epoch."""
        if epoch != self.epoch:
            self.epoch, self._start = epoch, 0

    def go_to(self, epoch: int, batches: int, plan: str) -> None:
        """Make the next iteration start inside an epoch.

        Args:
            epoch: the epoch.
            batches: global batches of it to be left out; a whole number for each process.
            plan: name of the plan that they were counted in; does not matter at the start of an epoch.

        Raises:
            ValueError: the place is in the middle of an epoch that was planned differently.
        """
        if batches and plan != self.plan:
            raise ValueError(
                f"cannot continue after batch {batches} of epoch {epoch}: that epoch was planned from other data or "
                "settings (seed, data.max_tokens, trainer.devices times trainer.num_nodes times "
                "trainer.accumulate_grad_batches); use the same, or start a new run"
            )
        self.epoch, self._start = epoch, batches // self.world_size

    def _plan(self, epoch: int) -> tuple[npt.NDArray[np.integer[Any]], IntArray]:
        """All rows in the epoch's order, and the order in which the batches cut from them are used."""
        if not self.shuffle:
            return self._order, np.random.default_rng(0).permutation(len(self._batch_ends))
        generator = np.random.default_rng((self.seed, epoch))
        rows = self._order.copy()
        start = 0
        for end in self._bucket_ends:
            generator.shuffle(rows[start:end])
            start = end
        return rows, generator.permutation(len(self._batch_ends))


def padded_length(length: Lengths, multiple: int, longest: int) -> Lengths:
    """The next multiple of so many tokens, but no more than the longest sequence of the data has.

    Args:
        length: tokens of the longest row of a batch, or of several.
        multiple: 1 leaves lengths as they are.
        longest: tokens of the longest sequence, which a network is known to have positions for.
    """
    rounded = -(-length // multiple) * multiple
    return np.minimum(rounded, longest) if isinstance(rounded, np.ndarray) else min(rounded, longest)


def _checked_lengths(lengths: npt.ArrayLike, max_tokens: int) -> npt.NDArray[np.signedinteger[Any]]:
    sizes = np.asarray(lengths)
    if not np.issubdtype(sizes.dtype, np.signedinteger):
        sizes = sizes.astype(np.int64)
    if sizes.ndim != 1 or not len(sizes):
        raise ValueError(f"lengths has shape {sizes.shape}; expected one number for each of at least one sequence")
    if sizes.min() < 1:
        raise ValueError(f"sequence {int(sizes.argmin())} has {int(sizes.min())} tokens; expected at least 1")
    if sizes.max() > max_tokens:
        raise ValueError(
            f"sequence {int(sizes.argmax())} has {int(sizes.max())} tokens, more than max_tokens = {max_tokens}; "
            "raise max_tokens or cut the sequences shorter"
        )
    return sizes


def _batch_ends(bucket_ends: IntArray, rows_allowed: IntArray, world_size: int, divisible_by: int) -> IntArray:
    """Cut the rows, ordered by bucket, into batches; the ends depend on the shape of the buckets alone.

    What is left over of a bucket goes to the front of the next longer one. That is where its rows are anyway, so only
    the ends of the batches distinguish the two.
    """
    rows = int(bucket_ends[-1])
    sizes: list[int] = []
    start = 0
    for end, allowed in zip(bucket_ends.tolist(), rows_allowed.tolist(), strict=True):
        full = (end - start) // allowed
        sizes += [allowed] * full
        start += allowed * full
    if start < rows:
        sizes.append(rows - start)
    for divisor in (divisible_by, world_size):
        missing = -len(sizes) % divisor
        if len(sizes) + missing <= rows:
            return np.cumsum(_split_largest(sizes, missing), dtype=np.int64)
    raise ValueError(
        f"{rows} sequences in at least {len(sizes)} batches cannot give {world_size} processes the same number of "
        "batches; use fewer processes or more data"
    )


def _split_largest(sizes: list[int], times: int) -> list[int]:
    """Split the largest size in two halves, `times` times over; the pieces stay where their whole was."""
    # Only the largest can be split, the first of equals before the others, as the heap takes them.
    pieces = {
        batch: [sizes[batch]] for batch in heapq.nsmallest(times, range(len(sizes)), key=lambda b: (-sizes[b], b))
    }
    heap = [(-sizes[batch], batch) for batch in pieces]
    heapq.heapify(heap)
    for _ in range(times):
        size, batch = heapq.heappop(heap)
        half = -size // 2
        pieces[batch].remove(-size)
        pieces[batch] += [half, -size - half]
        for piece in (half, -size - half):
            heapq.heappush(heap, (-piece, batch))
    return [piece for batch, size in enumerate(sizes) for piece in pieces.get(batch, (size,))]
