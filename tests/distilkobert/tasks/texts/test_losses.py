"""Losses of true labels where some examples have none: against plain loops, with gradients."""

import math

import pytest
import torch
from torch import Tensor

from distilkobert.tasks.texts.losses import class_loss, has_label, labels_loss, score_loss

NAN = math.nan


def softplus(value: float) -> float:
    return math.log1p(math.exp(-abs(value))) + max(value, 0.0)


@pytest.mark.parametrize("weights", [None, [0.5, 2.0, 3.0]])
@pytest.mark.parametrize("labels", [[2, -100, 0, -100, 1], [0, 1, 2, 2, 1], [-100, -100, -100, -100, 2]])
def test_classes(labels: list[int], weights: list[float] | None) -> None:
    logits = torch.randn(5, 3, generator=torch.Generator().manual_seed(1), requires_grad=True)
    above, below = 0.0, 0.0
    for row, label in zip(logits.tolist(), labels, strict=True):
        if label >= 0:
            weight = 1.0 if weights is None else weights[label]
            above -= weight * math.log(math.exp(row[label]) / sum(map(math.exp, row)))
            below += weight
    loss, count = class_loss(logits, torch.tensor(labels), None if weights is None else torch.tensor(weights))
    assert float(loss.detach()) == pytest.approx(above / below, rel=1e-5)
    assert float(count) == pytest.approx(below)
    loss.backward()
    assert logits.grad is not None
    assert [bool(row.any()) for row in logits.grad] == [label >= 0 for label in labels]


@pytest.mark.parametrize("weights", [None, [0.5, 4.0]])
def test_any_number_of_labels(weights: list[float] | None) -> None:
    logits = torch.randn(4, 2, generator=torch.Generator().manual_seed(2), requires_grad=True)
    labels = [[1, 0], [-100, -100], [1, 1], [0, 0]]
    terms = [
        (weights[place] if weights else 1.0) * softplus(-value) if held else softplus(value)
        for row, truth in zip(logits.tolist(), labels, strict=True)
        for place, (value, held) in enumerate(zip(row, truth, strict=True))
        if held >= 0
    ]
    loss, count = labels_loss(logits, torch.tensor(labels), None if weights is None else torch.tensor(weights))
    assert float(loss.detach()) == pytest.approx(sum(terms) / len(terms), rel=1e-5)
    assert float(count) == 3
    loss.backward()
    assert logits.grad is not None
    assert [bool(row.any()) for row in logits.grad] == [True, False, True, True]


def test_scores() -> None:
    scores = torch.tensor([1.0, 2.0, 5.0], requires_grad=True)
    loss, count = score_loss(scores, torch.tensor([0.0, NAN, 2.0]))
    assert (float(loss.detach()), float(count)) == (pytest.approx((1 + 9) / 2), 2)
    loss.backward()
    assert scores.grad is not None
    assert scores.grad.tolist() == [1.0, 0.0, 3.0]


@pytest.mark.parametrize(
    ("labels", "known"),
    [([3, -100, 0], [True, False, True]), ([[0, 1], [-100, -100]], [True, False]), ([0.0, NAN], [True, False])],
)
def test_what_has_a_label(labels: list[object], known: list[bool]) -> None:
    assert has_label(torch.tensor(labels)).tolist() == known


def test_a_batch_without_labels_gives_nothing_and_no_nan() -> None:
    cases: list[tuple[Tensor, Tensor]] = [
        (torch.randn(3, 2), torch.full((3,), -100)),
        (torch.randn(3, 2), torch.full((3, 2), -100)),
        (torch.randn(3), torch.full((3,), NAN)),
    ]
    for function, (logits, labels) in zip((class_loss, labels_loss, score_loss), cases, strict=True):
        logits.requires_grad_()
        loss, count = function(logits, labels)  # type: ignore[operator]
        assert (float(loss.detach()), float(count)) == (0.0, 0.0)
        loss.backward()
        assert logits.grad is not None
        assert not logits.grad.any()
    loss, _ = class_loss(cases[0][0], cases[0][1], torch.tensor([0.0, 1.0]))
    assert float(loss.detach()) == 0.0
