"""Encoded contexts of questions."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

from distilkobert.tasks.codec import Row
from distilkobert.tasks.files.korquad import GoldAnswer
from distilkobert.tasks.questions.reference_decoding import ReferenceContext, read_context
from distilkobert.tasks.questions.windows import PieceRange
from distilkobert.tokenizers.inputs import Span
from distilkobert.tokenizers.kobert import KoBertTokenizer

_REFERENCE_CONTEXTS_KEPT = 64
"""A paragraph has about six questions, which are often in batches close to each other."""


class EncodedContext(NamedTuple):
    """Ids of a context, the span of each, and what finds the pieces of an answer in it."""

    ids: Sequence[int]
    spans: Sequence[Span]
    place: Callable[[GoldAnswer], PieceRange | None]


def context_row(text: str, context: EncodedContext) -> Row:
    """Columns of a context: `text`, `ids`, and `starts` and `ends` of its spans."""
    starts, ends = [start for start, _ in context.spans], [end for _, end in context.spans]
    return {"text": text, "ids": list(context.ids), "starts": starts, "ends": ends}


@lru_cache(maxsize=_REFERENCE_CONTEXTS_KEPT)
def read_reference_context(text: str, tokenizer: KoBertTokenizer) -> ReferenceContext:
    """Read a context the original's way; the last ones are kept."""
    return read_context(text, tokenizer.tokenize)
