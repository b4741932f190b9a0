"""Loss terms on held-out data against sums over single tokens, with unequal weights and ragged batches."""

from collections import defaultdict
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import PreTrainedModel

from distilkobert.models.forward import NetworkRun, network_facts
from distilkobert.models.heads import masked_lm_logits
from distilkobert.models.students import StudentSpec, build_student
from distilkobert.objectives import (
    Batch,
    HiddenCosine,
    HiddenMSE,
    MaskedLM,
    SentenceVectors,
    SoftTargets,
    WeightedSum,
)
from lightning_modules.held_out import HeldOutMeasures
from tests.support.networks.encoders import tiny_encoder

MODULE: Any = SimpleNamespace(log=lambda *args, **settings: None)


def batches() -> list[dict[str, Tensor]]:
    """Three batches of other sizes and lengths, the last without a masked token."""
    generator = torch.Generator().manual_seed(2)
    made = []
    for rows, tokens, masked in ((3, 9, 0.3), (2, 14, 0.2), (1, 4, 0.0)):
        ids = torch.randint(5, 60, (rows, tokens), generator=generator)
        mask = (torch.arange(tokens) < torch.randint(3, tokens + 1, (rows, 1), generator=generator)).long()
        hidden = (torch.rand(rows, tokens, generator=generator) < masked) & mask.bool()
        labels = ids.masked_fill(~hidden, -100)
        made.append({"input_ids": ids.masked_fill(hidden, 4), "attention_mask": mask, "labels": labels})
    return made


def measuring(objectives: WeightedSum, student: PreTrainedModel, teacher: PreTrainedModel) -> HeldOutMeasures:
    """Measures of two networks, made as training makes them."""
    facts = network_facts(student, "student"), network_facts(teacher, "teacher")
    objectives.build(*facts, seed=1)
    measures = HeldOutMeasures(objectives, None)
    runs = zip((student, teacher), objectives.captured(*facts), strict=True)
    measures.compare(*(NetworkRun(network, captured) for network, captured in runs), (0, 2))
    return measures


def with_known_choices(student: PreTrainedModel, teacher: PreTrainedModel) -> list[dict[str, Tensor]]:
    """The batches; labels cycle through the teacher's first choice, another, the teacher's, and the student's."""
    made, turn = batches(), 0
    for batch in made:
        inputs = {name: batch[name] for name in ("input_ids", "attention_mask")}
        ours, theirs = (model(**inputs).logits.argmax(-1) for model in (student, teacher))
        for place in map(tuple, (batch["labels"] >= 0).nonzero().tolist()):
            batch["labels"][place] = (theirs[place], batch["labels"][place], theirs[place], ours[place])[turn % 4]
            turn += 1
    return made


def naive(
    student: PreTrainedModel, teacher: PreTrainedModel, made: list[dict[str, Tensor]], temperature: float, on: str
) -> dict[str, float]:
    """Means over single tokens of all batches."""
    values: dict[str, list[float]] = defaultdict(list)
    for batch in made:
        inputs = {name: batch[name] for name in ("input_ids", "attention_mask")}
        ours, theirs = (model(**inputs, output_hidden_states=True) for model in (student, teacher))
        for row, column in batch["attention_mask"].nonzero().tolist():
            label = int(batch["labels"][row, column])
            mine, its = (output.logits[row, column].double() for output in (ours, theirs))
            p, q = ((logits / temperature).softmax(-1) for logits in (its, mine))
            kl = float((p * (p / q).log()).sum()) * temperature**2
            x, y = (output.hidden_states[-1][row, column].double() for output in (ours, theirs))
            cosine = 1 - float(x @ y / (x.norm() * y.norm()))
            values["loss/cosine"].append(cosine)
            if on == "real_tokens" or label >= 0:
                values["objective/soft_target"].append(kl)
                values["objective/cosine"].append(cosine)
            if label >= 0:
                values["loss/soft_target"].append(kl)
                for name, logits in (("", mine), ("teacher_", its)):
                    values[f"{name}loss"].append(-float(logits.softmax(-1)[label].log()))
                    values[f"{name}accuracy"].append(float(int(logits.argmax()) == label))
                values["agreement"].append(float(int(mine.argmax()) == int(its.argmax())))
    values["objective/masked_lm"] = values["loss"]
    return {name: sum(found) / len(found) for name, found in values.items()}


@pytest.mark.parametrize("on", ["real_tokens", "masked_tokens"])
def test_terms_and_their_sum_equal_a_loop_over_tokens(on: Any) -> None:
    teacher = tiny_encoder("bert")
    with torch.no_grad():  # logits that differ
        for parameter in teacher.parameters():
            parameter.mul_(10 if parameter.ndim == 2 else 1)
    student = build_student(teacher, StudentSpec(layers=(0, 2))).eval()
    objectives = {"soft_target": SoftTargets(0.5, 3.0, on), "masked_lm": MaskedLM(0.2), "cosine": HiddenCosine(1.5, on)}
    measures = measuring(WeightedSum(objectives), student, teacher)
    with torch.no_grad():
        made = with_known_choices(student, teacher)
        for batch in made:
            measures.add(MODULE, "val", Batch(**batch))
        expected = naive(student, teacher, made, 3.0, on)
    assert len({expected[name] for name in ("accuracy", "teacher_accuracy", "agreement")} - {0.0, 1.0}) == 3
    assert {name: float(measures.means.compute(name)) for name in measures.means.metrics} == pytest.approx(
        expected, rel=1e-4
    )
    terms = [expected[f"objective/{name}"] for name in ("soft_target", "masked_lm", "cosine")]
    total = 0.5 * terms[0] + 0.2 * terms[1] + 1.5 * terms[2]
    assert float(measures.values(0.0)["objective/total"]) == pytest.approx(total, rel=1e-4)


def test_a_term_without_weight_is_not_measured() -> None:
    teacher = tiny_encoder("bert", head=False)
    student = build_student(teacher, StudentSpec(layers=(0, 2))).eval()
    objectives = {"soft_target": SoftTargets(0.0), "masked_lm": MaskedLM(0.0), "cosine": HiddenCosine(2.0)}
    measures = measuring(WeightedSum(objectives), student, teacher)
    assert [name for name in measures.means.metrics if name.startswith("objective/")] == ["objective/cosine"]
    with torch.no_grad():
        measures.add(MODULE, "val", Batch(**batches()[0]))
    cosine = float(measures.means.compute("objective/cosine"))
    assert cosine == float(measures.means.compute("loss/cosine"))
    assert float(measures.values(0.0)["objective/total"]) == pytest.approx(2 * cosine)


def test_terms_of_sequences_are_means_over_sequences() -> None:
    """Batches of three, two and one, against one batch with all of them."""
    objectives: dict[str, Any] = {"vectors": SentenceVectors(), "first": HiddenMSE(on="cls_token")}
    measures, together = (
        measuring(WeightedSum(objectives), build_student(teacher, StudentSpec(layers=(0, 2))).eval(), teacher)
        for teacher in (tiny_encoder("bert"), tiny_encoder("bert"))
    )
    with torch.no_grad():
        made = batches()
        for batch in made:
            measures.add(MODULE, "val", Batch(**batch))
        longest = max(batch["input_ids"].shape[1] for batch in made)
        filled = {"input_ids": 1, "attention_mask": 0, "labels": -100}
        joined = {
            name: torch.cat([F.pad(one[name], (0, longest - one[name].shape[1]), value=value) for one in made])
            for name, value in filled.items()
        }
        together.add(MODULE, "val", Batch(**joined))
    for name in objectives:
        expected = float(together.means.compute(f"objective/{name}"))
        assert float(measures.means.compute(f"objective/{name}")) == pytest.approx(expected, rel=1e-4)


def test_first_choices_under_autocast_are_those_of_exact_logits() -> None:
    """The networks run in bf16; their last states go through the head in float32."""
    teacher = tiny_encoder("bert")
    student = build_student(teacher, StudentSpec(layers=(0, 2))).eval()
    measures = measuring(WeightedSum({"masked_lm": MaskedLM(1.0)}), student, teacher)
    batch = Batch(**batches()[0])
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        measures.add(MODULE, "val", batch)
        hidden = [run(batch).hidden[run.last].float() for run in (measures.student, measures.teacher)]
    with torch.no_grad():
        heads = [
            masked_lm_logits(model, batch.select(states, "masked_tokens"))
            for model, states in zip((student, teacher), hidden, strict=True)
        ]
    labels = batch.labels_of("masked_tokens")
    for name, logits in zip(("loss", "teacher_loss"), heads, strict=True):
        assert float(measures.means.compute(name)) == pytest.approx(float(F.cross_entropy(logits, labels)), rel=1e-6)
