"""Extractive question answering over long contexts: n-best decoding.

The steps for one question, in training and in prediction:

1. question and context are encoded once each (``particles.encode_text``): context pieces with character spans;
2. ``windows.build_windows`` lays the pieces into inputs of limited length that overlap;
3. for training, ``windows.answer_pieces`` finds the pieces that share a character with the answer, and ``window_label``
   says where they are in a window; nothing is searched as a string, so repeated answers are kept apart;
4. for prediction, ``best_spans`` ranks spans of context pieces over all windows of the question, and ``to_answers``
   slices the original context.

Pieces are numbered from 0 over the whole context.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from distilkobert.tasks.questions.windows import Window
from distilkobert.tokenizers.inputs import Span


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


def best_spans(
    windows: Sequence[Window],
    start_scores: Sequence[ArrayLike],
    end_scores: Sequence[ArrayLike],
    n_best: int = 20,
    max_answer_pieces: int = 30,
) -> list[PieceSpan]:
    """The ``n_best`` spans of one question over all its windows, best first; earlier and shorter spans first on a tie.

    A span is inside one window's part of the context, and ends at most ``max_answer_pieces`` pieces after it starts
    (defaults as in the SQuAD scripts). A piece that is in several windows may start a span only in the one
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
