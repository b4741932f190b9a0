"""Scores where there may be no answer, against the rules of SQuAD 2.0 written down a second time."""

import collections
import json
import re
import string

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distilkobert.metrics.korquad import best_scores
from distilkobert.metrics.squad_v2 import ALWAYS, AbstainingScores, best_threshold, v2_scores

WORDS = st.lists(st.sampled_from(["the", "a", "cat", "sat", "서울", "서울,", "The", "cat."]), max_size=4).map(" ".join)


def plain(text: str) -> list[str]:
    """Words of an answer, step by step as the rules say."""
    lowered = text.lower()
    bare = "".join(character for character in lowered if character not in set(string.punctuation))
    return re.sub(r"\b(a|an|the)\b", " ", bare).split()


def slow(prediction: str, golds: list[str]) -> tuple[int, float]:
    kept = [gold for gold in golds if plain(gold)]
    scores = []
    for gold in kept or [""]:
        one, other = plain(prediction), plain(gold)
        if not one or not other:
            f1 = float(one == other)
        else:
            common = sum((collections.Counter(one) & collections.Counter(other)).values())
            precision, recall = common / len(one), common / len(other)
            f1 = 2 * precision * recall / (precision + recall) if common else 0.0
        scores.append((int(one == other), f1))
    return max(exact for exact, _ in scores), max(f1 for _, f1 in scores)


@settings(max_examples=200)
@given(WORDS, st.lists(WORDS, min_size=1, max_size=3))
def test_answers_score_by_the_official_rules(prediction: str, golds: list[str]) -> None:
    exact, f1 = v2_scores(prediction, golds)
    expected = slow(prediction, golds)
    assert (int(exact), f1) == (expected[0], pytest.approx(expected[1]))


def slow_threshold(margins: list[float], scores: list[float], impossible: list[bool]) -> tuple[float, float]:
    """The official search: start with no answer anywhere, then answer question after question."""
    current = best = float(sum(impossible))
    threshold = float("-inf")
    for place in sorted(range(len(margins)), key=lambda one: margins[one]):
        current += scores[place] if not impossible[place] else scores[place] - 1
        if current > best + 1e-9:
            best, threshold = current, margins[place]
    return best / len(margins), threshold


QUESTIONS = st.lists(
    st.tuples(st.integers(-9, 9), st.sampled_from([0.0, 0.25, 1.0]), st.booleans()), min_size=1, max_size=20,
    unique_by=lambda question: question[0],
)  # fmt: skip


@settings(max_examples=200)
@given(QUESTIONS)
def test_the_threshold_is_the_one_of_the_official_search(rows: list[tuple[int, float, bool]]) -> None:
    margins, answered, impossible = [float(row[0]) for row in rows], [row[1] for row in rows], [row[2] for row in rows]
    best, expected = slow_threshold(margins, answered, impossible)
    found = best_threshold(margins, answered, impossible)
    reached = np.where(np.array(margins) <= found, answered, impossible).mean()
    assert reached == pytest.approx(best)
    chosen = expected if expected > -10 else min(margins) - 1
    assert found == (chosen if any(impossible) else ALWAYS)


def test_questions_of_equal_margins_are_answered_together() -> None:
    assert best_threshold([1.0, 1.0, 2.0], [1.0, 0.0, 0.0], [False, True, True]) == 0.0
    assert best_threshold([1.0, 1.0, 2.0], [1.0, 1.0, 0.0], [False, False, True]) == 1.0


def test_questions_that_all_have_answers_are_always_answered() -> None:
    metric = AbstainingScores(["f1"])
    metric.update([-2.0, 3.0], [[1.0], [0.0]], [False, False])
    _, threshold = metric.scores(None)
    assert json.loads(json.dumps(threshold)) == threshold == ALWAYS
    metric.reset()
    metric.update([50.0], [[1.0]], [False])
    assert metric.scores(threshold)[0]["f1"] == 100.0


def test_scores_worked_by_hand_and_in_parts() -> None:
    metric = AbstainingScores(["exact_match", "f1"])
    rows = [(-5.0, (1.0, 1.0), False), (0.5, (0.0, 0.5), False), (1.0, (0.0, 0.0), True), (9.0, (0.0, 0.0), True)]
    for part in (rows[:1], [], rows[1:]):
        metric.update([row[0] for row in part], [row[1] for row in part], [row[2] for row in part])
    values, threshold = metric.scores(None)
    assert threshold == 0.5
    assert values == pytest.approx(
        {
            "exact_match": 75.0,
            "f1": 87.5,
            "has_answer_exact_match": 50.0,
            "has_answer_f1": 75.0,
            "no_answer_accuracy": 100.0,
        }
    )
    values, threshold = metric.scores(3.0)
    assert (threshold, values["f1"], values["no_answer_accuracy"]) == (3.0, pytest.approx(62.5), 50.0)
    assert metric.scores(-9.0)[0]["has_answer_f1"] == 0.0


def test_an_empty_answer_is_right_where_there_is_none() -> None:
    assert best_scores("", [""]) == (True, 1.0)
    assert best_scores("서울", [""]) == (False, 0.0)
    assert best_scores("", ["서울"]) == (False, 0.0)
