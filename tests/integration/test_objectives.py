"""Objectives through the trainer: every shipped family, a user's own with parameters, exact resume, and its export."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from distilkobert.models.checkpoints import read_checkpoint
from experiments._shared.trainer_cli import TrainerCLI
from experiments.export.__main__ import export
from tests.world import World, read_json, scalars

Run = Callable[..., TrainerCLI]

OWN = '''
"""A user's objective, outside the checkout."""

from torch import nn

from distilkobert.objectives import LayerMap, Needs, Objective


class Lowest(Objective):
    """Distance of two middle layers through a projection of its own."""

    def __init__(self, weight: float = 1.0) -> None:
        super().__init__(weight)

    @property
    def needs(self):
        return Needs(teacher=True, hidden=LayerMap([[1, 2]]))

    def build(self, student, teacher):
        self.projection = nn.Linear(student.hidden_size, teacher.hidden_size)

    def forward(self, student, teacher, batch):
        mine, its = (batch.select(states, "real_tokens") for states in (student.hidden[1], teacher.hidden[2]))
        return (self.projection(mine) - its).square().mean()
'''


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Options that add the objective of `OWN` to the recipe."""
    (tmp_path / "my_objectives.py").write_text(OWN, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    overlay = tmp_path / "own.yaml"
    overlay.write_text(
        "model:\n  init_args:\n    objectives:\n"
        "      lowest: {class_path: my_objectives.Lowest, init_args: {weight: 0.5}}\n",
        encoding="utf-8",
    )
    return ["-c", str(overlay)]


@pytest.mark.parametrize(
    ("recipe", "terms"),
    [("tinybert", ["attention", "hidden_mse"]), ("minilm_v2", ["relations"]), ("attention", ["attention"])],
)
def test_every_family_trains_and_is_measured(
    recipe: str, terms: list[str], world: World, run: Run, tmp_path: Path
) -> None:
    heads = ["--model.objectives.relations.heads=2"] if recipe == "minilm_v2" else []
    options = [
        "-c",
        f"configs/distill/{recipe}.yaml",
        *heads,
        "--trainer.max_steps=20",
        "--trainer.val_check_interval=20",
    ]
    run("fit", world.distil(tmp_path, *options))
    folder = tmp_path / "distilkobert" / "base_seed42"
    curves, metrics = scalars(folder), read_json(folder / "metrics.json")
    assert sorted(name for name in curves if name.startswith("train/weighted/")) == [
        f"train/weighted/{term}" for term in terms
    ]
    total = curves["train/loss/total"]
    assert total[20] < total[1]
    assert metrics["val/objective/total"] == pytest.approx(
        sum(metrics[f"val/objective/{term}"] for term in terms), rel=1e-5
    )


def test_an_objective_of_ones_own_resumes_exactly_and_is_not_exported(
    own: list[str], world: World, run: Run, tmp_path: Path
) -> None:
    options = [*own, "--trainer.max_steps=6", "--last_checkpoint.every_n_steps=3", "--model.student.dropout=0.1"]
    run("fit", world.distil(tmp_path / "whole", *options))
    broken = tmp_path / "broken" / "distilkobert" / "base_seed42"
    code = (
        "import os, signal, sys\n"
        "from lightning_modules.callbacks import GradientWatch\n"
        "from experiments.train import main\n"
        "step = GradientWatch.on_before_optimizer_step\n"
        "def killed(self, trainer, *args):\n"
        "    step(self, trainer, *args)\n"
        "    trainer.global_step == 4 and os.kill(os.getpid(), signal.SIGKILL)\n"
        "GradientWatch.on_before_optimizer_step = killed\n"
        "main(sys.argv[1:])\n"
    )
    command = [sys.executable, "-c", code, "fit", *world.distil(tmp_path / "broken", *options)]
    paths = os.pathsep.join([str(tmp_path), str(Path.cwd())])
    ended = subprocess.run(command, env={**os.environ, "PYTHONPATH": paths}, capture_output=True, check=False)
    assert ended.returncode == -9, ended.stderr.decode()[-2000:]
    last = broken / "checkpoints" / "last.ckpt"
    assert read_checkpoint(last)["global_step"] == 3
    run("fit", ["-c", str(broken / "config.yaml"), f"--ckpt_path={last}"])
    whole = tmp_path / "whole" / "distilkobert" / "base_seed42"
    expected, resumed = (read_checkpoint(folder / "checkpoints" / "last.ckpt") for folder in (whole, broken))
    assert "objectives.active.lowest.projection.weight" in expected["state_dict"]
    for name, value in expected["state_dict"].items():
        if name.startswith(("network.", "objectives.")):
            assert torch.equal(resumed["state_dict"][name], value), name
    assert "train/loss/lowest" in scalars(whole)
    export(str(whole / "checkpoints" / "last.ckpt"), str(tmp_path / "out"))
    names = load_file(tmp_path / "out" / "model.safetensors").keys()
    assert names
    assert not [name for name in names if "lowest" in name or "objective" in name]


def test_the_control_leaves_out_what_needs_the_teacher(own: list[str], world: World, run: Run, tmp_path: Path) -> None:
    cli = run("fit", world.distil(tmp_path, *own, "-c", "configs/ablation/mlm_only.yaml", "--trainer.max_steps=1"))
    assert cli.model.objectives.weights_at(0.0) == {"masked_lm": 1.0}
    assert cli.config.fit.model.init_args.without_teacher
    assert [name for name, _ in cli.model.named_parameters() if name.startswith("objectives.")] == []


def test_weights_that_nothing_reaches_keep_their_start(world: World, run: Run, tmp_path: Path) -> None:
    options = ["-c", "configs/distill/minilm_v2.yaml", "--model.objectives.relations.heads=2"]
    layer = ["--model.objectives.relations.student_layer=1", "--trainer.max_steps=4"]
    before = run("fit", world.distil(tmp_path / "start", *options, *layer, "--trainer.max_steps=0"))
    after = run("fit", world.distil(tmp_path / "end", *options, *layer))
    start, end = before.model.network.state_dict(), after.model.network.state_dict()
    moved = {name for name, value in start.items() if not torch.equal(value, end[name])}
    assert any("layer.0." in name for name in moved)
    tied = "vocab_projector.weight"  # is the embedding, which learns
    assert not any("layer.2." in name or name.startswith("vocab_") for name in moved - {tied})
    frozen = {name for name, parameter in after.model.network.named_parameters() if not parameter.requires_grad}
    assert {name for name in frozen if "layer.2." in name}
