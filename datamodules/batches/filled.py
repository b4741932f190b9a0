"""Batches of texts with [MASK] in them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from distilkobert.batching import BatchKey
from distilkobert.corpus.masked_texts import MaskedText
from distilkobert.padding import padded


class MaskedTextBatches:
    """Batches for `predict`.

    Args:
        texts: the encoded lines of a file.
        pad_token_id: fills up shorter rows.
        mask_token_id: id of [MASK].
    """

    def __init__(self, texts: Sequence[MaskedText], pad_token_id: int, mask_token_id: int) -> None:
        self._texts, self._pad_token_id, self._mask_token_id = texts, pad_token_id, mask_token_id

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Tokens of each text, (N,)."""
        return np.array([len(text.ids) for text in self._texts])

    def __getitem__(self, key: BatchKey) -> dict[str, Any]:
        """`input_ids`, `attention_mask` and `masked` (where a [MASK] is), each (B, T); `rows` and `texts`."""
        chosen = [self._texts[row] for row in key.rows]
        input_ids = padded([text.ids for text in chosen], self._pad_token_id)
        return {
            "input_ids": input_ids,
            "attention_mask": padded([[1] * len(text.ids) for text in chosen], 0),
            "masked": input_ids == self._mask_token_id,
            "rows": key.rows,
            "texts": [text.text for text in chosen],
        }
