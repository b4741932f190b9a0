"""Loss terms on held-out data against sums over single tokens, with unequal weights and ragged batches."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import PreTrainedModel

from distilkobert.models.students import StudentSpec, build_student
from distilkobert.models.teachers import FrozenTeacher
from distilkobert.objectives.functions import DistillationLosses
from lightning_modules.held_out import HeldOutMeasures
from tests.support.encoders import tiny_encoder

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


def naive(student: PreTrainedModel, teacher: PreTrainedModel, losses: DistillationLosses) -> dict[str, float]:
    """Means of each term over single tokens of all batches."""
    values: dict[str, list[float]] = {"soft_target": [], "masked_lm": [], "cosine": []}
    for batch in batches():
        inputs = {name: batch[name] for name in ("input_ids", "attention_mask")}
        ours, theirs = (model(**inputs, output_hidden_states=True) for model in (student, teacher))
        for row, column in batch["attention_mask"].nonzero().tolist():
            label = int(batch["labels"][row, column])
            if losses.soft_target_on == "real_tokens" or label >= 0:
                p = (theirs.logits[row, column].double() / losses.temperature).softmax(-1)
                q = (ours.logits[row, column].double() / losses.temperature).softmax(-1)
                values["soft_target"].append(float((p * (p / q).log()).sum()) * losses.temperature**2)
            if label >= 0:
                values["masked_lm"].append(-float(ours.logits[row, column].double().softmax(-1)[label].log()))
            x, y = (output.hidden_states[-1][row, column].double() for output in (ours, theirs))
            values["cosine"].append(1 - float(x @ y / (x.norm() * y.norm())))
    return {name: sum(found) / len(found) for name, found in values.items()}


@pytest.mark.parametrize("on", ["real_tokens", "masked_tokens"])
def test_terms_and_their_sum_equal_a_loop_over_tokens(on: Any) -> None:
    teacher = tiny_encoder("bert")
    with torch.no_grad():  # logits that differ
        for parameter in teacher.parameters():
            parameter.mul_(10 if parameter.ndim == 2 else 1)
    student = build_student(teacher, StudentSpec(layers=(0, 2))).eval()
    losses = DistillationLosses(soft_target=0.5, masked_lm=0.2, cosine=1.5, temperature=3.0, soft_target_on=on)
    measures = HeldOutMeasures(losses, None)
    frozen = FrozenTeacher.load(teacher, dtype="float32", device=torch.device("cpu"))
    measures.compare(student, frozen, (0, 2))
    with torch.no_grad():
        for batch in batches():
            measures.add(MODULE, "val", student, frozen, batch)
        expected = naive(student, teacher, losses)
    for name, value in expected.items():
        assert float(measures.means.compute(f"objective/{name}")) == pytest.approx(value, rel=1e-4), name
    total = 0.5 * expected["soft_target"] + 0.2 * expected["masked_lm"] + 1.5 * expected["cosine"]
    assert float(measures.values()["objective/total"]) == pytest.approx(total, rel=1e-4)
    assert float(measures.means.compute("loss")) == pytest.approx(expected["masked_lm"], rel=1e-4)


def test_a_term_without_weight_is_not_measured() -> None:
    teacher = tiny_encoder("bert", head=False)
    student = build_student(teacher, StudentSpec(layers=(0, 2))).eval()
    measures = HeldOutMeasures(DistillationLosses(soft_target=0.0, masked_lm=0.0, cosine=2.0), None)
    frozen = FrozenTeacher.load(teacher, dtype="float32", device=torch.device("cpu"))
    measures.compare(student, frozen, (0, 2))
    assert [name for name in measures.means.metrics if name.startswith("objective/")] == ["objective/cosine"]
    with torch.no_grad():
        measures.add(MODULE, "val", student, frozen, batches()[0])
    cosine = float(measures.means.compute("objective/cosine"))
    assert cosine == float(measures.means.compute("loss/cosine"))
    assert float(measures.values()["objective/total"]) == pytest.approx(2 * cosine)
