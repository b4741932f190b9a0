"""Extractive question answering over long contexts: windows, answer labels, and n-best decoding.

The way of one question, in training and prediction alike:

1. question and context are encoded once each (``particles.encode_text``): context pieces with character spans;
2. ``build_windows`` lays the pieces into inputs of limited length that overlap;
3. for training, ``answer_pieces`` finds the pieces that share a character with the answer, and ``window_label`` says
   where they stand in a window; nothing is searched as a string, so repeated answers are kept apart;
4. for prediction, ``best_spans`` ranks spans of context pieces over all windows of the question, and ``to_answers``
   slices the original context.

Pieces are numbered from 0 over the whole context; positions count from 0 inside one window's input.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from distilkobert.tokenizers.inputs import Span

NO_ANSWER: Final = (0, 0)  # the label of a window without the whole answer: its [CLS]
PieceRange: TypeAlias = tuple[int, int]
_SPECIAL_TOKENS: Final = 3  # [CLS] question [SEP] context [SEP]


@dataclass(frozen=True)
class WindowSettings:
    """Size of the inputs.

    Args:
        max_length: most tokens of one input, special tokens included (the published KorQuAD recipe: 512).
        stride: context pieces from the start of one window to the start of the next (128, as in the SQuAD scripts).
        max_question: pieces of the question that are kept, from its start (64, as in the SQuAD scripts).

    Raises:
        ValueError: a number is below 1, or windows could leave pieces out between them.
    """

    max_length: int = 512
    stride: int = 128
    max_question: int = 64

    def __post_init__(self) -> None:
        room = self.max_length - self.max_question - _SPECIAL_TOKENS
        if self.stride < 1 or self.max_question < 1:
            raise ValueError(f"stride={self.stride} and max_question={self.max_question} must be at least 1")
        if room < 1:
            raise ValueError(
                f"max_question={self.max_question} and {_SPECIAL_TOKENS} special tokens leave no room for the context "
                f"in max_length={self.max_length}; lower max_question, or raise max_length"
            )
        if self.stride > room:
            raise ValueError(
                f"stride={self.stride} must be at most {room}, or windows leave pieces out: that is what "
                f"max_length={self.max_length} leaves for the context beside max_question={self.max_question} and "
                f"{_SPECIAL_TOKENS} special tokens"
            )


@dataclass(frozen=True)
class Window:
    """One model input ``[CLS] question [SEP] context [SEP]`` and where its part of the context comes from.

    Args:
        input_ids: the input, T ids, without padding.
        context_start: position of its first context piece.
        first_piece: number of that piece in the whole context.
        pieces: context pieces in this window.
    """

    input_ids: tuple[int, ...]
    context_start: int
    first_piece: int
    pieces: int

    @property
    def segment_ids(self) -> list[int]:
        """0 for [CLS], question and first [SEP], 1 for context and last [SEP]: T values, for BERT only."""
        return [0] * self.context_start + [1] * (len(self.input_ids) - self.context_start)


@dataclass(frozen=True)
class PieceSpan:
    """Context pieces ``first`` to ``last`` (inclusive) with the sum of their start and end scores."""

    first: int
    last: int
    score: float


@dataclass(frozen=True)
class Answer:
    """An answer: ``context[start:end]``, its score, and its share of the softmax over the n best scores."""

    text: str
    start: int
    end: int
    score: float
    probability: float


def build_windows(
    question_ids: Sequence[int], context_ids: Sequence[int], settings: WindowSettings, cls_id: int, sep_id: int
) -> list[Window]:
    """Overlapping windows that together hold every context piece, each with the whole (or cut) question before it.

    Raises:
        ValueError: question or context has no piece.
    """
    if not question_ids or not context_ids:
        empty = "context" if question_ids else "question"
        raise ValueError(f"the {empty} has no piece: it is empty, or all white space or combining marks")
    opening = (cls_id, *question_ids[: settings.max_question], sep_id)
    room = settings.max_length - len(opening) - 1
    windows = []
    first = 0
    while True:
        part = context_ids[first : first + room]
        windows.append(Window((*opening, *part, sep_id), len(opening), first, len(part)))
        if first + room >= len(context_ids):
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


def best_spans(
    windows: Sequence[Window],
    start_scores: Sequence[ArrayLike],
    end_scores: Sequence[ArrayLike],
    n_best: int = 20,
    max_answer_pieces: int = 30,
) -> list[PieceSpan]:
    """The ``n_best`` spans of one question over all its windows, best first; earlier and shorter spans first on a tie.

    A span lies inside one window's part of the context, and ends at most ``max_answer_pieces`` pieces after it starts
    (defaults as in the SQuAD scripts). A piece that stands in several windows may start a span only in the one
    where it has most context on its shorter side, so no span is counted twice. All such spans are compared, not
    only those between the n best starts and ends.

    Args:
        windows: all windows of the question.
        start_scores: for each window, T or more scores of its positions; those of padding are never read.
        end_scores: the same for answer ends.
        n_best: spans to return, fewer where there are fewer.
        max_answer_pieces: longest span.

    Raises:
        ValueError: a row of scores is shorter than its window, holds NaN on the context, or a limit is below 1.
    """
    if n_best < 1 or max_answer_pieces < 1:
        raise ValueError(f"n_best={n_best} and max_answer_pieces={max_answer_pieces} must be at least 1")
    home = _home_windows(windows)
    found: list[PieceSpan] = []
    for number, window in enumerate(windows):
        starts = _context_scores(window, start_scores[number], "start")
        ends = _context_scores(window, end_scores[number], "end")
        own = home[window.first_piece : window.first_piece + window.pieces] == number
        starts = np.where(own, starts, -np.inf)
        # Row d holds the scores of all spans of d + 1 pieces; those that would leave the window stay at minus infinity.
        totals = np.full((min(max_answer_pieces, window.pieces), window.pieces), -np.inf)
        for extra in range(len(totals)):
            totals[extra, : window.pieces - extra] = starts[: window.pieces - extra] + ends[extra:]
        # A stable sort of the flattened table by start, then length, gives the order promised on ties.
        flat = totals.T.ravel()
        for place in np.argsort(-flat, kind="stable")[:n_best]:
            if flat[place] > -np.inf:
                first, extra = divmod(int(place), len(totals))
                first += window.first_piece
                found.append(PieceSpan(first, first + extra, float(flat[place])))
    return sorted(found, key=lambda span: (-span.score, span.first, span.last))[:n_best]


def to_answers(context: str, offsets: Sequence[Span], spans: Sequence[PieceSpan]) -> list[Answer]:
    """Slices of ``context`` for ranked spans, without white space at either end.

    A span without characters (a lone word-start mark) is left out; the list is empty only where every span is such a
    one, or there is none.
    """
    placed = [(*_trimmed(context, offsets[span.first][0], offsets[span.last][1]), span.score) for span in spans]
    placed = [(start, end, score) for start, end, score in placed if end > start]
    weights = [math.exp(score - placed[0][2]) for _, _, score in placed]
    return [
        Answer(context[start:end], start, end, score, weight / sum(weights))
        for (start, end, score), weight in zip(placed, weights, strict=True)
    ]


def _trimmed(context: str, start: int, end: int) -> Span:
    text = context[start:end]
    start += len(text) - len(text.lstrip())
    return start, start + len(text.strip())


def _context_scores(window: Window, scores: ArrayLike, name: str) -> NDArray[np.float64]:
    row = np.asarray(scores, dtype=np.float64)
    if row.ndim != 1 or len(row) < len(window.input_ids):
        raise ValueError(
            f"{name} scores have shape {row.shape}; expected one for each of {len(window.input_ids)} tokens"
        )
    row = row[window.context_start : window.context_start + window.pieces]
    if np.isnan(row).any():
        raise ValueError(f"{name} scores of a window hold NaN: the model's weights or inputs are broken")
    return row


def _home_windows(windows: Sequence[Window]) -> NDArray[np.int64]:
    """For every piece the window where it has most context, by the rule of the SQuAD scripts; the earlier on a tie.

    The rule: the smaller of the numbers of pieces to its left and right, plus a hundredth of the window's pieces.
    """
    total = max(window.first_piece + window.pieces for window in windows)
    best = np.full(total, -1.0)
    home = np.full(total, -1, dtype=np.int64)
    for number, window in enumerate(windows):
        places = np.arange(window.pieces)
        context = np.minimum(places, places[::-1]) + 0.01 * window.pieces
        part = slice(window.first_piece, window.first_piece + window.pieces)
        better = context > best[part]
        best[part][better] = context[better]
        home[part][better] = number
    return home
