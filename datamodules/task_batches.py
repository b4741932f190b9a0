"""Batches of examples of one input each: reviews, tagged sentences."""

from typing import Any

import numpy as np
import numpy.typing as npt

from distilkobert.batching import BatchKey
from distilkobert.tasks.codec import TextCodec
from distilkobert.tasks.feature_cache import FeatureTable


class TextBatches:
    """Batches of one part.

    Args:
        table: the examples of a file, without columns that no batch needs.
        rows: those that belong to the part.
        codec: makes the batches.
    """

    def __init__(self, table: FeatureTable, rows: list[int], codec: TextCodec) -> None:
        self._table, self._rows, self._codec = table, rows, codec
        self._pieces = table.numbers("pieces")[rows]

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Tokens of each example after the cut, (N,)."""
        return np.minimum(self._pieces, self._codec.most_pieces) + self._codec.special_count

    @property
    def fingerprint(self) -> str:
        """Names the examples, as the data module's state keeps it."""
        return self._table.fingerprint(self._rows)

    @property
    def facts(self) -> dict[str, int | float]:
        """`examples`, and `truncated_share`, of them those that were cut."""
        return {
            "examples": len(self._rows),
            "truncated_share": float((self._pieces > self._codec.most_pieces).mean()),
        }

    def __getitem__(self, key: BatchKey) -> dict[str, Any]:
        """What the codec makes of the examples; `rows` are their numbers in the part."""
        return self._codec.batch(self._table.rows([self._rows[row] for row in key.rows]), key.rows)
