"""Rows of numbers of unequal length as one tensor."""

from collections.abc import Sequence

import torch
from torch import Tensor


def padded(rows: Sequence[Sequence[int]], filler: int) -> Tensor:
    """Rows of numbers as one tensor (B, T) int64, T the longest row; shorter ones are filled up at the right."""
    longest = max(map(len, rows))
    return torch.tensor([[*row, *[filler] * (longest - len(row))] for row in rows], dtype=torch.long)


def padded_inputs(ids: Sequence[Sequence[int]], segments: Sequence[Sequence[int]], pad: int) -> dict[str, Tensor]:
    """`input_ids`, `attention_mask` (0 on padding) and `token_type_ids` of B framed inputs, each (B, T) int64."""
    return {
        "input_ids": padded(ids, pad),
        "attention_mask": padded([[1] * len(row) for row in ids], 0),
        "token_type_ids": padded(segments, 0),
    }
