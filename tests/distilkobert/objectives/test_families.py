"""Every objective against a second implementation with plain loops over sequences, tokens and heads."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from distilkobert.objectives import (
    AttentionTransfer,
    Batch,
    HiddenCosine,
    HiddenMSE,
    LogitsMSE,
    MaskedLM,
    NetworkFacts,
    Objective,
    Outputs,
    RelationTransfer,
    SentenceVectors,
    SoftTargets,
)
from tests.support.naive_objectives import (
    attention,
    cosine,
    hidden_mse,
    logits_mse,
    masked_lm,
    relations,
    soft_target,
    vectors,
)
from tests.support.objective_inputs import STUDENT, TEACHER, TWIN, ragged_batch, random_outputs

Naive = Callable[[Outputs, Outputs, Batch, Any], Tensor]
UNIFORM = [(0, 1), (1, 3)]
CASES: dict[str, tuple[Objective, NetworkFacts, Naive]] = {}
for _on in ("real_tokens", "masked_tokens"):
    CASES |= {
        f"soft_{_on}": (
            SoftTargets(temperature=3.0, on=_on), TWIN, lambda s, t, b, o, on=_on: soft_target(s, t, b, on, 3.0),
        ),
        f"soft_in_parts_{_on}": (
            SoftTargets(temperature=3.0, on=_on, rows=4), TWIN,
            lambda s, t, b, o, on=_on: soft_target(s, t, b, on, 3.0),
        ),
        f"logits_{_on}": (LogitsMSE(on=_on), TWIN, lambda s, t, b, o, on=_on: logits_mse(s, t, b, on)),
        f"cosine_{_on}": (HiddenCosine(on=_on), TWIN, lambda s, t, b, o, on=_on: cosine(s, t, b, on, o.projection)),
        f"cosine_{_on}_wide": (
            HiddenCosine(on=_on), TEACHER, lambda s, t, b, o, on=_on: cosine(s, t, b, on, o.projection),
        ),
    }  # fmt: skip
for _facts in (TWIN, TEACHER):
    _name = "same" if _facts is TWIN else "wide"
    CASES |= {
        f"mse_{_name}": (
            HiddenMSE(), _facts, lambda s, t, b, o: hidden_mse(s, t, b, UNIFORM, o.projections, False, False),
        ),
        f"mse_embeddings_{_name}": (
            HiddenMSE(layers=[[1, 2]], embeddings=True), _facts,
            lambda s, t, b, o: hidden_mse(s, t, b, [(-1, -1), (1, 2)], o.projections, False, False),
        ),
        f"pkd_{_name}": (
            HiddenMSE(layers="last", normalize=True, on="cls_token"), _facts,
            lambda s, t, b, o: hidden_mse(s, t, b, [(1, 3)], o.projections, True, True),
        ),
        f"scores_{_name}": (
            AttentionTransfer(compare="scores_mse"), _facts,
            lambda s, t, b, o: attention(s, t, b, UNIFORM, "scores_mse"),
        ),
        f"distributions_{_name}": (
            AttentionTransfer(layers=[[0, 2]]), _facts,
            lambda s, t, b, o: attention(s, t, b, [(0, 2)], "distributions_kl"),
        ),
        f"relations_{_name}": (
            RelationTransfer(heads=2), _facts,
            lambda s, t, b, o: relations(s, t, b, (1, 3), 2, ["query", "key", "value"]),
        ),
        f"values_{_name}": (
            RelationTransfer(heads=6, teacher_layer=2, student_layer=0, relations=["value"]), _facts,
            lambda s, t, b, o: relations(s, t, b, (0, 2), 6, ["value"]),
        ),
    }  # fmt: skip
    for _pooling in ("mean", "cls"):
        for _compare, _normalize in (("l2", False), ("l2", True), ("cosine", False)):
            CASES[f"vectors_{_pooling}_{_compare}_{_normalize}_{_name}"] = (
                SentenceVectors(pooling=_pooling, compare=_compare, normalize=_normalize), _facts,
                lambda s, t, b, o, how=(_pooling, _compare, _normalize): vectors(s, t, b, *how, o.projection),
            )  # fmt: skip
CASES["masked_lm"] = (MaskedLM(), TWIN, lambda s, t, b, o: masked_lm(s, t, b))


@pytest.mark.parametrize("name", CASES)
def test_value_and_gradients_equal_the_naive_ones(name: str) -> None:
    objective, facts, naive = CASES[name]
    torch.manual_seed(1)
    objective.build(STUDENT, facts)
    batch = ragged_batch()
    student, teacher = random_outputs(STUDENT, batch, 2), random_outputs(facts, batch, 3)
    given = objective(student, teacher, batch)
    expected = naive(student, teacher, batch, objective)
    assert given.item() == pytest.approx(expected.item(), rel=1e-5)
    assert given.item() > 0
    parts = [*student.hidden.values(), *(x for layer in student.attention.values() for x in layer[:3])]
    parts += list(objective.parameters())
    ours, theirs = (torch.autograd.grad(value, parts, allow_unused=True) for value in (given, expected))
    for mine, its in zip(ours, theirs, strict=True):
        mine, its = (torch.zeros(()) if grad is None else grad for grad in (mine, its))
        assert torch.allclose(mine, its, atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize("name", [name for name in CASES if name != "masked_lm"])
def test_padding_takes_no_part(name: str) -> None:
    objective, facts, _ = CASES[name]
    objective.build(STUDENT, facts)
    batch = ragged_batch()
    values = []
    for filler in (0.0, 7.0):
        outputs = [random_outputs(network, batch, 2) for network in (STUDENT, facts)]
        for output in outputs:
            for states in output.hidden.values():
                states.data[~batch.real] = filler
            for layer in output.attention.values():
                for part in layer[:3]:
                    part.data.transpose(1, 2)[~batch.real] = filler
        torch.manual_seed(1)
        values.append(objective(*outputs, batch).item())
    assert values[0] == pytest.approx(values[1], rel=1e-6)


def test_a_student_that_equals_its_teacher_has_nothing_to_learn_from_it() -> None:
    batch = ragged_batch()
    twin = NetworkFacts("twin", "bert", layers=2, hidden_size=6)
    hidden = (HiddenCosine(), HiddenMSE(embeddings=True), SentenceVectors())
    between = (AttentionTransfer(), AttentionTransfer(compare="scores_mse"), RelationTransfer(heads=2))
    for objective in (*hidden, *between, SoftTargets(), LogitsMSE()):
        objective.build(STUDENT, twin)
        student, teacher = random_outputs(STUDENT, batch, 2), random_outputs(twin, batch, 2)
        assert objective(student, teacher, batch).item() == pytest.approx(0, abs=1e-6), type(objective).__name__
