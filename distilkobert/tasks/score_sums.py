"""Scores as functions of sums over examples, so that a bootstrap rescores a resample by one matrix product.

All but Spearman's are exact on a resample as well. His takes the ranks of the whole set and does not rank resamples
anew, which is an approximation: on 200 examples with a correlation of 70 it was off by 0.8 points.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class ScoreSums:
    """A score of N examples.

    Args:
        added: what each example adds to K sums, (N, K).
        score: the score in per cent, (...), of sums (..., K).
    """

    added: Floats
    score: Callable[[Floats], Floats]

    @property
    def percent(self) -> float:
        """The score over all examples."""
        return float(self.score(self.added.sum(axis=0)))

    def of_groups(self, groups: NDArray[np.int64]) -> "ScoreSums":
        """The same score with what each group adds, (G, K), so that a bootstrap draws whole groups.

        Args:
            groups: number of each example's group, (N,).
        """
        places = np.unique(groups, return_inverse=True)[1]
        added = np.zeros((places.max() + 1, self.added.shape[1]))
        np.add.at(added, places, self.added)
        return ScoreSums(added, self.score)


def ratio_sums(numerator: Floats, denominator: Floats) -> ScoreSums:
    """100 * sum / sum; 0 where the denominator is 0."""
    return ScoreSums(np.stack([numerator, denominator], axis=1), _ratio)


def share_sums(right: Sequence[bool]) -> ScoreSums:
    """Share of right examples."""
    values = np.array(right, dtype=np.float64)
    return ratio_sums(values, np.ones_like(values))


def class_sums(golds: Sequence[str], guesses: Sequence[str], score: Callable[[Floats], Floats]) -> ScoreSums:
    """Sums of `macro_f1` and `matthews`: for each class the right, the predicted and the true examples, (N, 3 C)."""
    names = sorted({*golds, *guesses})
    gold, given = (np.array(labels)[:, None] == np.array(names) for labels in (golds, guesses))
    return ScoreSums(np.concatenate([gold & given, given, gold], axis=1).astype(np.float64), score)


def label_sums(golds: Sequence[Sequence[str]], guesses: Sequence[Sequence[str]], names: Sequence[str]) -> ScoreSums:
    """Sums of `label_f1` over the labels of examples that have any number of them, (N, 3 L); `names` are all L."""
    gold, given = (
        np.array([[name in held for name in names] for held in rows], dtype=bool) for rows in (golds, guesses)
    )
    return ScoreSums(np.concatenate([gold & given, given, gold], axis=1).astype(np.float64), label_f1)


def correlation_sums(golds: Sequence[float], guesses: Sequence[float], *, ranked: bool) -> ScoreSums:
    """Pearson's correlation, or of ranks, which is Spearman's."""
    x, y = np.array(golds, dtype=np.float64), np.array(guesses, dtype=np.float64)
    if ranked:
        import pandas as pd

        x, y = (pd.Series(values).rank().to_numpy() for values in (x, y))
    # Around the means of all examples, for precision: correlation does not change.
    x, y = x - x.mean(), y - y.mean()
    return ScoreSums(np.stack([np.ones_like(x), x, y, x * x, y * y, x * y], axis=1), correlation)


def macro_f1(sums: Floats) -> Floats:
    """Mean F1 of the classes that occur, true or predicted, in per cent."""
    scores, there = _f1_of_each(sums)
    return np.asarray(100.0 * scores.sum(axis=-1) / np.maximum(there.sum(axis=-1), 1))


def label_f1(sums: Floats) -> Floats:
    """Mean F1 of all labels in per cent; one that never occurs, true or predicted, has 0, as in torchmetrics."""
    return np.asarray(100.0 * _f1_of_each(sums)[0].mean(axis=-1))


def matthews(sums: Floats) -> Floats:
    """Matthews' correlation (Gorodkin 2004 for several classes) in per cent; 0 where all of one side is one class."""
    right, given, gold = np.split(sums, 3, axis=-1)
    examples, found = gold.sum(axis=-1), right.sum(axis=-1)
    above = found * examples - (given * gold).sum(axis=-1)
    below = (examples**2 - (given**2).sum(axis=-1)) * (examples**2 - (gold**2).sum(axis=-1))
    return np.asarray(100.0 * np.divide(above, np.sqrt(below), out=np.zeros_like(above), where=below > 0))


def correlation(sums: Floats) -> Floats:
    """Pearson's correlation in per cent; 0 where one side is constant."""
    n, x, y, xx, yy, xy = np.moveaxis(sums, -1, 0)
    below = np.maximum(n * xx - x * x, 0.0) * np.maximum(n * yy - y * y, 0.0)
    above = n * xy - x * y
    return np.asarray(100.0 * np.divide(above, np.sqrt(below), out=np.zeros_like(above), where=below > 1e-12))


def _f1_of_each(sums: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """F1 of each class (..., C), 0 to 1, and which occur."""
    right, given, gold = np.split(sums, 3, axis=-1)
    there = given + gold > 0
    return np.divide(2 * right, given + gold, out=np.zeros_like(right), where=there), there


def _ratio(sums: Floats) -> Floats:
    above, below = sums[..., 0], sums[..., 1]
    return np.asarray(100.0 * np.divide(above, below, out=np.zeros_like(above), where=below > 0))
