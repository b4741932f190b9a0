"""What is computed on a GPU stays there: forward passes, metrics and predictions on a device that is pretended."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch.utils.data._utils.pin_memory import pin_memory

from distilkobert.models.forward import NetworkRun, network_facts
from distilkobert.models.students import StudentSpec, build_student
from distilkobert.objectives import (
    AttentionTransfer,
    Batch,
    HiddenCosine,
    HiddenMSE,
    MaskedLM,
    Objective,
    RelationTransfer,
    SentenceVectors,
    SoftTargets,
    WeightedSum,
)
from lightning_modules.held_out import HeldOutMeasures
from tests.integration.tasks.world import TaskWorld, make_task_world
from tests.support.networks.encoders import tiny_batch, tiny_encoder
from tests.support.networks.pretended_device import CUDA, pretended_cuda
from tests.world import Run, World

pytestmark = pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device here: tests/gpu uses it")

OBJECTIVES: dict[str, Objective] = {
    "soft_target": SoftTargets(),
    "parts": SoftTargets(rows=4),
    "masked_lm": MaskedLM(),
    "cosine": HiddenCosine(),
    "mse": HiddenMSE(),
    "scores": AttentionTransfer(compare="scores_mse"),
    "attention": AttentionTransfer(),
    "relations": RelationTransfer(heads=2),
    "vectors": SentenceVectors(),
}


def a_batch(device: Any) -> Batch:
    ids, mask = tiny_batch()
    labels = torch.full_like(ids, -100)
    labels[:, 2] = ids[:, 2]
    places = {"real_positions": mask == 1, "masked_positions": labels >= 0}
    flat = {name: found.flatten().nonzero().squeeze(-1).to(device) for name, found in places.items()}
    return Batch(ids.to(device), mask.to(device), labels.to(device), **flat)


def measured(family: str, device: Any, mode: Any = None) -> dict[str, float]:
    """All objectives of a batch, and all that is measured on held-out data."""
    teacher = tiny_encoder(family)
    student = build_student(
        teacher, StudentSpec(layers=(0, 2), architecture="distilbert" if family == "bert" else "same")
    ).eval()
    facts = network_facts(student, "student"), network_facts(teacher, "teacher")
    objectives = WeightedSum(OBJECTIVES)
    objectives.build(*facts, 1)
    pairs = zip((student, teacher), objectives.captured(*facts), strict=True)
    runs = [NetworkRun(one, captured) for one, captured in pairs]
    counts = torch.arange(teacher.config.vocab_size)
    measures = HeldOutMeasures(objectives, counts.tolist())
    measures.compare(runs[0], runs[1], (0, 2))
    for module in (teacher, student, objectives, measures):
        module.to(device)
    batch = a_batch(device)
    loss = objectives(runs[0](batch), runs[1](batch), batch)
    if mode is not None and family == "bert":  # transformers asks ModernBERT's masks whether anything is padded
        assert mode.found == {}, "a training step waits for the device"
    measures.add(SimpleNamespace(log=lambda *given, **options: None), "val", batch)  # type: ignore[arg-type]
    return {name: float(value) for name, value in {**loss.terms, "total": loss.total, **measures.values(0.0)}.items()}


@pytest.mark.parametrize("family", ["bert", "modernbert"])
def test_distillation_and_what_it_measures(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with torch.no_grad():
        expected = measured(family, "cpu")
    with pretended_cuda(monkeypatch) as mode:
        found = measured(family, CUDA, mode)
    assert found == pytest.approx(expected, rel=1e-3, abs=1e-6)


def test_two_devices_are_not_mixed(monkeypatch: pytest.MonkeyPatch) -> None:
    with pretended_cuda(monkeypatch) as mode:
        there = torch.arange(6.0).to(CUDA)
        assert (there + 1).device == CUDA
        with pytest.raises(RuntimeError, match=r"aten.add.Tensor of tensors on two devices"):
            there + torch.ones(6)
        assert there[there > 2].tolist() == [3.0, 4.0, 5.0]
        assert mode.found


@pytest.fixture(scope="module")
def tasks(world: World, tmp_path_factory: pytest.TempPathFactory) -> TaskWorld:
    return make_task_world(world, tmp_path_factory.mktemp("tasks"))


def evaluated(module: Any, batch: dict[str, Any], device: Any, mode: Any = None) -> tuple[Any, dict[str, float], float]:
    """Records, scores and training loss of a batch."""
    module = module.to(device)
    given = module.transfer_batch_to_device(batch, device, 0)
    total = module.training_step(given, 0)["loss"]
    if mode is not None:
        assert mode.found == {}, "a training step waits for the device"
    loss = float(total)
    records = module.test_step(given, 0)["records"]
    return records, {name: float(value) for name, value in module.scores("test").items()}, loss


@pytest.mark.parametrize(
    "task", ["nsmc", *(pytest.param(task, marks=pytest.mark.slow) for task in ("naver_ner", "klue_ner", "korquad"))]
)
def test_tasks(task: str, tasks: TaskWorld, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch goes through pinned memory and to the device; records and scores are those of the CPU."""
    cli = run("fit", tasks.options(task, tmp_path, "--trainer.max_steps=1", "--trainer.val_check_interval=1"))
    if task == "nsmc":
        cli.model._weights = torch.tensor([0.5, 2.0])
    module, batch = cli.model.eval(), next(iter(cli.datamodule.test_dataloader()))
    with torch.no_grad():
        expected = evaluated(module, batch, torch.device("cpu"))
    monkeypatch.setattr(torch.Tensor, "pin_memory", torch.Tensor.clone)
    pinned = pin_memory(batch)
    assert {name: value for name, value in pinned.items() if not isinstance(value, torch.Tensor)} == {
        name: value for name, value in batch.items() if not isinstance(value, torch.Tensor)
    }
    with pretended_cuda(monkeypatch) as mode:
        records, scores, loss = evaluated(module, pinned, CUDA, mode)
    assert [record.keys() for record in records] == [record.keys() for record in expected[0]]
    assert scores == pytest.approx(expected[1], abs=1e-3)
    assert loss == pytest.approx(expected[2], rel=1e-3)
