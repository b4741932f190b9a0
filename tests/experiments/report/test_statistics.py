"""Spread over seeds and the paired bootstrap, against hand-worked cases and a slow second implementation."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from distilkobert.tasks.score_sums import ratio_sums, share_sums
from experiments.report import statistics
from experiments.report.statistics import Ratio, Seeds, Spread, fewest, paired_deltas, ratio_of


def test_spread_worked_by_hand() -> None:
    spread = Spread((88.0, 90.0, 95.0), Seeds(3, 3, 3))
    assert spread.mean == pytest.approx(91.0)
    assert spread.sd == pytest.approx(13**0.5)  # ((-3)^2 + (-1)^2 + 4^2) / 2
    assert Spread((88.0,), Seeds(1, 1, 1)).sd is None


def test_a_value_of_several_has_the_fewest_seeds_of_them() -> None:
    assert fewest([Seeds(3, 2, 3, in_part=1), Seeds(2, 2, 3)]) == Seeds(2, 2, 2, partial=True, in_part=1)
    # Four fine-tunings of two distillations against one seed: one of each side.
    assert fewest([Seeds(4, 2, 4), Seeds(1, 1, 1)]) == Seeds(1, 1, 1)


def test_a_share_of_the_one_teacher_counts_starting_models_of_the_arm() -> None:
    teacher, base = Spread((90.0,) * 3, Seeds(3, 1, 3)), Spread((81.0, 81.0, 81.0), Seeds(3, 2, 3))
    assert ratio_of(base, teacher) == Ratio(pytest.approx(90.0), Seeds(3, 2, 3))
    assert ratio_of(replace(base, seeds=Seeds(3, 3, 3)), teacher).seeds == Seeds(3, 3, 3)


def slow_scores(
    numerators: NDArray[np.float64], denominators: NDArray[np.float64], indexes: NDArray[np.int64]
) -> NDArray[np.float64]:
    """One resample and one system at a time, from the drawn rows themselves."""
    scores = np.zeros((len(indexes), len(numerators)))
    for draw, rows in enumerate(indexes.tolist()):
        for system in range(len(numerators)):
            above = sum(numerators[system, row] for row in rows)
            below = sum(denominators[system, row] for row in rows)
            scores[draw, system] = 100 * above / below if below else 0.0
    return scores


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 12), st.integers(2, 4), st.integers(2, 30))
def test_intervals_are_those_of_the_slow_way(seed: int, examples: int, systems: int, resamples: int) -> None:
    """Every system but the last against the last, and the first two together against it."""
    generator = np.random.default_rng(seed)
    denominators = generator.integers(0, 3, (systems, examples)).astype(np.float64)
    numerators = np.minimum(generator.integers(0, 3, (systems, examples)), denominators).astype(np.float64)
    base = systems - 1
    pairs = {str(arm): [(arm, base)] for arm in range(base)} | {"both": [(0, base), (base - 1, base)]}
    sums = [ratio_sums(*pair) for pair in zip(numerators, denominators, strict=True)]
    found = paired_deltas(sums, pairs, resamples, seed)
    rows = np.random.default_rng(seed).integers(0, examples, (resamples, examples), dtype=np.int64)
    drawn = slow_scores(numerators, denominators, rows)
    (observed,) = slow_scores(numerators, denominators, np.arange(examples)[None])
    for arm, places in pairs.items():
        differences = np.mean([drawn[:, one] - drawn[:, other] for one, other in places], axis=0)
        value = np.mean([observed[one] - observed[other] for one, other in places])
        assert found[arm] == pytest.approx((value, *np.quantile(differences, [0.025, 0.975])), abs=1e-9)


def test_chunks_do_not_change_the_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    sums = [ratio_sums(row, np.ones_like(row)) for row in np.random.default_rng(0).random((2, 7))]
    whole = paired_deltas(sums, {"arm": [(0, 1)]}, 50, seed=3)
    monkeypatch.setattr(statistics, "_CHUNK_CELLS", 21)  # three resamples at once
    assert whole == paired_deltas(sums, {"arm": [(0, 1)]}, 50, seed=3)
    assert whole != paired_deltas(sums, {"arm": [(0, 1)]}, 50, seed=4)


def test_equal_systems_differ_by_nothing_and_pairing_narrows_the_interval() -> None:
    generator = np.random.default_rng(1)
    right = generator.random(400) < 0.8
    flipped = right.copy()
    flipped[:8] = ~flipped[:8]
    sums = [share_sums(list(row)) for row in (right, right, flipped, generator.permutation(flipped))]
    found = paired_deltas(sums, {"same": [(1, 0)], "paired": [(2, 0)], "unpaired": [(3, 0)]})
    assert found["same"] == (0.0, 0.0, 0.0)
    width = {name: high - low for name, (_, low, high) in found.items()}
    assert width["paired"] < 0.5 * width["unpaired"]
    assert paired_deltas(sums, {}) == {}


def test_intervals_cover_the_true_difference_about_as_often_as_they_say() -> None:
    """Of 120 drawn test sets, the interval holds the true difference of 5 points in 95 %: 114, give or take 2.4 x 4."""
    generator = np.random.default_rng(2)
    covered = 0
    for trial in range(120):
        base = generator.random(150) < 0.7
        arm = np.where(base, generator.random(150) < 0.9, generator.random(150) < 0.4)  # 0.7 * 0.9 + 0.3 * 0.4 = 0.75
        _, low, high = paired_deltas([share_sums(list(arm)), share_sums(list(base))], {"": [(0, 1)]}, 400, trial)[""]
        covered += low <= 5.0 <= high
    assert 105 <= covered <= 120
