"""What a task's distillation builds of a fine-tuned teacher, and what it refuses."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from transformers import BertForSequenceClassification, PreTrainedModel

from distilkobert.models.dropout import DropoutSpec
from distilkobert.models.students import StudentSpec
from distilkobert.objectives import HiddenCosine, LogitsMSE, Objective, SoftTargets
from distilkobert.optim import OptimizerSpec
from distilkobert.tasks.task_facts import TaskFacts
from lightning_modules import TaskDistillation
from tests.support.networks.tiny import tiny_teacher
from tests.support.tasks.batches import make_batch

LABELS = ("no", "yes")


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A classifier of two layers, as fine-tuning leaves one."""
    config = tiny_teacher(layers=2).config
    config.update({"id2label": dict(enumerate(LABELS)), "label2id": {name: n for n, name in enumerate(LABELS)}})
    folder = tmp_path_factory.mktemp("teacher")
    BertForSequenceClassification(config).save_pretrained(folder)
    return folder


def module(teacher: Path | str = "unused", objective: Objective | None = None, **settings: Any) -> TaskDistillation:
    facts = TaskFacts("sequence_classification", LABELS)
    return TaskDistillation(str(teacher), {"one": objective or SoftTargets(0.5)}, facts, **settings)


def configured(teacher: Path, command: str = "fit", **settings: Any) -> TaskDistillation:
    """A module with its networks, as a command of the trainer gets it."""
    made = module(teacher, **settings)
    state, strategy = SimpleNamespace(fn=SimpleNamespace(value=command)), SimpleNamespace(root_device="cpu")
    made._trainer = SimpleNamespace(state=state, strategy=strategy)  # type: ignore[assignment]
    made.configure_model()
    return made


def built(teacher: Path, command: str = "fit", **settings: Any) -> PreTrainedModel:
    """The student that a command of the trainer gets."""
    return configured(teacher, command, **settings).network


def test_the_projection_of_an_objective_learns(teacher: Path) -> None:
    """AdamW's first step moves every weight by the learning rate."""
    spec = OptimizerSpec(lr=0.01, eps=1e-12, warmup=0.0, schedule="constant")
    student = StudentSpec("same", layers=(0,), hidden_size=8)
    made: Any = configured(teacher, student=student, objective=HiddenCosine(1.0), optimizer=spec)
    made._trainer.estimated_stepping_batches = 1
    optimizer = made.configure_optimizers()["optimizer"]
    weight = made.objectives.active["one"].projection.weight
    before = weight.detach().clone()
    made.training_step(make_batch([5, 3], labels=torch.tensor([0, 1]), rows=[0, 1]), 0)["loss"].backward()
    optimizer.step()
    torch.testing.assert_close((weight - before).abs(), torch.full((16, 8), 0.01), rtol=1e-3, atol=0.0)


def test_the_parameters_of_objectives_come_from_the_seed(teacher: Path) -> None:
    student = StudentSpec("same", layers=(0,), hidden_size=8)
    first, again, other = (
        configured(teacher, student=student, objective=HiddenCosine(1.0), seed=seed).objectives.state_dict()
        for seed in (1, 1, 2)
    )
    assert len(first) == 1
    for name, weight in first.items():
        assert torch.equal(again[name], weight)
        assert not torch.equal(other[name], weight)


@pytest.mark.parametrize("architecture", ["distilbert", "same"])
@pytest.mark.parametrize("dropout", [DropoutSpec(), DropoutSpec(attention=0.0)])
def test_frozen_positions_stay_frozen_under_the_new_head(
    architecture: Any, dropout: DropoutSpec, teacher: Path
) -> None:
    spec = StudentSpec(architecture, layers=(1,), freeze_positions=True)
    network = built(teacher, student=spec, dropout=dropout)
    frozen = {name for name, parameter in network.named_parameters() if not parameter.requires_grad}
    assert frozen == {f"{network.base_model_prefix}.embeddings.position_embeddings.weight"}
    free = built(teacher, student=StudentSpec(architecture, layers=(1,)), dropout=dropout)
    assert all(parameter.requires_grad for parameter in free.parameters())


@pytest.mark.parametrize("command", ["test", "predict"])
def test_an_untrained_head_is_not_tested(command: str, teacher: Path, tmp_path: Path) -> None:
    student = StudentSpec(layers=(0,))
    message = rf"student layers \[0\] of .* has no trained head for this task .*nothing to {command}; name"
    with pytest.raises(ValueError, match=message):
        built(teacher, command, student=student)
    tiny_teacher(layers=1).save_pretrained(tmp_path)
    with pytest.raises(ValueError, match=f"student {tmp_path} has no trained head for this task"):
        built(teacher, command, init_from=str(tmp_path))
    assert torch.equal(  # a student with the head of the task is tested as it is
        built(teacher, command, init_from=str(teacher)).get_parameter("classifier.weight"),
        BertForSequenceClassification.from_pretrained(teacher).get_parameter("classifier.weight"),
    )


def test_hidden_states_of_masked_tokens_are_refused() -> None:
    with pytest.raises(
        ValueError, match=r"objectives\.one: HiddenCosine is on masked_tokens, but a task masks no .*on: real_tokens"
    ):
        module(objective=HiddenCosine(on="masked_tokens"))
    module(objective=HiddenCosine())
    module(objective=LogitsMSE(on="masked_tokens"))  # its rows are the task's, whatever it is on
