"""Relations among queries, among keys and among values of one layer (MiniLMv2)."""

from collections.abc import Sequence
from typing import Literal

from torch import Tensor

from distilkobert.objectives.attention_transfer import attention_scores, kl_of_rows, log_attention
from distilkobert.objectives.base import Objective
from distilkobert.objectives.contract.layer_maps import LayerMap
from distilkobert.objectives.contract.needs import Needs, NetworkFacts, facts_of, resolve
from distilkobert.objectives.contract.outputs import Batch, Outputs, required
from distilkobert.objectives.contract.schedules import Scheduled

Relation = Literal["query", "key", "value"]


def relation_heads(states: Tensor, heads: int) -> Tensor:
    """Heads joined and divided again, (B, R, T, A * D / R), of queries, keys or values (B, A, T, D).

    Args:
        states: queries, keys or values of all attention heads.
        heads: R, the number of relation heads; it divides A * D.
    """
    batch, _, length, _ = states.shape
    joined = states.transpose(1, 2).reshape(batch, length, heads, -1)
    return joined.transpose(1, 2)


def relation_loss(student: Tensor, teacher: Tensor, mask: Tensor, heads: int) -> Tensor:
    """KL(teacher || student) of the relations of one kind, mean over relation heads and real tokens, in nats.

    The relation of token i is the softmax over real tokens j of x_i x_j / sqrt(width of a relation head).

    Args:
        student: queries, keys or values (B, A, T, D).
        teacher: the same, heads and widths of its own.
        mask: (B, T) boolean, true at real tokens.
        heads: number of relation heads.

    Returns:
        Scalar in float32.
    """
    mine, its = (
        log_attention(attention_scores(divided, divided), mask)
        for divided in (relation_heads(states, heads) for states in (student, teacher))
    )
    return kl_of_rows(mine, its, mask)


class RelationTransfer(Objective):
    """Query-query, key-key and value-value relations of one layer pair, summed over the three kinds.

    Widths can differ without a projection, because relations are between tokens.

    Source: MiniLMv2 (Wang et al. 2021, arXiv:2012.15828), section 3: the last layer of teachers of 12 layers, an upper
    middle one (21 of 24) of large teachers.

    Args:
        weight: factor in the sum: a number or a schedule.
        student_layer: layer of the student, from 0; None for the last.
        teacher_layer: layer of the teacher, from 0; None for the last.
        heads: relation heads; they must divide both widths. More heads give finer relations.
        relations: the kinds to compare.

    Raises:
        ValueError: a value out of range, or a kind named twice or none.
    """

    def __init__(
        self,
        weight: Scheduled = 1.0,
        student_layer: int | None = None,
        teacher_layer: int | None = None,
        heads: int = 12,
        relations: Sequence[Relation] = ("query", "key", "value"),
    ) -> None:
        super().__init__(weight)
        if heads < 1:
            raise ValueError(f"heads={heads}: expected 1 or more relation heads")
        for name, layer in (("student_layer", student_layer), ("teacher_layer", teacher_layer)):
            if layer is not None and layer < 0:
                raise ValueError(f"{name}={layer}: layers are counted from 0")
        if not relations or len(set(relations)) != len(relations):
            raise ValueError(f"relations={list(relations)}: expected one to three of query, key, value, each once")
        self.student_layer, self.teacher_layer = student_layer, teacher_layer
        self.heads = heads
        self.relations = tuple(relations)
        self.pair = (0, 0)

    @property
    def needs(self) -> Needs:
        """Query, key and value of one layer of each network."""
        return Needs(teacher=True, attention=LayerMap("last", ends=(self.student_layer, self.teacher_layer)))

    def check(self, student: NetworkFacts, teacher: NetworkFacts | None) -> None:
        """Refuse relation heads that do not divide a width.

        Raises:
            ValueError: names the network and its width.
        """
        for network in (student, facts_of(teacher)):
            if network.hidden_size % self.heads:
                raise ValueError(
                    f"heads={self.heads} relation heads do not divide the width {network.hidden_size} of {network.name}"
                )

    def build(self, student: NetworkFacts, teacher: NetworkFacts | None) -> None:
        """Resolve the two layers."""
        assert self.needs.attention is not None
        (self.pair,) = resolve(self.needs.attention, student, teacher)

    def forward(self, student: Outputs, teacher: Outputs | None, batch: Batch) -> Tensor:
        """See the class."""
        mine, its = student.attention[self.pair[0]], required(teacher).attention[self.pair[1]]
        losses = [
            relation_loss(getattr(mine, kind), getattr(its, kind), batch.real, self.heads) for kind in self.relations
        ]
        return sum(losses[1:], start=losses[0])
