"""Matthews' correlation against scikit-learn, constant predictions and constant truth among them."""

import pytest
import torch
from sklearn import metrics

from distilkobert.metrics import MatthewsCorrelation


@pytest.mark.filterwarnings("ignore:A single label was found")
@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("constant", ["", "predicted", "true", "both", "both, all right"])
def test_it_is_that_of_scikit_learn(classes: int, constant: str) -> None:
    generator = torch.Generator().manual_seed(classes)
    predicted, true = torch.randint(0, classes, (2, 41), generator=generator)
    if constant != "true" and constant:
        predicted = torch.full_like(predicted, 1)
    if constant not in ("", "predicted"):
        true = torch.full_like(true, 1 if "right" in constant else 0)
    metric = MatthewsCorrelation(classes)
    for start in (0, 20):
        metric.update(predicted[start : start + 20], true[start : start + 20])
    metric.update(predicted[40:], true[40:])
    found = float(metric.compute())
    assert found == pytest.approx(metrics.matthews_corrcoef(true, predicted), abs=1e-6)
    assert (found == 0.0) == bool(constant), "exactly 0 where one side is constant"
