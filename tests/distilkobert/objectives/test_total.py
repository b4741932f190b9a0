"""The weighted total of unlike terms against a naive loop, and that mutations of the step change it."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from distilkobert.objectives import Batch, HiddenCosine, MaskedLM, Objective, Outputs, SoftTargets, WeightedSum
from distilkobert.objectives.contract.needs import Tokens
from tests.distilkobert.objectives.test_families import CASES
from tests.support.naive_objectives import cosine, masked_lm, soft_target
from tests.support.objective_inputs import STUDENT, TWIN, ragged_batch, random_outputs

WEIGHTS = {"soft_target": 0.7, "masked_lm": 0.2, "cosine": 0.05}
Mutation = Callable[[pytest.MonkeyPatch], None]


def three(on: Tokens) -> WeightedSum:
    objectives: dict[str, Objective] = {
        "soft_target": SoftTargets(WEIGHTS["soft_target"], temperature=3.0, on=on),
        "masked_lm": MaskedLM(WEIGHTS["masked_lm"]),
        "cosine": HiddenCosine(WEIGHTS["cosine"], on=on),
    }
    summed = WeightedSum(objectives)
    summed.build(STUDENT, TWIN, seed=1)
    return summed


def naive_three(student: Outputs, teacher: Outputs, batch: Batch, on: Tokens) -> Tensor:
    terms = {
        "soft_target": soft_target(student, teacher, batch, on, 3.0),
        "masked_lm": masked_lm(student, teacher, batch),
        "cosine": cosine(student, teacher, batch, on, lambda states: states),
    }
    return sum((WEIGHTS[name] * term for name, term in terms.items()), torch.zeros(()))


def totals(on: Tokens) -> tuple[float, float]:
    """Ours and the naive one, each from outputs of its own."""
    batch = ragged_batch()
    outputs = [random_outputs(STUDENT, batch, 2), random_outputs(TWIN, batch, 3)]
    expected = naive_three(*outputs, batch, on).item()
    outputs = [random_outputs(STUDENT, batch, 2), random_outputs(TWIN, batch, 3)]
    return three(on)(*outputs, batch).total.item(), expected


def permuted_weights(patch: pytest.MonkeyPatch) -> None:
    """Every term gets the weight of the next one."""
    weights_at = WeightedSum.weights_at

    def mutated(self: WeightedSum, progress: float) -> dict[str, float]:
        weights = weights_at(self, progress)
        values = list(weights.values())
        return dict(zip(weights, [*values[1:], values[0]], strict=True))

    patch.setattr(WeightedSum, "weights_at", mutated)


def ignored_choice_of_logits(patch: pytest.MonkeyPatch) -> None:
    """Soft targets take all real tokens, whatever `on` is."""
    forward = SoftTargets.forward

    def mutated(self: SoftTargets, student: Outputs, teacher: Outputs | None, batch: Batch) -> Tensor:
        self.on = "real_tokens"
        return forward(self, student, teacher, batch)

    patch.setattr(SoftTargets, "forward", mutated)


def cosine_over_other_tokens(patch: pytest.MonkeyPatch) -> None:
    """The cosine takes the tokens that `on` leaves out."""
    forward = HiddenCosine.forward

    def mutated(self: HiddenCosine, student: Outputs, teacher: Outputs | None, batch: Batch) -> Tensor:
        self.on = "real_tokens" if self.on == "masked_tokens" else "masked_tokens"
        return forward(self, student, teacher, batch)

    patch.setattr(HiddenCosine, "forward", mutated)


@pytest.mark.parametrize("on", ["real_tokens", "masked_tokens"])
def test_the_total_of_unequal_weights_is_the_naive_one(on: Tokens) -> None:
    ours, expected = totals(on)
    assert ours == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("mutation", "on"),
    [
        (permuted_weights, "masked_tokens"),
        (permuted_weights, "real_tokens"),
        (ignored_choice_of_logits, "masked_tokens"),
        (cosine_over_other_tokens, "masked_tokens"),
        (cosine_over_other_tokens, "real_tokens"),
    ],
)
def test_a_mutation_of_the_step_changes_the_total(
    mutation: Mutation, on: Tokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    mutation(monkeypatch)
    ours, expected = totals(on)
    assert abs(ours - expected) > 1e-3 * expected


def test_the_total_of_all_objectives_is_the_naive_one_with_its_gradients() -> None:
    """Every objective and option value at once, each with a weight of its own."""
    cases = {name: case for name, case in CASES.items() if case[1] is TWIN}
    weights = {name: 0.1 + 0.07 * place for place, name in enumerate(cases)}
    objectives = {name: objective for name, (objective, _, _) in cases.items()}
    before = {name: objective.weight for name, objective in objectives.items()}
    for name, objective in objectives.items():
        objective.weight = weights[name]
    summed = WeightedSum(objectives)
    summed.build(STUDENT, TWIN, seed=1)
    batch = ragged_batch()
    student, teacher = random_outputs(STUDENT, batch, 2), random_outputs(TWIN, batch, 3)
    given = summed(student, teacher, batch).total
    expected = sum(
        (weights[name] * naive(student, teacher, batch, objective) for name, (objective, _, naive) in cases.items()),
        torch.zeros(()),
    )
    for name, objective in objectives.items():
        objective.weight = before[name]
    assert len(cases) > 15
    assert given.item() == pytest.approx(expected.item(), rel=1e-5)
    parts = [*student.hidden.values(), *(x for layer in student.attention.values() for x in layer[:3])]
    ours, theirs = (torch.autograd.grad(value, parts, allow_unused=True) for value in (given, expected))
    assert sum(grad is not None for grad in ours) > 5
    for mine, its in zip(ours, theirs, strict=True):
        mine, its = (torch.zeros(()) if grad is None else grad for grad in (mine, its))
        assert torch.allclose(mine, its, atol=1e-5, rtol=1e-4)
