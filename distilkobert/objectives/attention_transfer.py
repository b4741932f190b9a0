"""Attention between tokens: scores before the softmax (TinyBERT), or distributions (Wang et al. 2023)."""

import math
from collections.abc import Sequence
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from distilkobert.objectives.base import Objective
from distilkobert.objectives.contract.layer_maps import LayerMap, Pairs
from distilkobert.objectives.contract.needs import Needs, NetworkFacts, resolve
from distilkobert.objectives.contract.outputs import Attention, Batch, Outputs, mean_over, required
from distilkobert.objectives.contract.schedules import Scheduled

Compare = Literal["scores_mse", "distributions_kl"]


def attention_scores(query: Tensor, key: Tensor) -> Tensor:
    """Scaled dot products before the softmax, (B, A, T, T) float32, of queries and keys (B, A, T, D).

    Autocast is off here: it would round the products to 8 bits, and a softmax, its logarithm and differences of two of
    them would be computed from what is left.
    """
    with torch.autocast(query.device.type, enabled=False):
        return torch.matmul(query.float(), key.float().mT) / math.sqrt(query.shape[-1])


def attention_scores_loss(student: Attention, teacher: Attention, mask: Tensor) -> Tensor:
    """Mean of the squared differences of attention scores over heads and pairs of real tokens.

    Pairs outside a layer's window are left out. Where the numbers of heads differ, the means over heads are compared.

    Args:
        student: query and key (B, A, T, D).
        teacher: the same, heads and widths of its own.
        mask: (B, T) boolean, true at real tokens.

    Returns:
        Scalar in float32.
    """
    mine, its = (attention_scores(layer.query, layer.key) for layer in (student, teacher))
    if mine.shape[1] != its.shape[1]:
        mine, its = mine.mean(1, keepdim=True), its.mean(1, keepdim=True)
    pairs = mask[:, None, :, None] & mask[:, None, None, :]
    if (far := _far(mine.shape[-1], _narrower(student, teacher), mine.device)) is not None:
        pairs = pairs & ~far
    return mean_over((mine - its).square(), pairs)


def attention_distributions_loss(student: Attention, teacher: Attention, mask: Tensor) -> Tensor:
    """KL(teacher || student) of the attention of real tokens to real tokens, mean over heads and tokens, in nats.

    Where the numbers of heads differ, the means of the distributions over heads are compared. Of a student with a
    window the teacher's distribution is that over the tokens in it: no student of this kind attends to others.

    Args:
        student: query and key (B, A, T, D).
        teacher: the same, heads and widths of its own.
        mask: (B, T) boolean, true at real tokens.

    Returns:
        Scalar in float32.
    """
    windows = ((student, student.window), (teacher, _narrower(student, teacher)))
    mine, its = (log_attention(attention_scores(one.query, one.key), mask, window) for one, window in windows)
    if mine.shape[1] != its.shape[1]:
        mine, its = (logs.logsumexp(1, keepdim=True) - math.log(logs.shape[1]) for logs in (mine, its))
    return kl_of_rows(mine, its, mask)


def log_attention(scores: Tensor, mask: Tensor, window: int | None = None) -> Tensor:
    """Log of the softmax over real tokens, (B, A, T, T); other keys have the lowest finite number of float32.

    Args:
        scores: (B, A, T, T).
        mask: (B, T) boolean, true at real tokens.
        window: keys this many positions away or more are left out too; None for no window.
    """
    hidden = ~mask[:, None, None, :]
    if (far := _far(scores.shape[-1], window, scores.device)) is not None:
        hidden = hidden | far
    return F.log_softmax(scores.masked_fill(hidden, torch.finfo(scores.dtype).min), dim=-1)


def kl_of_rows(student: Tensor, teacher: Tensor, mask: Tensor) -> Tensor:
    """KL(teacher || student) of rows of log-probabilities (B, A, T, T), mean over heads and real rows."""
    real = mask[:, None, None, :]
    terms = torch.where(real, teacher.exp() * (teacher - student), torch.zeros((), device=student.device))
    return mean_over(terms.sum(-1), mask[:, None, :])


def _narrower(student: Attention, teacher: Attention) -> int | None:
    """The smaller window of two layers."""
    return min((one.window for one in (student, teacher) if one.window is not None), default=None)


def _far(length: int, window: int | None, device: torch.device) -> Tensor | None:
    """(T, T) boolean, true at pairs outside the window; None where there are none."""
    if window is None or length <= window:
        return None
    places = torch.arange(length, device=device)
    return (places[:, None] - places).abs() >= window


class AttentionTransfer(Objective):
    """Match the student's attention to the teacher's, summed over the pairs of a layer map.

    `scores_mse`: squared differences of the scores before the softmax, mean over heads and pairs of real tokens
    (TinyBERT, Jiao et al. 2020, arXiv:1909.10351, equation 7). `distributions_kl`: KL(teacher || student) of the
    attention distributions, mean over heads and real tokens (the attention objective in the comparison of Wang et al.
    2023, arXiv:2305.15032). Padding is excluded, and so is what is outside the window of a layer (ModernBERT). If the
    numbers of heads differ, means over heads are compared.

    Args:
        weight: factor in the sum: a number or a schedule.
        layers: `uniform`, `last`, or a list of [student layer, teacher layer], both from 0; see `LayerMap`.
        compare: scores or distributions.

    Raises:
        ValueError: a weight out of range, or a malformed layer map.
    """

    def __init__(
        self,
        weight: Scheduled = 1.0,
        layers: Literal["uniform", "last"] | Sequence[Sequence[int]] = "uniform",
        compare: Compare = "distributions_kl",
    ) -> None:
        super().__init__(weight)
        self.layers = LayerMap(layers)
        self.compare: Compare = compare
        self.pairs: Pairs = ()

    @property
    def needs(self) -> Needs:
        """Query and key of the layer map."""
        return Needs(teacher=True, attention=self.layers)

    def build(self, student: NetworkFacts, teacher: NetworkFacts | None) -> None:
        """Resolve the layer map."""
        self.pairs = resolve(self.layers, student, teacher)

    def forward(self, student: Outputs, teacher: Outputs | None, batch: Batch) -> Tensor:
        """See the class."""
        its = required(teacher)
        loss = attention_scores_loss if self.compare == "scores_mse" else attention_distributions_loss
        losses = [loss(student.attention[s], its.attention[t], batch.real) for s, t in self.pairs]
        return sum(losses[1:], start=losses[0])
