"""Gradients of objectives: shares and cosines by hand, and at a checkpoint whose run is left as it is."""

import math
from pathlib import Path

import pytest
import torch
from torch import nn

from datamodules import TableDataModule
from distilkobert.objectives import SoftTargets, WeightedSum
from experiments.bench.__main__ import main
from experiments.bench.steps import gradients as module
from experiments.bench.steps.gradients import Gradients, gradients_of, load_run, measure_gradients
from lightning_modules import TaskDistillation
from tests.world import World, read_json


def test_gradients_are_those_of_a_hand_worked_case() -> None:
    a, b = nn.Parameter(torch.tensor([1.0, 2.0])), nn.Parameter(torch.tensor([3.0]))
    found = gradients_of({"x": (a**2).sum(), "y": 5 * b.sum(), "z": a[0] + b[0]}, [a, b])
    assert {name: vector.tolist() for name, vector in found.items()} == {
        "x": [2.0, 4.0, 0.0], "y": [0.0, 0.0, 5.0], "z": [1.0, 0.0, 1.0],
    }  # fmt: skip


def test_shares_are_of_the_sum_of_the_norms() -> None:
    found = Gradients({"x": [1.0, 3.0], "y": [3.0, 1.0]}, {("x", "y"): [0.5, -0.5]})
    assert vars(found.share("x")) == pytest.approx({"low": 0.375, "median": 0.5, "high": 0.625})


@pytest.fixture(scope="module")
def checkpoint(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of two steps; two of its objectives are the same but for their weight."""
    from experiments.train import main as train

    runs = tmp_path_factory.mktemp("runs")
    twin = ["--model.objectives.twin.class_path=HiddenCosine", "--model.objectives.twin.weight=0.99"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["train"])
        train(["fit", *world.distil(runs, *twin, "--trainer.max_steps=2")])
    return runs / "distilkobert" / "base_seed42" / "checkpoints" / "last.ckpt"


def test_a_run_is_measured_and_left_as_it_is(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = checkpoint.parent.parent
    before = {path: path.stat().st_mtime_ns for path in run.rglob("*")}
    output = tmp_path / "g.json"
    assert main(["gradients", f"--checkpoint={checkpoint}", "--batches=3", f"--json={output}"]) == 0
    assert {path: path.stat().st_mtime_ns for path in run.rglob("*")} == before
    numbers, said = read_json(output), capsys.readouterr().out
    assert (numbers["step"], numbers["batches"]) == (2, 3)
    assert numbers["cosines"]["cosine, twin"] == pytest.approx([1.0] * 3, abs=1e-5)
    for one, other in zip(numbers["norms"]["cosine"], numbers["norms"]["twin"], strict=True):
        assert other == pytest.approx(3 * one, rel=1e-4)
    assert sum(share[1] for share in numbers["share_quartiles"].values()) == pytest.approx(1, abs=0.05)
    assert "cosine between cosine and twin: +1.000 [+1.000, +1.000]" in said


def test_the_gradients_add_up_to_that_of_the_loss(checkpoint: Path) -> None:
    """The norm of the whole gradient follows from norms and cosines of its parts."""
    module, data = load_run(checkpoint, [])
    batch = next(iter(data.val_dataloader()))
    found = measure_gradients(module, [batch])
    squares = sum(norms[0] ** 2 for norms in found.norms.values())
    products = (
        2 * found.norms[one][0] * found.norms[other][0] * cosine[0] for (one, other), cosine in found.cosines.items()
    )
    parameters = [parameter for parameter in module.network.parameters() if parameter.requires_grad]
    whole = torch.autograd.grad(module.loss(batch).total, parameters)
    norm = math.sqrt(sum(float(part.square().sum()) for part in whole))
    assert math.sqrt(squares + sum(products)) == pytest.approx(norm, rel=1e-4)


def test_only_a_distillation_is_measured(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A task distillation has objectives too, but no batches of a corpus."""
    task = object.__new__(TaskDistillation)
    nn.Module.__init__(task)
    task.objectives = WeightedSum({"soft_target": SoftTargets()})
    monkeypatch.setattr(module, "load_run", lambda *_: (task, TableDataModule))
    assert main(["gradients", "--checkpoint=runs/a/checkpoints/last.ckpt"]) == 2
    said = capsys.readouterr().err
    assert "last.ckpt: the run is a TaskDistillation; expected a Distillation, whose objectives on a corpus" in said


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--checkpoint=nowhere/checkpoints/last.ckpt"],
            "nowhere/config.yaml does not exist; give a checkpoint in a run",
        ),
        (["--checkpoint=x", "--batches=0"], "batches is 0; expected at least 1"),
    ],
)
def test_errors_are_one_line(options: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gradients", *options]) == 2
    assert message in capsys.readouterr().err
