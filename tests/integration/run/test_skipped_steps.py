"""`gradients.on_nonfinite=skip_step`: a step whose loss is not finite is left out whole, and the rest goes on."""

import itertools
import math
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch

from distilkobert.models.checkpoints import read_checkpoint
from distilkobert.stop_signals import StoppedBySignal
from distilkobert.tokenizers import load_tokenizer
from lightning_modules import MaskedLanguageModeling
from tests.integration.run.test_resume import PowerCutError, break_at
from tests.world import Run, World, read_json, scalars

SKIP = ("--gradients.on_nonfinite=skip_step", "--trainer.accumulate_grad_batches=2", "--trainer.max_steps=6",
        "--trainer.val_check_interval=12", "--last_checkpoint.every_n_steps=1",
        "--model.encoder.dropout=0.1")  # fmt: skip


def spoil(patch: pytest.MonkeyPatch, *places: tuple[int, int]) -> list[Any]:
    """Make the loss NaN in these (optimizer step, micro-batch of the step); returns their batches as they come."""
    spoilt: list[Any] = []
    original = MaskedLanguageModeling.training_step

    def step(self: MaskedLanguageModeling, batch: Any, batch_idx: int) -> Any:
        out = original(self, batch, batch_idx)
        if torch.is_grad_enabled() and (self.trainer.global_step, batch_idx % 2) in places:
            spoilt.append(batch)
            out["loss"] = out["loss"] * math.nan
            out["terms"] = {name: value * math.nan for name, value in out["terms"].items()}
        return out

    patch.setattr(MaskedLanguageModeling, "training_step", step)
    return spoilt


def spoil_batch(patch: pytest.MonkeyPatch, number: int, then: Callable[[], None] = lambda: None) -> None:
    """Make the loss of a batch NaN, whatever the weights are; call `then` when it is trained on."""
    original = MaskedLanguageModeling.training_step

    def step(self: MaskedLanguageModeling, batch: Any, batch_idx: int) -> Any:
        out = original(self, batch, batch_idx)
        if batch_idx != number:
            return out
        if torch.is_grad_enabled():
            then()
        return {**out, "loss": out["loss"] * math.nan}

    patch.setattr(MaskedLanguageModeling, "training_step", step)


def saved_step(root: Path) -> int:
    """The optimizer step of `last.ckpt`."""
    step: int = read_checkpoint(root / "pretrain" / "base_seed42" / "checkpoints" / "last.ckpt")["global_step"]
    return step


@pytest.fixture
def weights(monkeypatch: pytest.MonkeyPatch) -> list[list[torch.Tensor]]:
    """Weights before the first step and after each."""
    kept: list[list[torch.Tensor]] = []

    def keep(self: MaskedLanguageModeling, *_: Any) -> None:
        kept.append([parameter.detach().clone() for parameter in self.parameters()])

    monkeypatch.setattr(MaskedLanguageModeling, "on_before_zero_grad", keep)
    return kept


def test_a_skipped_step_changes_nothing_and_is_written_down(
    world: World,
    run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    weights: list[list[torch.Tensor]],
) -> None:
    spoilt = spoil(monkeypatch, (2, 1))
    with pytest.warns(
        UserWarning, match=r"loss is NaN or Inf at optimizer step 2 .* the step is skipped \(1 of at most 10\)"
    ):
        run("fit", world.pretrain(tmp_path, *SKIP))
    same = [all(map(torch.equal, before, after)) for before, after in itertools.pairwise(weights)]
    assert same[1:5] == [False, True, False, False]  # the first learns at rate 0
    folder = tmp_path / "pretrain" / "base_seed42"
    metrics, last = read_json(folder / "metrics.json"), read_checkpoint(folder / "checkpoints" / "last.ckpt")
    assert (metrics["steps"], metrics["skipped_steps"], metrics["status"]) == (6, [2], "finished")
    assert {int(state["step"]) for state in last["optimizer_states"][0]["state"].values()} == {5}
    curves = scalars(folder)
    assert 3 not in curves["train/loss/total"]
    assert all(map(math.isfinite, curves["train/loss/total"].values()))
    (path,) = (folder / "nonfinite").iterdir()
    assert path.name == "step00000002_batch000005_rank0.json"
    found, (expected,) = read_json(path), spoilt
    assert found["input_ids"] == expected["input_ids"].tolist()
    assert found["labels"] == expected["labels"].tolist()
    ids = expected["input_ids"][0][expected["attention_mask"][0].bool()].tolist()
    assert found["pieces"][0] == " ".join(load_tokenizer(str(world.tokenizer)).convert_ids_to_tokens(ids))


def test_a_resumed_run_skips_the_same_steps(
    world: World, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil(monkeypatch, (1, 0), (4, 1))
    run("fit", world.pretrain(tmp_path / "whole", *SKIP))
    with monkeypatch.context() as patch:
        original = (
            MaskedLanguageModeling.on_train_batch_start
            if hasattr(MaskedLanguageModeling, "on_train_batch_start")
            else pl.LightningModule.on_train_batch_start
        )

        def broken(self: MaskedLanguageModeling, batch: Any, batch_idx: int) -> Any:
            if self.trainer.global_step == 3:
                raise PowerCutError
            return original(self, batch, batch_idx)

        patch.setattr(MaskedLanguageModeling, "on_train_batch_start", broken)
        with pytest.raises(PowerCutError):
            run("fit", world.pretrain(tmp_path / "broken", *SKIP))
    run("fit", world.pretrain(tmp_path / "broken", *SKIP, "--run.resume=auto"))
    folders = [tmp_path / name / "pretrain" / "base_seed42" for name in ("whole", "broken")]
    expected, ours = (read_checkpoint(folder / "checkpoints" / "last.ckpt") for folder in folders)
    for name, value in expected["state_dict"].items():
        assert torch.equal(ours["state_dict"][name], value), name
    assert [read_json(folder / "metrics.json")["skipped_steps"] for folder in folders] == [[1, 4], [1, 4]]
    assert scalars(folders[0])["train/loss/total"] == scalars(folders[1])["train/loss/total"]


@pytest.mark.parametrize("number", [4, 5])
def test_good_weights_are_saved_after_a_skipped_step(
    number: int, world: World, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both micro-batches of optimizer step 2; the checkpoint of step 3 is due right after it."""
    spoil_batch(monkeypatch, number)
    break_at(4, monkeypatch)
    with pytest.raises(PowerCutError):
        run("fit", world.pretrain(tmp_path, *SKIP, "--last_checkpoint.every_n_steps=3"))
    folder = tmp_path / "pretrain" / "base_seed42"
    last = read_checkpoint(folder / "checkpoints" / "last.ckpt")
    assert (last["global_step"], len(list((folder / "nonfinite").iterdir()))) == (3, 1)


@pytest.mark.parametrize("number", [10, 11])
def test_a_training_may_end_with_a_skipped_step(
    number: int, world: World, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil_batch(monkeypatch, number)
    run("fit", world.pretrain(tmp_path, *SKIP, "--last_checkpoint.every_n_steps=9"))
    metrics = read_json(tmp_path / "pretrain" / "base_seed42" / "metrics.json")
    assert (metrics["steps"], metrics["skipped_steps"], metrics["status"]) == (6, [5], "finished")


@pytest.mark.parametrize("number", [5, 6])
def test_a_signal_at_a_batch_whose_loss_is_nan_loses_no_step(
    number: int, world: World, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the last micro-batch of a skipped step, and at the first one of a step that is not made."""
    spoil_batch(monkeypatch, number, lambda: os.kill(os.getpid(), signal.SIGTERM))
    with pytest.raises(StoppedBySignal):
        run("fit", world.pretrain(tmp_path, *SKIP, "--last_checkpoint.every_n_steps=9"))
    assert saved_step(tmp_path) == 3


def test_weights_that_a_step_has_made_nan_are_not_saved_behind_skipped_steps(
    world: World, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They give NaN for every batch, so that all later steps are skipped."""
    original = torch.optim.AdamW.step
    calls = [0]

    def ruinous(self: torch.optim.AdamW, closure: Any = None) -> Any:
        found = original(self, closure)
        calls[0] += 1
        if calls[0] == 2:
            with torch.no_grad():
                self.param_groups[0]["params"][0].fill_(math.nan)
        return found

    monkeypatch.setattr(torch.optim.AdamW, "step", ruinous)
    with pytest.raises(FloatingPointError, match="the weights after optimizer step 6 give a NaN or Inf loss"):
        run("fit", world.pretrain(tmp_path, *SKIP, "--trainer.val_check_interval=100"))
    assert saved_step(tmp_path) == 1


def test_too_many_skipped_steps_end_the_run(
    world: World, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil(monkeypatch, (1, 0), (2, 0), (3, 1))
    message = r"optimizer step 3 .*2 steps were skipped before, which is the limit \(gradients\.max_skipped\)"
    with pytest.raises(FloatingPointError, match=message):
        run("fit", world.pretrain(tmp_path, *SKIP, "--gradients.max_skipped=2"))
    with pytest.raises(ValueError, match=r"gradients\.max_skipped=0: expected 1 or more"):
        run("fit", world.pretrain(tmp_path / "other", *SKIP, "--gradients.max_skipped=0"))
