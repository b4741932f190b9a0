"""A run whose loss or gradient is no number any more: where it stops, what it leaves, and what it advises."""

import re
from pathlib import Path
from typing import Any

import pytest
import torch

from distilkobert.models.checkpoints import read_checkpoint
from lightning_modules import Distillation
from tests.integration.tasks.world import TaskWorld, make_task_world
from tests.world import Run, World, read_json

RUIN = ["--model.optimizer.lr=1e30", "--model.optimizer.warmup=0.5"]


def spoil_gradients(patch: pytest.MonkeyPatch, step: int, value: float) -> None:
    """From optimizer step `step` on, one weight's gradient is `value`, whatever the loss."""
    original = Distillation.configure_model

    def configure(self: Distillation) -> None:
        original(self)
        weight = self.network.get_parameter("distilbert.transformer.layer.0.ffn.lin1.weight")
        weight.register_hook(lambda gradient: gradient + value if self.trainer.global_step >= step else gradient)

    patch.setattr(Distillation, "configure_model", configure)


@pytest.mark.parametrize("value", [float("inf"), float("nan")])
def test_a_gradient_that_is_not_finite_changes_no_weight(
    value: float, world: World, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil_gradients(monkeypatch, 3, value)
    with pytest.raises(FloatingPointError, match=r"the gradient is NaN or Inf at optimizer step 3 .*last\.ckpt"):
        run("fit", world.distil(tmp_path, "--last_checkpoint.every_n_steps=1"))
    last = read_checkpoint(tmp_path / "distilkobert" / "base_seed42" / "checkpoints" / "last.ckpt")
    assert last["global_step"] == 3
    assert all(torch.isfinite(value).all() for value in last["state_dict"].values() if value.is_floating_point())


def test_the_named_checkpoint_still_works(world: World, run: Run, tmp_path: Path) -> None:
    copies = "--last_checkpoint.keep_every_n_steps=1"
    with pytest.raises(FloatingPointError, match="the loss is NaN or Inf at optimizer step 2") as caught:
        run("fit", world.distil(tmp_path, *RUIN, "--last_checkpoint.every_n_steps=1", copies))
    folder = tmp_path / "distilkobert" / "base_seed42"
    named = re.search(r"Last good checkpoint: (\S+)\. ", str(caught.value))
    assert named is not None
    assert Path(named[1]) == folder / "checkpoints" / "last.ckpt"
    assert read_checkpoint(named[1])["global_step"] == 1
    assert sorted(path.name for path in (folder / "checkpoints").iterdir()) == ["last.ckpt", "step00000001.ckpt"]
    run("validate", ["-c", str(folder / "config.yaml"), f"--ckpt_path={named[1]}"])
    assert 0 < read_json(folder / "metrics.json")["val/loss"] < 20


@pytest.mark.parametrize("steps", [1, 2])
def test_a_last_step_that_ruins_the_weights_is_not_kept(steps: int, world: World, run: Run, tmp_path: Path) -> None:
    """The first step is one too far (warm-up ends there), or the second and last one is."""
    ruin = ["--model.optimizer.lr=1e30", f"--model.optimizer.warmup={0.0 if steps == 1 else 0.5}"]
    every = [
        f"--trainer.max_steps={steps}",
        f"--trainer.val_check_interval={steps}",
        "--last_checkpoint.every_n_steps=1",
    ]
    if steps == 2:
        every.append("--model.optimizer.schedule=constant")
    with pytest.raises(FloatingPointError, match=rf"the weights after optimizer step {steps} give a NaN or Inf loss"):
        run("fit", world.distil(tmp_path, *ruin, *every))
    kept = sorted((tmp_path / "distilkobert" / "base_seed42" / "checkpoints").glob("*.ckpt"))
    for path in kept:
        weights = read_checkpoint(path)["state_dict"].values()
        assert all(torch.isfinite(weight).all() for weight in weights if weight.is_floating_point())


def test_the_advice_is_one_that_works(world: World, run: Run, tmp_path: Path) -> None:
    with pytest.raises(FloatingPointError) as caught:
        run("fit", world.distil(tmp_path, *RUIN))
    message = str(caught.value)
    assert "none was written yet" in message
    assert "start a new run with another --run.arm, and with a lower --model.optimizer.lr or a longer" in message
    assert "--model.init_from" not in message  # a distillation has no such option
    assert "32-true" not in message  # it is that already
    run("fit", world.distil(tmp_path, "--run.arm=slower", "--model.optimizer.lr=1e-4", "--trainer.max_steps=1"))


def test_a_fine_tuning_may_start_from_the_last_good_weights(
    world: World, run: Run, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    tasks: TaskWorld = make_task_world(world, tmp_path_factory.mktemp("tasks"))
    with pytest.raises(FloatingPointError) as caught:
        run("fit", tasks.options("nsmc", tmp_path, *RUIN, "--last_checkpoint.every_n_steps=1"))
    option = re.search(r"from these weights (with) (--model\.init_from=\S+last\.ckpt)", str(caught.value))
    assert option is not None
    run("fit", tasks.options("nsmc", tmp_path, "--run.arm=slower", option[2], "--trainer.max_steps=1"))


def test_a_resumed_run_names_what_it_was_resumed_from(
    world: World, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("fit", world.distil(tmp_path, "--trainer.max_steps=2", "--trainer.limit_val_batches=0"))
    folder = tmp_path / "distilkobert" / "base_seed42"
    last = folder / "checkpoints" / "last.ckpt"
    spoil_gradients(monkeypatch, 3, float("nan"))
    resume: list[Any] = ["-c", str(folder / "config.yaml"), f"--ckpt_path={last}", "--trainer.max_steps=6"]
    with pytest.raises(FloatingPointError, match=rf"step 3 .*Last good checkpoint: {re.escape(str(last))}\. "):
        run("fit", resume)
