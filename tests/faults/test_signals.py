"""Signals stop a training at a whole step, say where to go on, and nothing is lost or repeated then."""

import os
import signal
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from distilkobert.io.checkpoint_files import _SummedStream, wholeness
from distilkobert.models.checkpoints import read_checkpoint
from distilkobert.stop_signals import StoppedBySignal
from experiments._shared.trainer_cli import TrainerCLI
from lightning_modules import MaskedLanguageModeling
from tests.world import Run, World, read_json

ACCUMULATED = 8
OPTIONS = [f"--trainer.accumulate_grad_batches={ACCUMULATED}", "--data.max_tokens=256", "--trainer.max_steps=3",
           "--trainer.val_check_interval=20", "--model.encoder.dropout=0.1"]  # fmt: skip


def signal_at(patch: pytest.MonkeyPatch, hook: str, call: int, number: signal.Signals) -> None:
    """Let the module's `hook` send this process a signal when it is called for the n-th time, counted from 0.

    Tries of a training step, before the first and before a checkpoint, do not count.
    """
    original, calls = getattr(MaskedLanguageModeling, hook), [0]

    def signalled(self: MaskedLanguageModeling, *args: Any, **kwargs: Any) -> Any:
        counted = hook != "training_step" or torch.is_grad_enabled()
        if counted and calls[0] == call:
            os.kill(os.getpid(), number)
        calls[0] += counted
        return original(self, *args, **kwargs)

    patch.setattr(MaskedLanguageModeling, hook, signalled)


@pytest.fixture(scope="module")
def untouched(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that nothing has stopped."""
    from experiments.train import main

    runs = tmp_path_factory.mktemp("untouched")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["train"])
        main(["fit", *world.pretrain(runs, *OPTIONS)])
    return runs / "pretrain" / "base_seed42"


def check_same(folder: Path, untouched: Path) -> None:
    """Weights, optimizer and metrics of both runs are the same, bit for bit, times and speeds apart."""
    ours, theirs = (read_checkpoint(run / "checkpoints" / "last.ckpt") for run in (folder, untouched))
    for name, value in theirs["state_dict"].items():
        assert torch.equal(ours["state_dict"][name], value), name
    for number, state in theirs["optimizer_states"][0]["state"].items():
        assert all(torch.equal(ours["optimizer_states"][0]["state"][number][name], state[name]) for name in state)
    metrics = [read_json(run / "metrics.json") for run in (folder, untouched)]
    found, expected = (
        {name: value for name, value in each.items() if name not in ("wall_time_s", "train/tokens_per_s")}
        for each in metrics
    )
    assert found == expected
    assert found["status"] == "finished"


@pytest.mark.parametrize(
    "micro_batch", [*(pytest.param(k, marks=pytest.mark.slow) for k in (8, 9, 10, 12, 13, 14)), 11, 15]
)
def test_a_signal_in_any_micro_batch_loses_and_repeats_nothing(
    micro_batch: int, untouched: Path, world: World, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT)[micro_batch % 3]
    options = world.pretrain(tmp_path, *OPTIONS)
    with monkeypatch.context() as patch:
        signal_at(patch, "training_step", micro_batch, number)
        with pytest.raises(StoppedBySignal) as caught:
            run("fit", options)
    assert caught.value.code == 128 + number
    folder = tmp_path / "pretrain" / "base_seed42"
    whole = (micro_batch + 1) // ACCUMULATED
    assert read_checkpoint(folder / "checkpoints" / "last.ckpt")["global_step"] == whole
    metrics = read_json(folder / "metrics.json")
    assert (metrics["status"], metrics["stopped_by"], metrics["steps"]) == ("stopped", number.name, whole)
    run("fit", [*options, "--ckpt_path=last"])
    check_same(folder, untouched)
    assert "stopped_by" not in read_json(folder / "metrics.json")


def test_the_time_of_batches_that_a_stop_discards_does_not_count(
    world: World, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds, training_step = [0.0], MaskedLanguageModeling.training_step

    def slow(self: MaskedLanguageModeling, *args: Any, **kwargs: Any) -> Any:
        seconds[0] += torch.is_grad_enabled()  # a batch takes a second
        return training_step(self, *args, **kwargs)

    monkeypatch.setattr(MaskedLanguageModeling, "training_step", slow)
    clock = SimpleNamespace(monotonic=lambda: seconds[0])
    monkeypatch.setattr("lightning_modules.callbacks.training_log.time", clock)
    options = world.pretrain(tmp_path, *OPTIONS, "--trainer.log_every_n_steps=2")
    folder = tmp_path / "pretrain" / "base_seed42"
    with monkeypatch.context() as patch:
        signal_at(patch, "training_step", ACCUMULATED + 3, signal.SIGTERM)
        with pytest.raises(StoppedBySignal):
            run("fit", options)
    assert read_json(folder / "metrics.json")["wall_time_s"] == ACCUMULATED
    run("fit", [*options, "--ckpt_path=last"])
    assert read_json(folder / "metrics.json")["wall_time_s"] == 3 * ACCUMULATED


def test_a_signal_in_a_validation_repeats_it(
    untouched: Path, world: World, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The validation comes between two steps, after micro-batch 20 of 24."""
    options = world.pretrain(tmp_path, *OPTIONS, "--trainer.num_sanity_val_steps=1")
    with monkeypatch.context() as patch:
        signal_at(patch, "validation_step", 2, signal.SIGTERM)
        with pytest.raises(StoppedBySignal):
            run("fit", options)
    folder = tmp_path / "pretrain" / "base_seed42"
    assert "val/loss" not in read_json(folder / "metrics.json")
    run("fit", [*options, "--ckpt_path=last"])
    check_same(folder, untouched)


def test_before_the_first_step_there_is_nothing_to_resume_from(
    world: World, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "pytorch_lightning")
    signal_at(monkeypatch, "training_step", 3, signal.SIGTERM)
    with pytest.raises(StoppedBySignal):
        run("fit", world.pretrain(tmp_path, *OPTIONS))
    assert "stopped by SIGTERM after optimizer step 0; no checkpoint yet" in caplog.text
    assert not (tmp_path / "pretrain" / "base_seed42" / "checkpoints").exists()


def test_before_training_it_stops_at_once_and_leaves_nothing(
    world: World, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    signal_at(monkeypatch, "validation_step", 0, signal.SIGTERM)  # when Lightning tries one
    with pytest.raises(StoppedBySignal) as caught:
        run("fit", world.pretrain(tmp_path, *OPTIONS))
    assert not caught.value.in_training
    assert not any(tmp_path.iterdir())


def signal_behind_training(
    patch: pytest.MonkeyPatch, owner: Any, hook: str, number: signal.Signals, call: int = 0
) -> None:
    """Let the n-th call of a method after the end of training, counted from 0, send this process a signal."""
    original, after_fit, calls = getattr(owner, hook), TrainerCLI.after_fit, list[int]()

    def signalled(*args: Any) -> Any:
        if calls:
            calls.append(len(calls))
            if calls[-1] == call + 1:
                os.kill(os.getpid(), number)
        return original(*args)

    def begun(cli: TrainerCLI) -> None:
        calls.append(0)
        after_fit(cli)

    patch.setattr(owner, hook, signalled)
    patch.setattr(TrainerCLI, "after_fit", begun)


@pytest.mark.parametrize("call", [4, 16])  # an exception there becomes a RuntimeError
def test_a_signal_while_a_checkpoint_is_written_behind_training_comes_after_it(
    call: int, untouched: Path, world: World, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The best checkpoint is written then; from C++, which no exception may leave."""
    options = world.pretrain(tmp_path, *OPTIONS)
    with monkeypatch.context() as patch:
        signal_behind_training(patch, _SummedStream, "write", signal.SIGTERM, call)
        with pytest.raises(StoppedBySignal) as caught:
            run("fit", options)
    assert (caught.value.code, caught.value.in_training) == (128 + signal.SIGTERM, False)
    folder = tmp_path / "pretrain" / "base_seed42"
    assert [wholeness(folder / "checkpoints" / name) for name in ("best.ckpt", "last.ckpt")] == ["whole", "whole"]
    assert not list((folder / "checkpoints").glob(".*"))
    assert read_json(folder / "metrics.json")["status"] == "running"
    run("fit", [*options, "--ckpt_path=last"])
    check_same(folder, untouched)


def test_sigusr1_behind_training_requeues_the_job(
    untouched: Path, world: World, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the validation of the last step."""
    asked: list[list[str]] = []
    monkeypatch.setenv("SLURM_JOB_ID", "123")
    monkeypatch.delenv("SLURM_ARRAY_JOB_ID", raising=False)
    options = world.pretrain(tmp_path, *OPTIONS, "--run.resume=auto")
    with monkeypatch.context() as patch:
        real = subprocess.run

        def scontrol(words: list[str], **options: Any) -> Any:
            if words[0] != "scontrol":
                return real(words, **options)
            asked.append(words)
            return subprocess.CompletedProcess(words, 0, "", "")

        patch.setattr(subprocess, "run", scontrol)
        signal_behind_training(patch, MaskedLanguageModeling, "validation_step", signal.SIGUSR1)
        with pytest.raises(StoppedBySignal):
            run("fit", options)
    assert asked == [["scontrol", "requeue", "123"]]
    run("fit", options)
    check_same(tmp_path / "pretrain" / "base_seed42", untouched)
