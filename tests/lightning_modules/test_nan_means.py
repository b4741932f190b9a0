"""NaN in an evaluation stays NaN: in means by weight, on any rank, and in correlations."""

import math
import warnings
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from lightning_modules import SequenceRegression
from lightning_modules.base import TokenMeans, WeightedMean
from tests.support.tasks.batches import GivenNetwork, make_batch

NAN = math.nan
MODULE: Any = SimpleNamespace(log=lambda *args, **settings: None)


def mean_of(*pairs: tuple[float, float]) -> WeightedMean:
    """The metric after these values and weights."""
    metric = WeightedMean()
    for value, weight in pairs:
        metric.update(torch.tensor(value), weight)
    return metric


def test_means_are_those_of_numpy() -> None:
    values, weights = [2.0, 0.5, 7.0, 1.0], [100.0, 900.0, 0.0, 3.5]
    metric = mean_of(*zip(values, weights, strict=True))
    assert float(metric.compute()) == pytest.approx(np.average(values, weights=weights))
    assert float(mean_of((3.0, 2.0), (NAN, 0.0), (math.inf, 0.0)).compute()) == 3.0, "of weight 0"
    assert float(mean_of((3.0, 2.0), (math.inf, 1.0)).compute()) == math.inf
    metric.reset()
    metric.update(4.0)
    assert float(metric.compute()) == 4.0


def test_nan_with_a_weight_is_not_dropped() -> None:
    means = TokenMeans("loss")
    for value, count in ((2.0, 100), (NAN, 900), (2.0, 100)):
        means.add(MODULE, "val", "loss", torch.tensor(value), count)
    assert math.isnan(means.compute("loss"))


@pytest.mark.parametrize(("others", "expected"), [((NAN, 900.0), NAN), ((NAN, 0.0), 2.0), ((4.0, 300.0), 3.5)])
def test_nan_of_one_rank_is_nan_on_all(others: tuple[float, float], expected: float) -> None:
    """torchmetrics adds up the states of the ranks as in a run of two."""
    other = mean_of(others)
    states = {"mean_value": other.mean_value, "weight": other.weight}
    metric = mean_of((2.0, 100.0))
    mine = {id(getattr(metric, name)): state for name, state in states.items()}
    metric.distributed_available_fn = lambda: True
    metric.dist_sync_fn = lambda state, group: [state, mine[id(state)]]
    assert float(metric.compute()) == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize("broken", [[NAN], [math.inf], [-math.inf, math.inf], [NAN] * 5])
def test_a_prediction_that_is_no_number_has_no_correlation(broken: list[float]) -> None:
    module: Any = SequenceRegression("unused")
    guess = torch.tensor([*broken, *([1.0, 2.0, 4.0, 0.5, 3.0][len(broken) :])])
    gold = torch.tensor([0.0, 1.0, 2.0, 3.0, 4.0])

    def scores(predicted: torch.Tensor) -> dict[str, float]:
        module.network = GivenNetwork(logits=predicted[:, None].tolist())
        module.validation_step(make_batch([2] * 5, labels=gold, rows=list(range(5))), 0)
        return {name: float(value) for name, value in module.scores("val").items()}

    assert scores(guess) == pytest.approx({"pearson": NAN, "spearman": NAN}, nan_ok=True)
    assert scores(gold) == pytest.approx({"pearson": 1.0, "spearman": 1.0}), "the next validation starts again"
    with pytest.warns(UserWarning, match="val/pearson and val/spearman are 0: all predicted scores, .* are the same"):
        assert scores(torch.full((5,), 2.5)) == {"pearson": 0.0, "spearman": 0.0}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scores(gold)
