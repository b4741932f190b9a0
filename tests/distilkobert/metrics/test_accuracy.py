"""Accuracy against a naive count over thousands of random cases."""

import random
from fractions import Fraction

import pytest

from distilkobert.metrics import Accuracy


def test_random_batches_of_any_size_give_the_share_of_right_labels() -> None:
    rng = random.Random(0)
    metric = Accuracy()
    for _ in range(3000):
        labels = [f"L{number}" for number in range(rng.randint(1, 4))]
        pairs = [(rng.choice(labels), rng.choice(labels)) for _ in range(rng.randint(1, 40))]
        left = pairs
        while left:
            size = rng.randint(0, len(left))
            metric.update([guess for guess, _ in left[:size]], [answer for _, answer in left[:size]])
            left = left[size:]
        right = sum(1 for guess, answer in pairs if guess == answer)
        assert metric.compute().item() == float(Fraction(right, len(pairs)))
        metric.reset()


def test_counts_beyond_single_precision_are_exact() -> None:
    metric = Accuracy()
    metric.right += 2**24 + 1
    metric.examples += 2**24 + 2
    metric.update(["a"], ["a"])
    assert metric.compute().item() == (2**24 + 2) / (2**24 + 3)


@pytest.mark.filterwarnings("ignore:The ``compute`` method of metric:UserWarning")
def test_nothing_counts_as_nothing_and_uneven_labels_are_refused() -> None:
    metric = Accuracy()
    assert metric.compute().item() == 0.0
    with pytest.raises(ValueError, match="1 predicted labels for 2 true ones"):
        metric.update(["a"], ["a", "b"])
