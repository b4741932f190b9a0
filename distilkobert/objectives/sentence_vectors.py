"""Sentence vectors: one vector for each text, for teachers that are used for it, such as E5 and BGE."""

from typing import Literal

import torch.nn.functional as F
from torch import Tensor, nn

from distilkobert.objectives.base import Objective
from distilkobert.objectives.contract.layer_maps import LayerMap
from distilkobert.objectives.contract.needs import Averaged, Needs, NetworkFacts, facts_of
from distilkobert.objectives.contract.outputs import Batch, Outputs, required
from distilkobert.objectives.contract.schedules import Scheduled

Pooling = Literal["mean", "cls"]


def sentence_vectors(hidden: Tensor, mask: Tensor, pooling: Pooling) -> Tensor:
    """One vector for each sequence, (B, H) float32.

    Args:
        hidden: last hidden states (B, T, H).
        mask: (B, T) boolean, true at real tokens.
        pooling: the mean over real tokens, or the first token's state.
    """
    if pooling == "cls":
        return hidden[:, 0].float()
    weights = mask[:, :, None].float()
    return (hidden.float() * weights).sum(1) / weights.sum(1)


def sentence_vector_loss(student: Tensor, teacher: Tensor, compare: Literal["l2", "cosine"]) -> Tensor:
    """Squared Euclidean distance, or one minus the cosine, of sentence vectors (B, H) float32; mean over sequences."""
    if compare == "cosine":
        return (1.0 - F.cosine_similarity(student, teacher, dim=-1)).mean()
    return (student - teacher).square().sum(-1).mean()


class SentenceVectors(Objective):
    """Match the student's sentence vectors to the teacher's; vocabularies and widths may differ.

    If the widths differ, a learned linear map with bias projects the student's vector to the teacher's width.

    Source: LEAF (Vujanic and Rueckstiess 2025, arXiv:2509.12539): squared distance of mean-pooled vectors.

    Args:
        weight: factor in the sum: a number or a schedule.
        pooling: mean over real tokens (E5), or the first token (BGE).
        compare: squared Euclidean distance, or one minus the cosine.
        normalize: scale both vectors to length 1 before comparison, as these teachers are used.

    Raises:
        ValueError: the weight is out of range.
    """

    def __init__(
        self,
        weight: Scheduled = 1.0,
        pooling: Pooling = "mean",
        compare: Literal["l2", "cosine"] = "l2",
        normalize: bool = True,
    ) -> None:
        super().__init__(weight)
        self.pooling: Pooling = pooling
        self.compare: Literal["l2", "cosine"] = compare
        self.normalize = normalize
        self.projection: nn.Module = nn.Identity()

    @property
    def averages_over(self) -> Averaged:
        """Sequences."""
        return "sequences"

    @property
    def needs(self) -> Needs:
        """The last hidden states."""
        return Needs(teacher=True, hidden=LayerMap("last"))

    def build(self, student: NetworkFacts, teacher: NetworkFacts | None) -> None:
        """Make the projection where the widths differ."""
        width = facts_of(teacher).hidden_size
        self.projection = nn.Identity() if student.hidden_size == width else nn.Linear(student.hidden_size, width)

    def forward(self, student: Outputs, teacher: Outputs | None, batch: Batch) -> Tensor:
        """See the class."""
        its = required(teacher)
        mine, target = (
            sentence_vectors(output.hidden[output.last], batch.real, self.pooling) for output in (student, its)
        )
        mine = self.projection(mine).float()  # autocast gives bfloat16
        if self.normalize:
            mine, target = F.normalize(mine, dim=-1), F.normalize(target, dim=-1)
        return sentence_vector_loss(mine, target, self.compare)
