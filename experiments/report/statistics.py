"""Mean and spread over seeds, and the paired bootstrap: plain functions of numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from distilkobert.tasks.score_sums import ScoreSums

RESAMPLES = 2_000
BOOTSTRAP_SEED = 0
LEVEL = 0.95
_CHUNK_CELLS = 4_000_000
"""Counts held at once (32 MB), so that 50,000 texts need no more memory than 500."""


@dataclass(frozen=True)
class Spread:
    """Values of one quantity over seeds.

    Args:
        values: one a seed, at least one.
        distillations: how many distillations these seeds come from; by default each from its own.
        in_part: how many of the values were measured on a part of the file.
    """

    values: tuple[float, ...]
    distillations: int = 0
    in_part: int = 0

    def __post_init__(self) -> None:
        if not self.values:
            raise ValueError("a spread needs at least one value")
        if not self.distillations:
            object.__setattr__(self, "distillations", len(self.values))

    @property
    def mean(self) -> float:
        """Their mean."""
        return float(np.mean(self.values))

    @property
    def sd(self) -> float | None:
        """Sample standard deviation (n - 1 in the denominator); None for a single value."""
        return float(np.std(self.values, ddof=1)) if len(self.values) > 1 else None

    @property
    def n(self) -> int:
        """How many there are."""
        return len(self.values)


@dataclass(frozen=True)
class Delta:
    """Difference of two arms in percentage points, with its 95 % interval.

    Args:
        value: mean over the seeds that both arms have.
        low: lower end.
        high: upper end.
        n: number of those seeds.
        distillations: how many distillations they come from, of the arm that has fewer.
        in_part: how many of the scores, of both arms, were measured on a part of the file.
    """

    value: float
    low: float
    high: float
    n: int
    distillations: int
    in_part: int = 0


@dataclass(frozen=True)
class Ratio:
    """One arm's mean in per cent of another's, or the mean of such figures.

    Args:
        percent: the figure.
        n: number of seeds behind it, of the side that has fewer.
        distillations: how many distillations they come from, of the side that has fewer.
        partial: seeds that were planned are lacking, on either side.
        in_part: how many of the scores, on both sides, were measured on a part of the file.
    """

    percent: float
    n: int
    distillations: int
    partial: bool
    in_part: int = 0


def ratio_of(spread: Spread, reference: Spread, *, partial: bool) -> Ratio:
    """The mean of `spread` in per cent of that of `reference`."""
    n, distillations = min(spread.n, reference.n), min(spread.distillations, reference.distillations)
    in_part = spread.in_part + reference.in_part
    return Ratio(100 * spread.mean / reference.mean, n, min(n, distillations), partial, in_part)


def mean_ratio(ratios: Sequence[Ratio]) -> Ratio:
    """Their mean, with the least number of seeds that any has."""
    return Ratio(
        float(np.mean([ratio.percent for ratio in ratios])),
        min(ratio.n for ratio in ratios),
        min(ratio.distillations for ratio in ratios),
        any(ratio.partial for ratio in ratios),
        sum(ratio.in_part for ratio in ratios),
    )


def resampled_scores(
    systems: Sequence[ScoreSums], resamples: int = RESAMPLES, seed: int = BOOTSTRAP_SEED
) -> NDArray[np.float64]:
    """Scores of K systems over the same resampled examples, (resamples, K), in per cent.

    A resample is kept as how often it drew each example, so a system is scored by one matrix product.

    Args:
        systems: what the same N examples add to each system's score.
        resamples: how many times N examples are drawn from N with replacement.
        seed: of the drawing.
    """
    examples = len(systems[0].added)
    generator = np.random.default_rng(seed)
    chunk = max(1, _CHUNK_CELLS // examples)
    scores = np.empty((resamples, len(systems)))
    for start in range(0, resamples, chunk):
        stop = min(start + chunk, resamples)
        # Drawn row by row as one (resamples, examples) draw would be, whatever the size of the chunks.
        drawn = generator.integers(0, examples, (stop - start, examples), dtype=np.int64)
        drawn += np.arange(stop - start)[:, None] * examples
        times = np.bincount(drawn.ravel(), minlength=drawn.size).reshape(drawn.shape).astype(np.float64)
        for place, system in enumerate(systems):
            scores[start:stop, place] = system.score(times @ system.added)
    return scores


def paired_delta(
    observed: NDArray[np.float64],
    resampled: NDArray[np.float64],
    pairs: Sequence[tuple[int, int]],
    distillations: int | None = None,
) -> Delta:
    """Difference of two arms, paired seed by seed and example by example.

    In every resample the difference is taken within each seed and averaged over the seeds; the interval runs from the
    2.5th to the 97.5th percentile of these averages.

    Args:
        observed: scores of all systems over the true examples, (K,), in per cent.
        resampled: their scores from `resampled_scores`, (R, K).
        pairs: for each shared seed the places, in K, of the arm's system and of the base arm's.
        distillations: how many the seeds come from; by default each from its own.
    """
    arm, base = (list(places) for places in zip(*pairs, strict=True))
    differences = (resampled[:, arm] - resampled[:, base]).mean(axis=1)
    low, high = np.quantile(differences, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Delta(
        float((observed[arm] - observed[base]).mean()), float(low), float(high), len(pairs), distillations or len(pairs)
    )
