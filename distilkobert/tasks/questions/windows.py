"""Overlapping inputs over a long context: their sizes, what they hold, and where an answer is in them.

Pieces are numbered from 0 over the whole context; positions count from 0 inside one window's input.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from distilkobert.tokenizers.framing import Frame
from distilkobert.tokenizers.inputs import Span

NO_ANSWER: Final = (0, 0)  # the label of a window without the whole answer: its [CLS]
PieceRange: TypeAlias = tuple[int, int]


@dataclass(frozen=True)
class WindowSettings:
    """Size of the inputs.

    Args:
        max_length: most tokens of one input, special tokens included (the published KorQuAD recipe: 512).
        stride: context pieces from the start of one window to the start of the next (128, as in the SQuAD scripts).
        max_question: pieces of the question that are kept, from its start (64, as in the SQuAD scripts).
        special_tokens: those around and between question and context (BERT: 3).

    Raises:
        ValueError: a number is below 1, or windows could leave pieces out between them.
    """

    max_length: int = 512
    stride: int = 128
    max_question: int = 64
    special_tokens: int = 3

    def __post_init__(self) -> None:
        capacity = self.max_length - self.max_question - self.special_tokens
        if self.stride < 1 or self.max_question < 1:
            raise ValueError(f"stride={self.stride} and max_question={self.max_question} must be at least 1")
        if capacity < 1:
            raise ValueError(
                f"max_question={self.max_question} and {self.special_tokens} special tokens leave no piece for the "
                f"context in max_length={self.max_length}; lower max_question, or raise max_length"
            )
        if self.stride > capacity:
            raise ValueError(
                f"stride={self.stride} must be at most {capacity}, or windows skip pieces: that is what "
                f"max_length={self.max_length} leaves for the context with max_question={self.max_question} and "
                f"{self.special_tokens} special tokens"
            )


@dataclass(frozen=True)
class Window:
    """One model input, question and context framed as a pair, and where its part of the context comes from.

    Args:
        input_ids: the input, T ids, without padding.
        segment_ids: 0 for the question and 1 for the context where the tokenizer distinguishes them; T values.
        context_start: position of its first context piece.
        first_piece: number of that piece in the whole context.
        pieces: context pieces in this window.
    """

    input_ids: tuple[int, ...]
    segment_ids: tuple[int, ...]
    context_start: int
    first_piece: int
    pieces: int


class WindowSizes(NamedTuple):
    """How many windows each of N questions has, and how many tokens they have.

    Args:
        counts: windows, (N,).
        longest: tokens of the first, which is the longest one, (N,).
        last: tokens of the last one, (N,).
    """

    counts: NDArray[np.int64]
    longest: NDArray[np.int64]
    last: NDArray[np.int64]


def window_sizes(
    question_pieces: NDArray[np.int64], context_pieces: NDArray[np.int64], settings: WindowSettings
) -> WindowSizes:
    """The sizes of the windows that `build_windows` makes, from the numbers of pieces alone, (N,) each."""
    around = np.minimum(question_pieces, settings.max_question) + settings.special_tokens
    capacity = settings.max_length - around
    counts = 1 + np.maximum(0, -(-(context_pieces - capacity) // settings.stride))
    last = around + context_pieces - (counts - 1) * settings.stride
    return WindowSizes(counts, around + np.minimum(context_pieces, capacity), last)


def build_windows(
    question_ids: Sequence[int], context_ids: Sequence[int], settings: WindowSettings, frame: Frame
) -> list[Window]:
    """Overlapping windows that together hold every context piece, each with the whole (or cut) question before it.

    Raises:
        ValueError: question or context has no piece.
    """
    if not question_ids or not context_ids:
        empty = "context" if question_ids else "question"
        raise ValueError(f"the {empty} has no piece: it is empty, or all white space or combining marks")
    asked = question_ids[: settings.max_question]
    capacity = settings.max_length - settings.special_tokens - len(asked)
    windows = []
    first = 0
    while True:
        part = context_ids[first : first + capacity]
        ids, segments = frame.pair(asked, part)
        windows.append(Window(tuple(ids), tuple(segments), frame.second_start(len(asked)), first, len(part)))
        if first + capacity >= len(context_ids):
            return windows
        first += settings.stride


def answer_pieces(offsets: Sequence[Span], start: int, end: int) -> PieceRange | None:
    """First and last piece (inclusive) that share a character with the characters ``start`` to ``end`` (exclusive).

    None where no piece does, for example because the answer is a combining mark that the tokenizer drops.
    """
    touching = [number for number, (first, last) in enumerate(offsets) if max(first, start) < min(last, end)]
    return (touching[0], touching[-1]) if touching else None


def window_label(window: Window, pieces: PieceRange | None) -> tuple[int, int]:
    """Positions of the answer's first and last piece in the window's input; ``NO_ANSWER`` unless both are in it."""
    if pieces is None or pieces[0] < window.first_piece or pieces[1] >= window.first_piece + window.pieces:
        return NO_ANSWER
    shift = window.context_start - window.first_piece
    return pieces[0] + shift, pieces[1] + shift
