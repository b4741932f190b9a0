"""Windows, answer labels and decoding: properties, and a brute-force second implementation of the ranking."""

import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distilkobert.tasks.questions.spans import PieceSpan, best_spans, to_answers
from distilkobert.tasks.questions.windows import (
    NO_ANSWER,
    Window,
    WindowSettings,
    answer_pieces,
    build_windows,
    window_label,
    window_sizes,
)
from distilkobert.tokenizers.framing import Frame
from distilkobert.tokenizers.inputs import Span
from tests.support.tokenizers import toy_pieces

CLS, SEP = 2, 3
BERT = Frame.bert(CLS, SEP, 0)


@st.composite
def laid_out(draw: st.DrawFn) -> tuple[list[int], list[int], WindowSettings, list[Window]]:
    """Question, context (numbered from 100), settings that fit, and their windows."""
    max_question = draw(st.integers(1, 6))
    capacity = draw(st.integers(1, 12))
    chosen = WindowSettings(max_question + capacity + 3, draw(st.integers(1, capacity)), max_question)
    question = list(range(10, 10 + draw(st.integers(1, 9))))
    context = list(range(100, 100 + draw(st.integers(1, 40))))
    return question, context, chosen, build_windows(question, context, chosen, BERT)


@given(laid_out())
@settings(max_examples=100, deadline=None)
def test_windows_hold_every_piece_in_its_place(case: tuple[list[int], list[int], WindowSettings, list[Window]]) -> None:
    question, context, chosen, windows = case
    kept = question[: chosen.max_question]
    seen = set()
    for number, window in enumerate(windows):
        part = context[window.first_piece : window.first_piece + window.pieces]
        assert list(window.input_ids) == [CLS, *kept, SEP, *part, SEP]
        assert len(window.input_ids) <= chosen.max_length
        assert window.context_start == len(kept) + 2
        assert list(window.segment_ids) == [0] * (len(kept) + 2) + [1] * (len(part) + 1)
        assert window.first_piece == number * chosen.stride
        seen.update(part)
    assert seen == set(context)
    assert all(
        len(window.input_ids) == chosen.max_length for window in windows[:-1] if len(kept) == chosen.max_question
    )


@given(laid_out())
@settings(max_examples=100, deadline=None)
def test_sizes_are_those_of_the_windows(case: tuple[list[int], list[int], WindowSettings, list[Window]]) -> None:
    question, context, chosen, windows = case
    lengths = [len(window.input_ids) for window in windows]
    sizes = window_sizes(np.array([len(question)]), np.array([len(context)]), chosen)
    assert [int(*numbers) for numbers in sizes] == [len(windows), max(lengths), lengths[-1]]


def test_windows_of_another_frame_have_its_special_tokens_and_segments() -> None:
    """`<s> question </s></s> context </s>`, all of segment 0, as RoBERTa has it."""
    frame = Frame((0,), (2, 2), (2,), 1, (0, 0, 0), (0,) * 6)
    windows = build_windows([9, 8], range(100, 107), WindowSettings(11, 3, 2, frame.special_count(2)), frame)
    assert [window.input_ids for window in windows] == [
        (0, 9, 8, 2, 2, 100, 101, 102, 103, 104, 2),
        (0, 9, 8, 2, 2, 103, 104, 105, 106, 2),
    ]
    assert {window.context_start for window in windows} == {5}
    assert not any(any(window.segment_ids) for window in windows)


def test_no_window_more_than_needed() -> None:
    assert [
        (window.first_piece, window.pieces)
        for window in build_windows([9], range(100, 110), WindowSettings(10, 3, 1), BERT)
    ] == [(0, 6), (3, 6), (6, 4)]
    assert len(build_windows([9], range(100, 106), WindowSettings(10, 3, 1), BERT)) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((10, 0, 2), "stride=0"),
        ((10, 2, 0), "max_question=0"),
        ((10, 6, 2), "stride=6 must be at most 5"),
        ((5, 1, 2), "max_question=2 and 3 special tokens leave no piece for the context in max_length=5"),
        ((48, 1, 60), "leave no piece"),
    ],
)
def test_settings_that_lose_pieces_are_refused(arguments: tuple[int, int, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        WindowSettings(*arguments)


@pytest.mark.parametrize(("question", "context", "name"), [([], [1], "question"), ([1], [], "context")])
def test_text_without_pieces_is_refused(question: list[int], context: list[int], name: str) -> None:
    with pytest.raises(ValueError, match=f"the {name} has no piece"):
        build_windows(question, context, WindowSettings(), BERT)


@given(st.text("강나무 에서A1.", min_size=1, max_size=30), st.data())
@settings(max_examples=100, deadline=None)
def test_answer_pieces_are_those_with_a_painted_character(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    offsets = toy_pieces.encode(text)[1]
    painted = [start <= place < end for place in range(len(text))]
    touched = [number for number, span in enumerate(offsets) if any(painted[span[0] : span[1]])]
    assert answer_pieces(offsets, start, end) == ((touched[0], touched[-1]) if touched else None)


def test_repeated_answers_are_kept_apart() -> None:
    context = "서울에서 서울로 서울까지"
    offsets = toy_pieces.encode(context)[1]
    found = [answer_pieces(offsets, start, start + 2) for start in (0, 5, 9)]
    assert len(set(found)) == 3
    assert [context[offsets[first][0] : offsets[last][1]] for first, last in found] == ["서울"] * 3


@given(laid_out(), st.data())
@settings(max_examples=100, deadline=None)
def test_label_points_at_the_answer_or_at_cls(
    case: tuple[list[int], list[int], WindowSettings, list[Window]], data: st.DataObject
) -> None:
    _, context, _, windows = case
    first = data.draw(st.integers(0, len(context) - 1))
    last = data.draw(st.integers(first, len(context) - 1))
    for window in windows:
        label = window_label(window, (first, last))
        wanted = context[first : last + 1]
        if set(wanted) <= set(window.input_ids):
            assert list(window.input_ids[label[0] : label[1] + 1]) == wanted
        else:
            assert label == NO_ANSWER
        assert window_label(window, None) == NO_ANSWER


def brute_force(
    windows: list[Window], starts: list[list[float]], ends: list[list[float]], n_best: int, longest: int
) -> list[tuple[float, int, int]]:
    """All spans one by one; a start counts in the window where its piece has most context."""

    def context_of(piece: int, window: Window) -> float:
        left, right = piece - window.first_piece, window.first_piece + window.pieces - 1 - piece
        return min(left, right) + 0.01 * window.pieces if left >= 0 and right >= 0 else -1.0

    found = []
    for number, window in enumerate(windows):
        for first in range(window.first_piece, window.first_piece + window.pieces):
            contexts = [context_of(first, other) for other in windows]
            if contexts.index(max(contexts)) != number:
                continue
            for last in range(first, min(first + longest, window.first_piece + window.pieces)):
                shift = window.context_start - window.first_piece
                found.append((starts[number][first + shift] + ends[number][last + shift], first, last))
    return sorted(found, key=lambda item: (-item[0], item[1], item[2]))[:n_best]


@given(laid_out(), st.integers(0, 10_000), st.integers(1, 25), st.integers(1, 8))
@settings(max_examples=100, deadline=None)
def test_ranking_is_that_of_brute_force(
    case: tuple[list[int], list[int], WindowSettings, list[Window]], seed: int, n_best: int, longest: int
) -> None:
    windows = case[3]
    rng = random.Random(seed)
    lengths = [len(window.input_ids) + rng.randint(0, 3) for window in windows]  # padding behind some
    starts, ends = ([[float(rng.randint(-4, 4)) for _ in range(length)] for length in lengths] for _ in range(2))
    expected = [
        PieceSpan(first, last, score) for score, first, last in brute_force(windows, starts, ends, n_best, longest)
    ]
    assert best_spans(windows, starts, ends, n_best, longest) == expected


def test_length_of_the_window_counts_a_hundredth() -> None:
    # The second window starts at piece 350. Contexts: 24 + 4.0 and 25 + 1.5 at piece 375, 23 + 4.0 and 26 + 1.5 at 376.
    windows = build_windows([10], range(100, 600), WindowSettings(404, 350, 1), BERT)
    assert [window.pieces for window in windows] == [400, 150]
    at_home = [[0.0] * 404, [-1.0] * 404]
    scores = {
        (span.first, span.last): span.score
        for span in best_spans(windows, at_home, at_home, n_best=9999, max_answer_pieces=1)
    }
    assert [scores[piece, piece] for piece in (374, 375, 376, 377)] == [0.0, 0.0, -2.0, -2.0]


def test_question_special_tokens_and_padding_are_never_read() -> None:
    windows = build_windows([10, 11], [100, 101, 102], WindowSettings(12, 2, 4), BERT)
    (window,) = windows
    row = [math.nan] * (len(window.input_ids) + 4)
    row[window.context_start : window.context_start + 3] = [0.0, 1.0, 0.5]
    best = best_spans(windows, [row], [row])
    assert best[0] == PieceSpan(1, 1, 2.0)
    assert {(span.first, span.last) for span in best} == {(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)}


def test_long_answers_are_left_out() -> None:
    windows = build_windows([10], range(100, 140), WindowSettings(60, 10, 4), BERT)
    row = [0.0] * 60
    assert max(span.last - span.first for span in best_spans(windows, [row], [row], n_best=2000)) == 29


@pytest.mark.parametrize(("row", "message"), [([0.0] * 4, "shape"), ([math.nan] * 9, "NaN"), ([[0.0] * 9], "shape")])
def test_broken_scores_are_refused(row: list[float], message: str) -> None:
    windows = build_windows([10], [100, 101], WindowSettings(9, 2, 2), BERT)
    with pytest.raises(ValueError, match=message):
        best_spans(windows, [row], [row])


def test_limits_below_one_are_refused() -> None:
    windows = build_windows([10], [100], WindowSettings(9, 2, 2), BERT)
    for limits in ({"n_best": 0}, {"max_answer_pieces": 0}):
        with pytest.raises(ValueError, match="at least 1"):
            best_spans(windows, [[0.0] * 5], [[0.0] * 5], **limits)


def test_answers_are_slices_of_the_context_with_probabilities() -> None:
    context = "푸른 강이 흐른다"
    offsets: list[Span] = [(0, 2), (3, 3), (3, 4), (4, 5), (6, 9)]
    answers = to_answers(context, offsets, [PieceSpan(1, 2, 3.0), PieceSpan(1, 1, 2.5), PieceSpan(0, 3, 2.0)])
    assert [(answer.text, answer.start, answer.end) for answer in answers] == [("강", 3, 4), ("푸른 강이", 0, 5)]
    assert [answer.probability for answer in answers] == pytest.approx([math.e / (1 + math.e), 1 / (1 + math.e)])
    assert to_answers(context, offsets, [PieceSpan(1, 1, 0.0)]) == []


def test_an_answer_has_no_white_space_at_its_ends() -> None:
    context, offsets = "그는 \n강 ", [(0, 2), (2, 4), (4, 6)]
    answers = to_answers(context, offsets, [PieceSpan(1, 2, 1.0), PieceSpan(0, 1, 0.5), PieceSpan(1, 1, 0.0)])
    assert [(answer.text, answer.start, answer.end) for answer in answers] == [("강", 4, 5), ("그는", 0, 2)]


def test_context_of_one_character_has_one_answer() -> None:
    ids, offsets = toy_pieces.encode("강")
    windows = build_windows([10], ids, WindowSettings(), BERT)
    scores = [0.0] * len(windows[0].input_ids)
    assert {answer.text for answer in to_answers("강", offsets, best_spans(windows, [scores], [scores]))} == {"강"}
