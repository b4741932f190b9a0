"""Spread over seeds and the paired bootstrap, against hand-worked cases and a slow second implementation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from distilkobert.tasks.score_sums import ratio_sums, share_sums
from experiments.report import statistics
from experiments.report.statistics import Delta, Spread, paired_delta, resampled_scores


def test_spread_worked_by_hand() -> None:
    spread = Spread((88.0, 90.0, 95.0))
    assert spread.mean == pytest.approx(91.0)
    assert spread.sd == pytest.approx(13**0.5)  # ((-3)^2 + (-1)^2 + 4^2) / 2
    assert spread.n == 3
    assert Spread((88.0,)).sd is None
    with pytest.raises(ValueError, match="at least one"):
        Spread(())


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
@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.integers(1, 4), st.integers(1, 30))
def test_scores_of_resamples_are_those_of_the_slow_way(seed: int, examples: int, systems: int, resamples: int) -> None:
    generator = np.random.default_rng(seed)
    denominators = generator.integers(0, 3, (systems, examples)).astype(np.float64)
    numerators = np.minimum(generator.integers(0, 3, (systems, examples)), denominators).astype(np.float64)
    rows = np.random.default_rng(seed).integers(0, examples, (resamples, examples), dtype=np.int64)
    expected = slow_scores(numerators, denominators, rows)
    sums = [ratio_sums(*pair) for pair in zip(numerators, denominators, strict=True)]
    np.testing.assert_allclose(resampled_scores(sums, resamples, seed), expected, atol=1e-9)


def test_chunks_do_not_change_the_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    sums = [ratio_sums(row, np.ones_like(row)) for row in np.random.default_rng(0).random((2, 7))]
    whole = resampled_scores(sums, 50, seed=3)
    monkeypatch.setattr(statistics, "_CHUNK_CELLS", 21)  # three resamples at once
    assert np.array_equal(whole, resampled_scores(sums, 50, seed=3))
    assert not np.array_equal(whole, resampled_scores(sums, 50, seed=4))


def test_delta_worked_by_hand() -> None:
    # Two seeds; systems 0 and 1 are the arm's, 2 and 3 the base arm's.
    observed = np.array([80.0, 84.0, 79.0, 80.0])
    resampled = np.tile(np.linspace(0, 100, 101)[:, None], 4) + np.array([1.0, 3.0, 0.0, 0.0])
    assert paired_delta(observed, resampled, [(0, 2), (1, 3)]) == Delta(2.5, 2.0, 2.0, 2, 2)
    assert paired_delta(observed, resampled, [(0, 2)]) == Delta(1.0, 1.0, 1.0, 1, 1)


def test_interval_is_that_of_the_percentiles() -> None:
    resampled = np.stack([np.arange(1001.0), np.zeros(1001)], axis=1)
    delta = paired_delta(np.array([1.0, 0.5]), resampled, [(0, 1)])
    assert (delta.value, delta.low, delta.high) == pytest.approx((0.5, 25.0, 975.0))


def test_equal_systems_differ_by_nothing_and_pairing_narrows_the_interval() -> None:
    generator = np.random.default_rng(1)
    right = (generator.random(400) < 0.8).astype(np.float64)
    flipped = right.copy()
    flipped[:8] = 1 - flipped[:8]
    systems = np.stack([right, right, flipped, generator.permutation(flipped)])
    observed = 100 * systems.mean(axis=1)
    resampled = resampled_scores([share_sums(list(row)) for row in systems])
    assert paired_delta(observed, resampled, [(1, 0)]) == Delta(0.0, 0.0, 0.0, 1, 1)
    paired, unpaired = (paired_delta(observed, resampled, [(place, 0)]) for place in (2, 3))
    assert paired.high - paired.low < 0.5 * (unpaired.high - unpaired.low)


def test_intervals_cover_the_true_difference_about_as_often_as_they_say() -> None:
    """Of 120 drawn test sets, the interval holds the true difference of 5 points in 95 %: 114, give or take 2.4 x 4."""
    generator = np.random.default_rng(2)
    covered = 0
    for trial in range(120):
        base = generator.random(150) < 0.7
        arm = np.where(base, generator.random(150) < 0.9, generator.random(150) < 0.4)  # 0.7 * 0.9 + 0.3 * 0.4 = 0.75
        systems = np.stack([arm, base]).astype(np.float64)
        resampled = resampled_scores([share_sums(list(row)) for row in systems], 400, seed=trial)
        delta = paired_delta(100 * systems.mean(axis=1), resampled, [(0, 1)])
        covered += delta.low <= 5.0 <= delta.high
    assert 105 <= covered <= 120
