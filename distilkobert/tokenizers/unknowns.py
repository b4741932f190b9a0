"""The share of unknown pieces, which tells that a tokenizer does not fit its texts before any training does."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

_log = logging.getLogger(__name__)

WARNING_SHARE: Final = 0.05
"""Share of unknown pieces from which a warning is given. KoBERT's own tokenizer has 0.9 % in the first 20,000 test
reviews of NSMC."""

UNKNOWN_LIMIT: Final = 0.3
"""Share from which texts are refused by default."""

_FEW_PIECES: Final = 100


@dataclass(frozen=True)
class PieceCounts:
    """Pieces of some texts, special tokens around them not counted.

    Args:
        pieces: all of them.
        unknown: those that are the tokenizer's unknown token.
    """

    pieces: int = 0
    unknown: int = 0

    @classmethod
    def of(cls, rows: Iterable[npt.ArrayLike], unk_token_id: int) -> "PieceCounts":
        """Count the ids of any number of texts, each a list or an array (T,)."""
        arrays = [np.asarray(row) for row in rows]
        return cls(sum(array.size for array in arrays), sum(int((array == unk_token_id).sum()) for array in arrays))

    def __add__(self, other: "PieceCounts") -> "PieceCounts":
        return PieceCounts(self.pieces + other.pieces, self.unknown + other.unknown)

    @property
    def share(self) -> float:
        """Unknown pieces of all pieces, 0 to 1; 0 where there is no piece."""
        return self.unknown / self.pieces if self.pieces else 0.0


def require_limit(unknown_limit: float) -> None:
    """Check an option for `check_unknown`.

    Raises:
        ValueError: it is out of range.
    """
    if not 0 < unknown_limit <= 1:
        raise ValueError(
            f"unknown_limit is {unknown_limit}; expected more than 0 and at most 1, which accepts any text"
        )


def is_refused(counts: PieceCounts, unknown_limit: float) -> bool:
    """Whether a share of unknown pieces is too large; of fewer than 100 pieces none is."""
    return unknown_limit < 1 and counts.share >= unknown_limit and counts.pieces >= _FEW_PIECES


def check_unknown(
    counts: PieceCounts, where: str, unknown_limit: float = UNKNOWN_LIMIT, *, again: bool = False
) -> bool:
    """Warn of a share of unknown pieces from 5 %, and refuse one from `unknown_limit`.

    Of fewer than 100 pieces no share is refused: one unusual character does not make the tokenizer wrong.

    Args:
        counts: pieces of the texts.
        where: what was encoded with what, for messages.
        unknown_limit: share from which the texts are refused; 1 accepts any.
        again: an earlier warning has named the usual causes; this one gives the share alone.

    Returns:
        Whether it warned.

    Raises:
        ValueError: the share is too large; the message names the usual causes.
    """
    require_limit(unknown_limit)
    if counts.share < WARNING_SHARE:
        return False
    share = f"{where}: {counts.share:.1%} of {counts.pieces:,} pieces are unknown to the tokenizer"
    message = (
        f"{share}. Usual causes: it "
        "lower-cases and strips accents, which decomposes Hangul (set do_lower_case to false in "
        "tokenizer_config.json); the text is decomposed (NFD; normalise it to NFC); or it is another model's tokenizer"
    )
    if is_refused(counts, unknown_limit):
        raise ValueError(
            f"{message}. If the text is as intended, raise unknown_limit, now {unknown_limit:g} (1: no limit)"
        )
    _log.warning("%s", share if again else message)
    return True
