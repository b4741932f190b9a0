"""Batches of examples of one input each: reviews, tagged sentences."""

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from distilkobert.batching import BatchKey
from distilkobert.tasks.codec import Row, TextCodec
from distilkobert.tasks.feature_cache import FeatureTable


class TextBatches:
    """Batches of one part.

    Args:
        table: the examples of a file, without columns that no batch needs.
        rows: those that belong to the part.
        codec: makes the batches.
    """

    def __init__(self, table: FeatureTable, rows: list[int], codec: TextCodec) -> None:
        self._table, self._rows, self.codec = table, rows, codec
        self._pieces = table.numbers("pieces")[rows]

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Tokens of each example after the cut, (N,)."""
        return np.minimum(self._pieces, self.codec.most_pieces) + self.codec.special_count

    @property
    def fingerprint(self) -> str:
        """Names the examples, as the data module's state keeps it."""
        return self._table.fingerprint(self._rows)

    @property
    def facts(self) -> dict[str, int | float]:
        """`examples`, and `truncated_share`, of them those that were cut."""
        return {
            "examples": len(self._rows),
            "truncated_share": float((self._pieces > self.codec.most_pieces).mean()),
        }

    def __getitem__(self, key: BatchKey) -> dict[str, Any]:
        """What the codec makes of the examples; `rows` are their numbers in the part."""
        return self.codec.batch(self.read(key.rows), key.rows)

    def read(self, numbers: Sequence[int]) -> list[Row]:
        """The part's examples with these numbers."""
        return self._table.rows([self._rows[number] for number in numbers])


class JoinedBatches:
    """Batches of the examples of two parts, the second one's numbered after the first one's.

    Args:
        first: the one part.
        second: the other, for the same codec.
    """

    def __init__(self, first: TextBatches, second: TextBatches) -> None:
        self._parts, self._count = (first, second), len(first.lengths)

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Tokens of each example after the cut, (N,)."""
        return np.concatenate([part.lengths for part in self._parts])

    @property
    def fingerprint(self) -> str:
        """Names the examples of both."""
        return hashlib.sha256(" ".join(part.fingerprint for part in self._parts).encode()).hexdigest()[:16]

    @property
    def facts(self) -> dict[str, int | float]:
        """None of its own: each part has its own."""
        return {}

    def __getitem__(self, key: BatchKey) -> dict[str, Any]:
        """What the codec makes of the examples."""
        first, second = self._parts
        inside = [number for number in key.rows if number < self._count]
        behind = [number - self._count for number in key.rows if number >= self._count]
        known, others = iter(first.read(inside)), iter(second.read(behind))
        rows = [next(known if number < self._count else others) for number in key.rows]
        return first.codec.batch(rows, key.rows)
