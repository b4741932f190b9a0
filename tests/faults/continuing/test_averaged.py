"""Runs with an average of their weights: stopped and resumed, and continued after their end."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from pytorch_lightning.callbacks import WeightAveraging

from distilkobert.models.checkpoints import read_checkpoint
from distilkobert.stop_signals import StoppedBySignal
from lightning_modules import MaskedLanguageModeling
from tests.faults.trainings.cases import same
from tests.world import World, read_json

Run = Callable[..., Any]
AVERAGED = (
    "--trainer.callbacks+=EMAWeightAveraging", "--trainer.callbacks.decay=0.5", "--model.optimizer.warmup=0",
    "--model.optimizer.schedule=constant", "--model.optimizer.lr=0.01", "--trainer.val_check_interval=3",
    "--model.encoder.dropout=0.1",
)  # fmt: skip


@pytest.fixture(scope="module")
def whole(world: World, run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of six steps."""
    runs = tmp_path_factory.mktemp("averaged")
    run("fit", world.pretrain(runs, *AVERAGED, "--trainer.max_steps=6"))
    return runs / "pretrain" / "base_seed42"


def check_same(folder: Path, expected: Path) -> None:
    """Weights, average and what is measured of it."""
    ours, theirs = (read_checkpoint(run / "checkpoints" / "last.ckpt") for run in (folder, expected))
    for part in ("current_model_state", "state_dict", "averaging_state", "optimizer_states", "global_step"):
        assert same(ours[part], theirs[part]), part
    name = "network.bert.encoder.layer.0.output.dense.weight"
    assert not torch.equal(theirs["current_model_state"][name], theirs["state_dict"][name])
    metrics = [read_json(run / "metrics.json") for run in (folder, expected)]
    assert metrics[0]["val/loss"] == metrics[1]["val/loss"]


def test_a_run_that_continues_after_its_end_trains_its_weights_not_their_average(
    whole: Path, world: World, run: Run, tmp_path: Path
) -> None:
    """The end is measured and saved again, as no validation comes at step 4."""
    run("fit", world.pretrain(tmp_path, *AVERAGED, "--trainer.max_steps=4"))
    folder = tmp_path / "pretrain" / "base_seed42"
    measured = read_json(folder / "metrics.json")
    run("fit", ["-c", str(folder / "config.yaml"), "--ckpt_path=last", "--trainer.max_steps=6"])
    check_same(folder, whole)
    again = world.pretrain(tmp_path / "x", f"--ckpt_path={folder / 'checkpoints' / 'best.ckpt'}", *AVERAGED)
    run("validate", again)
    found = read_json(tmp_path / "x" / "pretrain" / "base_seed42" / "metrics.json")
    assert found["val/loss"] == pytest.approx(read_json(folder / "metrics.json")["best/val/loss"])
    assert measured["val/step"] == 4


def test_a_signal_in_a_validation_saves_weights_and_average_in_their_places(
    whole: Path, world: World, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = MaskedLanguageModeling.validation_step
    swapped: list[bool] = []
    swap = WeightAveraging._swap_models

    def swapping(self: WeightAveraging, module: Any) -> None:
        swapped.append(not (swapped and swapped[-1]))
        swap(self, module)

    def signalled(self: MaskedLanguageModeling, *args: Any) -> Any:
        if self.trainer.global_step == 3 and not self.trainer.sanity_checking and swapped[-1]:
            os.kill(os.getpid(), signal.SIGTERM)
        return original(self, *args)

    options = world.pretrain(tmp_path, *AVERAGED, "--trainer.max_steps=6")
    with monkeypatch.context() as patch:
        patch.setattr(WeightAveraging, "_swap_models", swapping)
        patch.setattr(MaskedLanguageModeling, "validation_step", signalled)
        with pytest.raises(StoppedBySignal):
            run("fit", options)
    folder = tmp_path / "pretrain" / "base_seed42"
    assert read_checkpoint(folder / "checkpoints" / "last.ckpt")["global_step"] == 3
    run("fit", [*options, "--ckpt_path=last"])
    check_same(folder, whole)


def test_an_average_keeps_the_position_ids_and_shares_the_teacher(
    world: World, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At a decay of 0.9 averaged position ids, cut to integers, are other ones; validations would look those up."""
    made: list[tuple[Any, Any]] = []
    setup = WeightAveraging.setup

    def set_up(self: WeightAveraging, trainer: Any, module: Any, stage: str) -> None:
        setup(self, trainer, module, stage)
        if stage == "fit":
            assert self._average_model is not None
            made.append((self._average_model.module, module))

    average = ("--trainer.callbacks+=EMAWeightAveraging", "--trainer.callbacks.decay=0.9")
    options = world.distil(tmp_path, *average, "--trainer.max_steps=4", "--trainer.val_check_interval=4")
    with monkeypatch.context() as patch:
        patch.setattr(WeightAveraging, "setup", set_up)
        run("fit", options)
    ((averaged, module),) = made
    assert averaged.teacher_run.model is module.teacher_run.model
    assert averaged.student_run.model is averaged.network is not module.network
    buffers = dict(averaged.named_buffers())
    (name,) = (name for name in buffers if name.endswith("position_ids"))
    assert buffers[name].flatten().tolist() == list(range(buffers[name].numel()))
