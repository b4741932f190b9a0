"""Losses against the true labels of texts: means over the examples that have one.

Shapes: B examples, C classes, L labels. Each function gives the mean and what it is a mean over: the number of labelled
examples, or the sum of their weights. Without a labelled example both are 0, with a gradient of 0. Nothing waits for
the device.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from distilkobert.batching import IGNORE_INDEX


def has_label(labels: Tensor) -> Tensor:
    """Which examples have a label, (B,) boolean.

    Args:
        labels: numbers of classes (B,) or 0 and 1 for each label (B, L), `IGNORE_INDEX` where they are not known; or
            scores (B,), NaN where they are not.
    """
    if labels.is_floating_point():
        return ~labels.isnan()
    known = labels != IGNORE_INDEX
    return known.all(-1) if known.ndim > 1 else known


def class_loss(logits: Tensor, labels: Tensor, weights: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Cross-entropy of the true classes, weighted where there are weights.

    Args:
        logits: (B, C).
        labels: (B,).
        weights: of the classes, (C,).
    """
    known = has_label(labels)
    total = F.cross_entropy(logits.float(), labels, weight=weights, reduction="sum", ignore_index=IGNORE_INDEX)
    each = known.float() if weights is None else weights[labels.clamp(min=0)] * known
    return _mean(total, each.sum())


def labels_loss(logits: Tensor, labels: Tensor, weights: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Binary cross-entropy of each label, mean over examples and labels; counted are examples.

    Args:
        logits: (B, L).
        labels: (B, L).
        weights: of examples that have the label, (L,).
    """
    known = has_label(labels)
    targets = labels.clamp(min=0).float()
    each = F.binary_cross_entropy_with_logits(logits.float(), targets, pos_weight=weights, reduction="none").mean(-1)
    return _mean((each * known).sum(), known.float().sum())


def score_loss(scores: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Squared error of scores (B,)."""
    known = has_label(labels)
    targets = labels.float().nan_to_num()  # NaN times 0 is NaN, in the gradient too
    return _mean(((scores.float() - targets).square() * known).sum(), known.float().sum())


def _mean(total: Tensor, count: Tensor) -> tuple[Tensor, Tensor]:
    return total / torch.where(count > 0, count, torch.ones_like(count)), count
