"""Scores from sums are those of scikit-learn and scipy, on the whole set and on resamples."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics

from distilkobert.tasks.score_sums import correlation_sums
from distilkobert.tasks.texts.classification import ClassificationCodec, MultiLabelCodec, RegressionCodec

NAMES = ("가", "나", "다", "라")
Rows = list[tuple[int, int]]
CLASSES = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=30)


def drawn(count: int) -> np.ndarray[Any, Any]:
    return np.random.default_rng(count).integers(0, count, count)


@settings(max_examples=80)
@given(CLASSES)
def test_classes_are_scored_as_scikit_learn_does(rows: Rows) -> None:
    records = [{"gold": NAMES[gold], "predicted": NAMES[guess]} for gold, guess in rows]
    slow: dict[str, Callable[[Any, Any], float]] = {
        "accuracy": metrics.accuracy_score,
        "macro F1": lambda gold, guess: metrics.f1_score(gold, guess, average="macro", zero_division=0),
        "MCC": metrics.matthews_corrcoef,
    }
    counted = ClassificationCodec.counts(records)
    assert counted.keys() == slow.keys()
    for chosen in (np.arange(len(rows)), drawn(len(rows))):
        gold, guess = (np.array([record[name] for record in records])[chosen] for name in ("gold", "predicted"))
        for title, score in slow.items():
            sums = counted[title].added[chosen].sum(axis=0)
            assert counted[title].score(sums) == pytest.approx(100 * score(gold, guess), abs=1e-9), title


@settings(max_examples=60)
@given(st.lists(st.tuples(st.sets(st.sampled_from(NAMES)), st.sets(st.sampled_from(NAMES))), min_size=1, max_size=20))
def test_any_number_of_labels_is_scored_as_scikit_learn_does(rows: list[tuple[set[str], set[str]]]) -> None:
    shares = dict.fromkeys(NAMES, 0.5)
    records = [{"gold": sorted(gold), "predicted": sorted(guess), "probabilities": shares} for gold, guess in rows]
    gold, guess = (np.array([[name in row[side] for name in NAMES] for row in rows]) for side in (0, 1))
    counted = MultiLabelCodec.counts(records)
    micro = metrics.f1_score(gold, guess, average="micro", zero_division=0)
    assert counted["micro F1"].percent == pytest.approx(100 * micro)
    assert counted["exact match"].percent == pytest.approx(100 * metrics.accuracy_score(gold, guess))
    macro = metrics.f1_score(gold, guess, average="macro", zero_division=0)
    assert counted["macro F1"].percent == pytest.approx(100 * macro)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 9), st.floats(-5, 5, width=16)), min_size=2, max_size=40))
def test_correlations_are_those_of_scipy(rows: list[tuple[int, float]]) -> None:
    gold, guess = [float(one) for one, _ in rows], [other for _, other in rows]
    records = [{"gold": one, "predicted": other} for one, other in zip(gold, guess, strict=True)]
    counted = RegressionCodec.counts(records)
    if len(set(gold)) == 1 or len(set(guess)) == 1:
        assert counted["Pearson"].percent == counted["Spearman"].percent == 0.0
        return
    if np.std(guess) < 1e-3:
        return  # scipy itself warns of what is nearly constant
    assert counted["Pearson"].percent == pytest.approx(100 * stats.pearsonr(gold, guess).statistic, abs=1e-4)
    assert counted["Spearman"].percent == pytest.approx(100 * stats.spearmanr(gold, guess).statistic, abs=1e-6)


def test_a_resample_has_its_own_correlation() -> None:
    generator = np.random.default_rng(3)
    gold = generator.normal(size=200)
    guess = gold + generator.normal(size=200)
    sums = correlation_sums(gold.tolist(), guess.tolist(), ranked=False)
    ranked = correlation_sums(gold.tolist(), guess.tolist(), ranked=True)
    chosen = drawn(200)
    pearson = 100 * stats.pearsonr(gold[chosen], guess[chosen])[0]
    assert sums.score(sums.added[chosen].sum(axis=0)) == pytest.approx(pearson)
    exact = 100 * stats.spearmanr(gold[chosen], guess[chosen])[0]
    assert ranked.score(ranked.added[chosen].sum(axis=0)) == pytest.approx(exact, abs=1.5)


@settings(max_examples=30)
@given(CLASSES, st.data())
def test_groups_drawn_whole_are_their_examples_drawn_together(rows: Rows, data: st.DataObject) -> None:
    groups = np.array(data.draw(st.lists(st.integers(0, 4), min_size=len(rows), max_size=len(rows))))
    names = sorted(set(groups.tolist()))
    times = data.draw(st.lists(st.integers(0, 2), min_size=len(names), max_size=len(names)))
    records = [{"gold": NAMES[gold], "predicted": NAMES[guess]} for gold, guess in rows]
    by_group = dict(zip(names, times, strict=True))
    drawn_rows = [row for row, group in enumerate(groups.tolist()) for _ in range(by_group[group])]
    for title, sums in ClassificationCodec.counts(records).items():
        grouped = sums.of_groups(groups)
        assert len(grouped.added) == len(names), title
        assert grouped.percent == pytest.approx(sums.percent)
        slow = sums.score(sums.added[drawn_rows].sum(axis=0))
        assert grouped.score(np.array(times) @ grouped.added) == pytest.approx(float(slow), abs=1e-9), title
