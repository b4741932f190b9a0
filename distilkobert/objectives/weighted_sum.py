"""The weighted sum of named objectives: what it needs from both networks, and its value for a batch."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

from distilkobert.objectives.base import Objective
from distilkobert.objectives.contract.layer_maps import LayerMap
from distilkobert.objectives.contract.needs import NetworkFacts, Tokens, check_needs, resolve
from distilkobert.objectives.contract.outputs import Batch, Outputs
from distilkobert.objectives.contract.schedules import is_off, value_at
from distilkobert.seeds import derived_seed


@dataclass(frozen=True)
class Captured:
    """What one network computes and keeps for all objectives.

    Args:
        hidden: layers whose hidden states are kept; -1 is the embedding output.
        attention: layers whose query, key and value are kept.
        logits: tokens that go through the vocabulary projection; None for none.
    """

    hidden: frozenset[int]
    attention: frozenset[int]
    logits: Tokens | None


class Loss(NamedTuple):
    """The loss of one batch and its parts; all are scalars.

    Args:
        total: the weighted sum.
        terms: the objectives by name, before their weights.
        weighted: each term times its weight at this step; they add up to `total`.
    """

    total: Tensor
    terms: dict[str, Tensor]
    weighted: dict[str, Tensor]


class WeightedSum(nn.Module):
    """Objectives by name, those of constant weight 0 left out.

    Args:
        objectives: by name; names begin the objectives' curves, so they have no dot and no slash.

    Raises:
        ValueError: a name cannot be used, or every weight is 0.
    """

    def __init__(self, objectives: Mapping[str, Objective]) -> None:
        super().__init__()
        odd = [name for name in objectives if not name.isidentifier() or name == "total"]
        if odd:
            raise ValueError(
                f"objective {odd[0]!r}: expected a name of letters, digits and underscores, other than 'total'"
            )
        active = {name: objective for name, objective in objectives.items() if not is_off(objective.weight)}
        if not active:
            named = ", ".join(objectives) or "none is given"
            raise ValueError(f"objectives: all weights are 0 ({named}); give at least one a positive weight")
        self.active = nn.ModuleDict(active)

    def items(self) -> list[tuple[str, Objective]]:
        """Names and objectives, in their order."""
        return [(name, cast(Objective, objective)) for name, objective in self.active.items()]

    @property
    def needs_teacher(self) -> bool:
        """Whether the teacher runs in training."""
        return any(objective.needs.teacher for _, objective in self.items())

    def check(self, student: NetworkFacts, teacher: NetworkFacts | None) -> None:
        """Refuse networks that an objective cannot compare.

        Raises:
            ValueError: names the objective.
        """
        for name, objective in self.items():
            check_needs(name, objective.needs, student, teacher)
            try:
                objective.check(student, teacher)
            except ValueError as error:
                raise ValueError(f"objective {name}: {error}") from None

    def build(self, student: NetworkFacts, teacher: NetworkFacts | None, seed: int) -> None:
        """Make the objectives' parameters, each from the run's seed and its own name."""
        for name, objective in self.items():
            with torch.random.fork_rng():
                torch.manual_seed(derived_seed("objective", seed, name))
                objective.build(student, teacher)

    def start_bands(self, vocab_size: int, random_student: bool) -> dict[str, tuple[float, float]]:
        """Plausible values of the terms before the first step, by name, where they are known; see `start_band`."""
        bands = {name: objective.start_band(vocab_size, random_student) for name, objective in self.items()}
        return {name: band for name, band in bands.items() if band is not None}

    def captured(self, student: NetworkFacts, teacher: NetworkFacts | None) -> tuple[Captured, Captured]:
        """What student and teacher compute and keep, over all objectives."""
        needs = [objective.needs for _, objective in self.items()]
        with_teacher = [need for need in needs if need.teacher]

        def layers(maps: Iterable[LayerMap | None], side: int) -> frozenset[int]:
            return frozenset(pair[side] for one in maps if one is not None for pair in resolve(one, student, teacher))

        return (
            Captured(
                layers((need.hidden for need in needs), 0),
                layers((need.attention for need in needs), 0),
                widest(need.logits for need in needs if need.kept),
            ),
            Captured(
                layers((need.hidden for need in with_teacher), 1),
                layers((need.attention for need in with_teacher), 1),
                widest(need.logits for need in with_teacher if need.kept),
            ),
        )

    def forward(self, student: Outputs, teacher: Outputs | None, batch: Batch) -> Loss:
        """The weighted sum and its terms.

        A term whose scheduled weight is 0 at this step is computed and multiplied, so that its parameters get a
        gradient on every rank.
        """
        terms = {name: objective(student, teacher, batch) for name, objective in self.items()}
        weights = self.weights_at(batch.progress)
        weighted = {name: weights[name] * term for name, term in terms.items()}
        return Loss(torch.stack(list(weighted.values())).sum(), terms, weighted)

    def weights_at(self, progress: float) -> dict[str, float]:
        """Weight of each term after a share of training."""
        return {name: value_at(objective.weight, progress) for name, objective in self.items()}


def widest(tokens: Iterable[Tokens | None]) -> Tokens | None:
    """The smallest choice of tokens that holds all the others; masked tokens are real ones."""
    chosen = {one for one in tokens if one is not None}
    return "real_tokens" if "real_tokens" in chosen else "masked_tokens" if chosen else None
