"""Held-out batches whose loss is NaN: training stops before such weights are the best, a test writes nothing."""

import math
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from pytorch_lightning.callbacks import ModelCheckpoint
from torch import Tensor

from distilkobert.models.checkpoints import read_checkpoint
from distilkobert.objectives.functions import masked_lm_loss
from lightning_modules import Distillation
from lightning_modules.callbacks.checkpoints.best import keep_if_best
from lightning_modules.task_module import TaskModule
from tests.integration.tasks.world import TaskWorld
from tests.world import Run, World, read_json


def spoil_logits(patch: pytest.MonkeyPatch, at: Callable[[Any], bool]) -> None:
    """NaN logits in the second held-out batch of a fine-tuning where `at` says so of its trainer."""
    for name in ("validation_step", "test_step"):
        original = getattr(TaskModule, name)

        def step(self: Any, batch: Any, batch_idx: int, original: Any = original) -> Any:
            def spoilt(network: Any, inputs: Any, output: Any) -> None:
                if batch_idx == 1 and at(self.trainer):
                    output.logits.fill_(math.nan)

            with self.network.register_forward_hook(spoilt):
                return original(self, batch, batch_idx)

        patch.setattr(TaskModule, name, step)


@pytest.mark.parametrize("sanity", [False, True])
def test_a_fine_tuning_stops_at_a_held_out_batch_of_nan(
    sanity: bool, tasks: TaskWorld, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second validation; in the sanity check, whose batches count no further, it goes on."""
    every = ("--trainer.val_check_interval=2", "--last_checkpoint.every_n_steps=1", "--data.eval_batch_size=4")
    options = tasks.options("nsmc", tmp_path, *every)
    spoil_logits(monkeypatch, lambda trainer: trainer.sanity_checking if sanity else trainer.global_step == 4)
    folder = tmp_path / "nsmc" / "base_seed42"
    best = folder / "checkpoints" / "best.ckpt"
    if sanity:
        run("fit", options)
        assert math.isfinite(read_json(folder / "metrics.json")["val/loss"])
        return
    with pytest.raises(
        FloatingPointError, match=r"val/loss is nan after optimizer step 4, .*not saved as the best"
    ) as e:
        run("fit", options)
    assert f"Last good checkpoint: {best}. " in str(e.value)
    assert read_checkpoint(best)["global_step"] == 2


def test_a_test_of_nan_writes_nothing(
    tasks: TaskWorld, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("fit", tasks.options("nsmc", tmp_path, "--trainer.max_steps=1", "--data.eval_batch_size=4"))
    folder = tmp_path / "nsmc" / "base_seed42"
    before = read_json(folder / "metrics.json")
    spoil_logits(monkeypatch, lambda trainer: True)
    with pytest.raises(FloatingPointError, match=r"^sequence_classification: test/loss is nan: .*--ckpt_path"):
        run("test", ["-c", str(folder / "config.yaml"), f"--ckpt_path={folder / 'checkpoints' / 'best.ckpt'}"])
    assert read_json(folder / "metrics.json") == before
    assert not list(folder.glob("predictions*"))


@pytest.mark.parametrize("step", [0, 2])
def test_a_distillation_stops_at_a_held_out_batch_of_nan(
    step: int, world: World, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the validation after two steps; in the sanity check it is passed over. Training calls another loss."""
    calls, begin = [step], Distillation.on_train_start

    def begun(self: Distillation) -> None:
        calls[0] = 0 if step else calls[0]
        begin(self)

    monkeypatch.setattr(Distillation, "on_train_start", begun)

    def spoilt(logits: Tensor, labels: Tensor) -> Tensor:
        calls[0] += 1
        return masked_lm_loss(logits, labels) * (math.nan if calls[0] == 1 else 1.0)

    monkeypatch.setattr("lightning_modules.held_out.masked_lm_loss", spoilt)
    options = ["--trainer.max_steps=2", "--trainer.val_check_interval=2", "--data.max_tokens=256"]
    options += ["--best_checkpoint.monitor=val/agreement", "--best_checkpoint.mode=max"]
    folder = tmp_path / "distilkobert" / "base_seed42"
    if not step:
        run("fit", world.distil(tmp_path, *options))
        assert math.isfinite(read_json(folder / "metrics.json")["val/loss"])
        return
    with pytest.raises(FloatingPointError, match="val/loss is nan after optimizer step 2"):
        run("fit", world.distil(tmp_path, *options))
    assert not (folder / "checkpoints" / "best.ckpt").exists()


@pytest.mark.parametrize("loss", [1.0, math.nan])
def test_the_end_of_training_is_not_the_best_where_its_loss_is_nan(loss: float) -> None:
    """Whatever its accuracy is."""
    callback: Any = ModelCheckpoint(monitor="val/accuracy", mode="max")
    saved: list[Any] = []
    callback._save_topk_checkpoint = lambda trainer, measured: saved.append(measured)
    callback._monitor_candidates = lambda trainer: {}
    trainer: Any = SimpleNamespace(checkpoint_callbacks=[callback], global_step=3)
    keep_if_best(trainer, {"val/loss": torch.tensor(loss), "val/accuracy": torch.tensor(0.9)})
    assert len(saved) == math.isfinite(loss)
