"""Squared distance of hidden states of several layers (TinyBERT, PKD)."""

from collections.abc import Sequence
from typing import Literal

import torch.nn.functional as F
from torch import Tensor, nn

from distilkobert.objectives.base import Objective, make_projection
from distilkobert.objectives.contract.layer_maps import LayerMap, Pairs
from distilkobert.objectives.contract.needs import Averaged, Needs, NetworkFacts, facts_of, resolve
from distilkobert.objectives.contract.outputs import Batch, Outputs, required
from distilkobert.objectives.contract.schedules import Scheduled


def hidden_mse_loss(student: Tensor, teacher: Tensor, *, normalize: bool = False) -> Tensor:
    """Squared distance of hidden states, mean over tokens.

    Args:
        student: (N, H).
        teacher: (N, H).
        normalize: compare directions: |s / |s| - t / |t||^2, summed over units (PKD, Sun et al. 2019, equation 7).
            Otherwise the mean of (s - t)^2 over units (TinyBERT, Jiao et al. 2020, equations 8 and 9).

    Returns:
        Scalar in float32; 0 with a gradient of 0 where there is no token.

    Raises:
        ValueError: the shapes differ.
    """
    if student.shape != teacher.shape:
        raise ValueError(f"hidden states of shape {tuple(student.shape)} and {tuple(teacher.shape)} cannot be compared")
    student, teacher = student.float(), teacher.float()
    if normalize:
        student, teacher = F.normalize(student, dim=-1), F.normalize(teacher, dim=-1)
    squares = (student - teacher).square()
    per_token = squares.sum(-1) if normalize else squares.mean(-1)
    return per_token.sum() / max(len(per_token), 1)


class HiddenMSE(Objective):
    """Squared distance of hidden states, mean over tokens, summed over the pairs of a layer map.

    If widths differ, a learned linear map per pair projects the student's states to the teacher's width.

    Sources: TinyBERT (Jiao et al. 2020, arXiv:1909.10351), equations 8 and 9; with `normalize` and `on: cls_token` PKD
    (Sun et al. 2019, arXiv:1908.09355), equation 7.

    Args:
        weight: factor in the sum: a number or a schedule.
        layers: `uniform`, `last`, or a list of [student layer, teacher layer], both from 0; see `LayerMap`.
        embeddings: also compare the embedding outputs.
        normalize: compare directions, as PKD does.
        on: every real token, or the first token of each sequence.

    Raises:
        ValueError: a weight out of range, or a malformed layer map.
    """

    def __init__(
        self,
        weight: Scheduled = 1.0,
        layers: Literal["uniform", "last"] | Sequence[Sequence[int]] = "uniform",
        embeddings: bool = False,
        normalize: bool = False,
        on: Literal["real_tokens", "cls_token"] = "real_tokens",
    ) -> None:
        super().__init__(weight)
        self.layers = LayerMap(layers, embeddings)
        self.normalize = normalize
        self.on = on
        self.pairs: Pairs = ()
        self.projections = nn.ModuleList()

    @property
    def averages_over(self) -> Averaged:
        """Real tokens, or sequences."""
        return "sequences" if self.on == "cls_token" else "real_tokens"

    @property
    def needs(self) -> Needs:
        """The hidden states of the layer map."""
        return Needs(teacher=True, hidden=self.layers)

    def build(self, student: NetworkFacts, teacher: NetworkFacts | None) -> None:
        """Make the projections where widths differ."""
        self.pairs = resolve(self.layers, student, teacher)
        width = facts_of(teacher).hidden_size
        self.projections = nn.ModuleList(make_projection(student.hidden_size, width) for _ in self.pairs)

    def forward(self, student: Outputs, teacher: Outputs | None, batch: Batch) -> Tensor:
        """See the class."""
        its = required(teacher)
        losses = [
            hidden_mse_loss(
                projection(self._chosen(student.hidden[s], batch)),
                self._chosen(its.hidden[t], batch),
                normalize=self.normalize,
            )
            for (s, t), projection in zip(self.pairs, self.projections, strict=True)
        ]
        return sum(losses[1:], start=losses[0])

    def _chosen(self, hidden: Tensor, batch: Batch) -> Tensor:
        return hidden[:, 0] if self.on == "cls_token" else batch.select(hidden, "real_tokens")
