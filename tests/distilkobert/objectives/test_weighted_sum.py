"""The sum of objectives: unequal weights, schedules, one projection, and networks that do not fit."""

import itertools
from typing import Any

import pytest
import torch
from torch import Tensor

from distilkobert.objectives import (
    AttentionTransfer,
    Batch,
    HiddenCosine,
    HiddenMSE,
    LayerMap,
    LinearSchedule,
    MaskedLM,
    Needs,
    NetworkFacts,
    Objective,
    Outputs,
    RelationTransfer,
    SoftTargets,
    WeightedSum,
)
from distilkobert.objectives.weighted_sum import Captured
from tests.support.objective_inputs import STUDENT, TEACHER, TWIN, ragged_batch, random_outputs

WEIGHTS = {"soft_target": 0.7, "masked_lm": 0.2, "cosine": 0.05}


def three(**weights: Any) -> dict[str, Objective]:
    return {
        "soft_target": SoftTargets(weights["soft_target"]),
        "masked_lm": MaskedLM(weights["masked_lm"]),
        "cosine": HiddenCosine(weights["cosine"]),
    }


@pytest.mark.parametrize("order", list(itertools.permutations(WEIGHTS)))
def test_each_term_has_its_own_weight(order: tuple[str, ...]) -> None:
    batch = ragged_batch()
    student, teacher = random_outputs(STUDENT, batch, 2), random_outputs(TWIN, batch, 3)
    objectives = three(**WEIGHTS)
    total, terms, weighted = WeightedSum({name: objectives[name] for name in order})(student, teacher, batch)
    alone = {name: objective(student, teacher, batch).item() for name, objective in three(**WEIGHTS).items()}
    assert {name: term.item() for name, term in terms.items()} == pytest.approx(alone)
    assert {name: term.item() for name, term in weighted.items()} == pytest.approx(
        {name: WEIGHTS[name] * alone[name] for name in WEIGHTS}
    )
    assert total.item() == pytest.approx(sum(WEIGHTS[name] * alone[name] for name in WEIGHTS))


def test_a_constant_weight_of_zero_is_neither_built_nor_computed() -> None:
    batch = ragged_batch()
    objectives = WeightedSum({"mse": HiddenMSE(0.0), "masked_lm": MaskedLM(1.0)})
    objectives.build(STUDENT, TEACHER, seed=1)
    assert list(objectives.parameters()) == []
    assert not objectives.needs_teacher
    total, terms, _ = objectives(random_outputs(STUDENT, batch, 2), None, batch)
    assert list(terms) == ["masked_lm"]
    assert total.item() == terms["masked_lm"].item()


def test_a_weight_scheduled_to_zero_gives_its_parameters_a_gradient_of_zero() -> None:
    objectives = WeightedSum({"mse": HiddenMSE(LinearSchedule(1.0, 0.0, until=0.5)), "masked_lm": MaskedLM(1.0)})
    objectives.build(STUDENT, TEACHER, seed=1)
    for progress, weight in ((0.0, 1.0), (0.25, 0.5), (0.5, 0.0), (1.0, 0.0)):
        batch = ragged_batch(progress)
        student, teacher = random_outputs(STUDENT, batch, 2), random_outputs(TEACHER, batch, 3)
        total, terms, _ = objectives(student, teacher, batch)
        assert objectives.weights_at(progress) == {"mse": weight, "masked_lm": 1.0}
        assert total.item() == pytest.approx(weight * terms["mse"].item() + terms["masked_lm"].item())
        grads = torch.autograd.grad(total, list(objectives.parameters()))
        assert grads
        assert all(bool(grad.any()) == (weight > 0) for grad in grads)


def test_a_schedule_changes_between_its_two_shares_alone() -> None:
    schedule = LinearSchedule(1.0, 3.0, begin=0.25, until=0.75)
    assert [schedule.at(progress) for progress in (0.0, 0.25, 0.5, 0.75, 1.0)] == [1.0, 1.0, 2.0, 3.0, 3.0]


def test_a_temperature_may_follow_a_schedule() -> None:
    values = []
    for temperature in (LinearSchedule(4.0, 2.0), 3.0):
        batch = ragged_batch(0.5)
        student, teacher = random_outputs(STUDENT, batch, 2), random_outputs(TWIN, batch, 3)
        values.append(SoftTargets(temperature=temperature)(student, teacher, batch).item())
    assert values[0] == values[1]


def test_parameters_depend_on_the_seed_and_the_name_alone() -> None:
    def weights(seed: int, *names: str) -> list[Tensor]:
        objectives = WeightedSum({name: HiddenMSE(layers="last") for name in names})
        state = torch.get_rng_state()
        objectives.build(STUDENT, TEACHER, seed)
        assert torch.equal(torch.get_rng_state(), state)
        return [objective.projections[0].weight for _, objective in objectives.items()]  # type: ignore[union-attr]

    first, second = weights(1, "a", "b")
    assert not torch.equal(first, second)
    assert torch.equal(weights(1, "b")[0], second)
    assert not torch.equal(weights(2, "a")[0], first)


def test_captured_is_the_union_of_all_needs() -> None:
    objectives = WeightedSum(
        {
            "soft": SoftTargets(on="masked_tokens"),
            "masked_lm": MaskedLM(),
            "mse": HiddenMSE(layers=[[0, 2]], embeddings=True),
            "attention": AttentionTransfer(layers="last"),
            "relations": RelationTransfer(teacher_layer=1, heads=2),
        }
    )
    student, teacher = objectives.captured(STUDENT, TEACHER)
    assert student == Captured(frozenset({-1, 0}), frozenset({1}), "masked_tokens")
    assert teacher == Captured(frozenset({-1, 2}), frozenset({3, 1}), "masked_tokens")
    assert (
        WeightedSum({"soft": SoftTargets(), "masked_lm": MaskedLM()}).captured(STUDENT, TWIN)[0].logits == "real_tokens"
    )


def test_logits_are_projected_once_and_masked_ones_are_a_part_of_the_real_ones() -> None:
    batch = ragged_batch()
    wide, narrow = (random_outputs(STUDENT, batch, 2, tokens) for tokens in ("real_tokens", "masked_tokens"))
    calls = []
    project = wide.project
    wide.project = lambda states: calls.append(len(states)) or project(states)  # type: ignore[func-returns-value]
    assert torch.allclose(wide.logits("masked_tokens"), narrow.logits("masked_tokens"))
    assert wide.logits("real_tokens").shape[0] == calls[0] == 14
    assert len(calls) == 1


class Lowest(Objective):
    """A user's objective on a layer that it names."""

    @property
    def needs(self) -> Needs:
        return Needs(teacher=True, hidden=LayerMap([[0, 9]]))

    def forward(self, student: Outputs, teacher: Outputs | None, batch: Batch) -> Tensor:
        return student.hidden[0].sum()


HEADLESS = NetworkFacts("e5", "bert", 4, 6, has_head=False)
DEBERTA = NetworkFacts("deberta", "deberta-v2", 4, 6, gives_attention=False)
ODD = NetworkFacts("odd", "bert", 4, 10)


@pytest.mark.parametrize(
    ("objective", "teacher", "words"),
    [
        (SoftTargets(), HEADLESS, r"objective x needs vocabulary logits, but e5 \(bert\) has no masked-LM head"),
        (AttentionTransfer(), DEBERTA, r"objective x needs query, key and value, which deberta \(deberta-v2\)"),
        (HiddenCosine(), None, "objective x needs a teacher"),
        (Lowest(1.0), TEACHER, r"objective x: layer map \[\[0, 9\]\]: the teacher has layers 0 to 3, not 9"),
        (HiddenMSE(layers=[[2, 0]]), TEACHER, "the student has layers 0 to 1, not 2"),
        (
            RelationTransfer(heads=4),
            TEACHER,
            "x: heads=4 relation heads do not divide the width 6 of student",
        ),
        (RelationTransfer(heads=3), ODD, "heads=3 relation heads do not divide the width 10 of odd"),
        (RelationTransfer(teacher_layer=4, heads=2), TEACHER, "the teacher has layers 0 to 3, not 4"),
    ],
)
def test_networks_that_do_not_fit_are_refused(objective: Objective, teacher: NetworkFacts | None, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        WeightedSum({"x": objective}).check(STUDENT, teacher)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: WeightedSum({}), "all weights are 0 .none is given."),
        (lambda: WeightedSum({"a": MaskedLM(0), "b": SoftTargets(LinearSchedule(0, 0))}), "all weights are 0 .a, b."),
        (lambda: WeightedSum({"a/b": MaskedLM()}), "objective 'a/b'"),
        (lambda: WeightedSum({"total": MaskedLM()}), "objective 'total': .* other than 'total'$"),
        (lambda: MaskedLM(-1), "weight=-1"),
        (lambda: MaskedLM(float("nan")), "weight=nan"),
        (lambda: MaskedLM(LinearSchedule(1.0, -1.0)), "weight=-1.0"),
        (lambda: SoftTargets(temperature=0), "temperature=0: expected a finite number above 0"),
        (lambda: SoftTargets(temperature=LinearSchedule(2.0, 0.0)), "temperature=0.0"),
        (lambda: LinearSchedule(1.0, 0.0, begin=0.5, until=0.5), "0 <= begin < until <= 1"),
        (lambda: LinearSchedule(1.0, 0.0, begin=0.6, until=0.5), "0 <= begin < until <= 1"),
        (lambda: LinearSchedule(float("inf"), 0.0), "schedule start=inf"),
        (lambda: LayerMap([]), "expected uniform, last, or a list"),
        (lambda: LayerMap([[0, 1, 2]]), "expected uniform, last, or a list"),
        (lambda: LayerMap([[0, -1]]), "none is negative"),
        (lambda: LayerMap([[0, 1], [0, 2]]), "a student layer is named twice"),
        (lambda: RelationTransfer(heads=0), "heads=0"),
        (lambda: RelationTransfer(relations=[]), "relations="),
        (lambda: RelationTransfer(student_layer=-1), "student_layer=-1"),
    ],
)
def test_settings_out_of_range_are_refused(make: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make()


def test_a_class_without_needs_is_abstract() -> None:
    class Nothing(Objective):
        def forward(self, student: Outputs, teacher: Outputs | None, batch: Batch) -> Tensor:
            return torch.zeros(())

    with pytest.raises(TypeError, match="needs"):
        Nothing(1.0)  # type: ignore[abstract]


@pytest.mark.parametrize(
    ("layers", "depths", "pairs"),
    [
        ("uniform", (3, 12), [(0, 3), (1, 7), (2, 11)]),
        ("uniform", (4, 12), [(0, 2), (1, 5), (2, 8), (3, 11)]),
        ("uniform", (3, 7), [(0, 2), (1, 4), (2, 6)]),
        ("uniform", (5, 5), [(0, 0), (1, 1), (2, 2), (3, 3), (4, 4)]),
        ("last", (3, 12), [(2, 11)]),
        ([[2, 5]], (3, 12), [(2, 5)]),
    ],
)
def test_layer_maps(layers: Any, depths: tuple[int, int], pairs: list[tuple[int, int]]) -> None:
    assert LayerMap(layers).resolve(*depths) == tuple(pairs)
    assert LayerMap(layers, embeddings=True).resolve(*depths) == ((-1, -1), *pairs)
