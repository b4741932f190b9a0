"""What an objective needs from student and teacher, and whether two networks provide it, from their configurations."""

from dataclasses import dataclass
from typing import Literal

from distilkobert.objectives.contract.layer_maps import LayerMap, Pairs

Tokens = Literal["real_tokens", "masked_tokens"]
"""Which tokens a term looks at: all but padding, or those that were masked."""

Averaged = Literal["real_tokens", "masked_tokens", "sequences"]
"""What a term is a mean over."""


@dataclass(frozen=True)
class NetworkFacts:
    """What a network's configuration says of it.

    Args:
        name: folder or hub id, for messages.
        family: model type of transformers.
        layers: depth.
        hidden_size: width of the hidden states and of the embedding output.
        has_head: whether there is a trained masked-LM head, so that there are logits.
        gives_attention: whether query, key and value can be captured.
    """

    name: str
    family: str
    layers: int
    hidden_size: int
    has_head: bool = True
    gives_attention: bool = True


@dataclass(frozen=True)
class Needs:
    """What one objective needs from student and teacher.

    Args:
        teacher: whether the teacher runs.
        hidden: layers whose hidden states are captured.
        attention: layers whose query, key and value are captured.
        logits: tokens whose vocabulary logits are computed; None for no logits.
        kept: compute the logits once for all objectives; otherwise the objective computes them itself.
    """

    teacher: bool
    hidden: LayerMap | None = None
    attention: LayerMap | None = None
    logits: Tokens | None = None
    kept: bool = True


def facts_of(teacher: NetworkFacts | None) -> NetworkFacts:
    """The teacher's facts of an objective whose `needs` names the teacher."""
    if teacher is None:
        raise RuntimeError("there is no teacher; set Needs(teacher=True)")
    return teacher


def check_needs(name: str, needs: Needs, student: NetworkFacts, teacher: NetworkFacts | None) -> None:
    """Refuse networks that cannot give what an objective needs.

    Args:
        name: of the objective, for the message.
        needs: what it needs.
        student: what the student's configuration says.
        teacher: the teacher's; None where there is none.

    Raises:
        ValueError: names the objective, the network, and the remedy.
    """
    if needs.teacher and teacher is None:
        raise ValueError(f"objective {name} needs a teacher, but this run has none")
    networks = [student, *([teacher] if needs.teacher and teacher is not None else [])]
    for network in networks:
        if needs.logits and not network.has_head:
            raise ValueError(
                f"objective {name} needs vocabulary logits, but {network.name} ({network.family}) has no masked-LM "
                "head; use an objective on hidden states or attention, or a model with its head"
            )
        if needs.attention and not network.gives_attention:
            raise ValueError(
                f"objective {name} needs query, key and value, which {network.name} ({network.family}) does not "
                "provide; use an objective on hidden states or logits"
            )
    for layer_map in (needs.hidden, needs.attention):
        if layer_map is not None:
            try:
                resolve(layer_map, student, teacher)
            except ValueError as error:
                raise ValueError(f"objective {name}: {error}") from None


def resolve(layer_map: LayerMap, student: NetworkFacts, teacher: NetworkFacts | None) -> Pairs:
    """The pairs of a layer map for these networks; without a teacher the student is paired with itself."""
    return layer_map.resolve(student.layers, (teacher or student).layers)
