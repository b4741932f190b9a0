"""What is said of examples besides their answers: unknown pieces, decomposed Hangul, and texts that were cut."""

import sys
from collections.abc import Sequence

from distilkobert.korean.decomposed import has_jamo, warn_decomposed
from distilkobert.tasks.codec import Codec
from distilkobert.tokenizers.unknowns import PieceCounts, check_unknown, is_refused
from experiments.predict.model import Question


class Tally:
    """Counts over all examples so far.

    Args:
        codec: what encoded them.
        where: where they are from, for messages.
        unknown_limit: share of unknown pieces from which they are refused.
    """

    def __init__(self, codec: Codec, where: str, unknown_limit: float) -> None:
        self._codec, self._where, self._limit = codec, where, unknown_limit
        self._pieces, self._cut, self._decomposed = PieceCounts(), 0, 0

    def add(self, questions: Sequence[Question]) -> None:
        """Count some examples."""
        unknown = self._codec.encoder.unk_token_id
        self._pieces = sum((question.count(unknown) for question in questions), self._pieces)
        self._cut += sum(self._codec.is_cut(question.row) for question in questions)
        self._decomposed += sum(any(map(has_jamo, question.texts)) for question in questions)

    def check(self) -> None:
        """Refuse the examples if too many of their pieces are unknown.

        Raises:
            ValueError: see `check_unknown`.
        """
        if is_refused(self._pieces, self._limit):
            check_unknown(self._pieces, self._where, self._limit)

    def tell(self) -> None:
        """Warn and note, when the answers are out."""
        check_unknown(self._pieces, self._where, unknown_limit=1)
        warn_decomposed(self._decomposed, "example", self._where)
        if self._cut:
            print(
                f"note: {self._cut:,} {'example was' if self._cut == 1 else 'examples were'} cut to max_length "
                f"{self._codec.settings.max_length} (pieces, special tokens included); the rest was not read",
                file=sys.stderr,
            )
