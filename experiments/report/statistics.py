"""Mean and spread over seeds, shares of the teacher's score, and the paired bootstrap: plain functions of numbers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distilkobert.tasks.score_sums import ScoreSums

RESAMPLES = 2_000
BOOTSTRAP_SEED = 0
LEVEL = 0.95
_CHUNK_CELLS = 4_000_000
"""Counts held at once (32 MB), so that 50,000 texts need no more memory than 500."""


@dataclass(frozen=True)
class Seeds:
    """What is behind a value.

    Args:
        n: number of seeds.
        starts: how many distillations or other models these seeds start from.
        planned: how many seeds were to be run.
        partial: planned seeds are missing, here or on the side that it is compared with.
        in_part: how many of the scores were measured on a part of the file.
    """

    n: int
    starts: int
    planned: int
    partial: bool = False
    in_part: int = 0


def fewest(parts: Iterable[Seeds]) -> Seeds:
    """What is behind a value computed from several: the fewest seeds and starting models of them."""
    found = list(parts)
    n = min(part.n for part in found)
    return Seeds(
        n,
        min(n, *(part.starts for part in found)),
        n,
        any(part.partial or part.n < part.planned for part in found),
        sum(part.in_part for part in found),
    )


@dataclass(frozen=True)
class Spread:
    """Values of one quantity, at least one, one per seed."""

    values: tuple[float, ...]
    seeds: Seeds

    @property
    def mean(self) -> float:
        """Their mean."""
        return float(np.mean(self.values))

    @property
    def sd(self) -> float | None:
        """Sample standard deviation (n - 1 in the denominator); None for a single value."""
        return float(np.std(self.values, ddof=1)) if len(self.values) > 1 else None


@dataclass(frozen=True)
class Ratio:
    """One arm's mean in per cent of another's, or the mean of such shares."""

    percent: float
    seeds: Seeds


@dataclass(frozen=True)
class Delta:
    """Mean difference of two arms over the seeds that both have, in percentage points, with its 95 % interval."""

    value: float
    low: float
    high: float
    seeds: Seeds


def ratio_of(spread: Spread, reference: Spread) -> Ratio:
    """The mean of `spread` in per cent of that of `reference`, the one teacher; its starting models do not count."""
    of_reference = replace(reference.seeds, starts=reference.seeds.n)
    return Ratio(100 * spread.mean / reference.mean, fewest([spread.seeds, of_reference]))


def mean_ratio(ratios: Sequence[Ratio]) -> Ratio:
    """Their mean."""
    return Ratio(float(np.mean([ratio.percent for ratio in ratios])), fewest(ratio.seeds for ratio in ratios))


def paired_deltas(
    systems: Sequence[ScoreSums],
    pairs: Mapping[str, Sequence[tuple[int, int]]],
    resamples: int = RESAMPLES,
    seed: int = BOOTSTRAP_SEED,
) -> dict[str, tuple[float, float, float]]:
    """Differences of arms to a base arm, paired seed by seed and example by example, with percentile intervals.

    In every resample the difference is taken within each seed and averaged over the seeds. A resample is kept as how
    often it drew each example, so a system is scored by one matrix product.

    Args:
        systems: what the same N examples, or groups of them, at least two, add to the score of each of K systems.
        pairs: for each arm and each shared seed the places, in K, of the arm's system and of the base arm's.
        resamples: how many times N examples are drawn from N with replacement.
        seed: of the drawing.

    Returns:
        For each arm the difference in percentage points, and the lower and upper end of its 95 % interval.
    """
    from scipy.stats import bootstrap

    examples = len(systems[0].added)
    if not pairs:
        return {}
    places = [tuple(map(list, zip(*own, strict=True))) for own in pairs.values()]

    def differences(drawn: NDArray[np.int64], axis: int = -1) -> NDArray[np.float64]:
        """Of the rows of examples in each resample (R, N), or (N,), those of all arms: (arms, R), or (arms,)."""
        rows = np.atleast_2d(drawn) + np.arange(drawn.size // examples)[:, None] * examples
        times = np.bincount(rows.ravel(), minlength=drawn.size).reshape(drawn.shape).astype(np.float64)
        scores = np.stack([system.score(times @ system.added) for system in systems])
        return np.stack([(scores[arm] - scores[base]).mean(axis=0) for arm, base in places])

    everything = np.arange(examples)
    found: Any = bootstrap(
        (everything,),
        differences,
        n_resamples=resamples,
        batch=max(1, _CHUNK_CELLS // examples),
        vectorized=True,
        confidence_level=LEVEL,
        method="percentile",
        rng=np.random.default_rng(seed),
    )
    interval = found.confidence_interval
    numbers = zip(differences(everything), interval.low, interval.high, strict=True)
    return {
        arm: (float(value), float(low), float(high)) for arm, (value, low, high) in zip(pairs, numbers, strict=True)
    }
