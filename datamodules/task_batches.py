"""Rows of ids to padded tensors: what the batches of all subtasks have in common."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from distilkobert.tasks.feature_cache import FeatureTable


@dataclass(frozen=True)
class InputFrame:
    """How one text becomes a model input: `[CLS] pieces [SEP]`, cut to a length.

    Args:
        cls: id of [CLS].
        sep: id of [SEP].
        pad: id of [PAD].
        max_length: most tokens of an input, [CLS] and [SEP] included.

    Raises:
        ValueError: there is no room for a piece.
    """

    cls: int
    sep: int
    pad: int
    max_length: int

    def __post_init__(self) -> None:
        if self.max_length < 3:
            raise ValueError(f"max_length is {self.max_length}; expected at least 3: [CLS], one piece, [SEP]")

    @property
    def room(self) -> int:
        """Pieces that an input holds beside [CLS] and [SEP]."""
        return self.max_length - 2

    def inputs(self, rows: Sequence[Sequence[int]]) -> dict[str, Tensor]:
        """Cut, frame and pad the ids of B texts: see `padded_inputs`; segment ids are 0."""
        framed = [[self.cls, *ids[: self.room], self.sep] for ids in rows]
        return padded_inputs(framed, [[0] * len(ids) for ids in framed], self.pad)


class CutTexts:
    """Texts of one part, each cut to the length of the frame; a subclass makes the batches.

    Args:
        table: the texts of a file, without columns that no batch needs.
        rows: those that belong to the part.
        frame: special tokens and length.
    """

    def __init__(self, table: FeatureTable, rows: list[int], frame: InputFrame) -> None:
        self._table, self._rows, self._frame = table, rows, frame
        self._pieces = table.numbers("pieces")[rows]

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Tokens of each text after the cut, (N,)."""
        return np.minimum(self._pieces, self._frame.room) + 2

    @property
    def facts(self) -> dict[str, int | float]:
        """`examples`, and `truncated_share`, of them those that were cut."""
        return {
            "examples": len(self._rows),
            "truncated_share": float((self._pieces > self._frame.room).mean()),
        }


def padded_inputs(ids: Sequence[Sequence[int]], segments: Sequence[Sequence[int]], pad: int) -> dict[str, Tensor]:
    """`input_ids`, `attention_mask` (0 on padding) and `token_type_ids`, each (B, T) int64, T the longest row."""
    return {
        "input_ids": padded(ids, pad),
        "attention_mask": padded([[1] * len(row) for row in ids], 0),
        "token_type_ids": padded(segments, 0),
    }


def padded(rows: Sequence[Sequence[int]], filler: int) -> Tensor:
    """Rows of numbers as one tensor (B, T) int64, shorter ones filled up at the right."""
    longest = max(map(len, rows))
    return torch.tensor([[*row, *[filler] * (longest - len(row))] for row in rows], dtype=torch.long)
