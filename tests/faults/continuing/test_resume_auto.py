"""`--run.resume=auto`: the same command again ends what was begun, and nothing else."""

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from distilkobert.models.checkpoints import read_checkpoint
from distilkobert.stop_signals import StoppedBySignal
from experiments._shared.trainer_cli import TrainerCLI
from tests.faults.test_signals import signal_at
from tests.world import World, read_json, scalars

Run = Callable[..., Any]
AUTO = ("--run.resume=auto", "--trainer.max_steps=4", "--last_checkpoint.every_n_steps=1")


def content(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Bytes and time of every file."""
    return {
        str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_same_command_ends_the_run_and_then_does_nothing(
    world: World, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    options, folder = world.pretrain(tmp_path, *AUTO), tmp_path / "pretrain" / "base_seed42"
    with monkeypatch.context() as patch:
        signal_at(patch, "training_step", 1, signal.SIGUSR1)
        with pytest.raises(StoppedBySignal):
            run("fit", options)
    capsys.readouterr()
    assert isinstance(run("fit", options), TrainerCLI)
    last = folder / "checkpoints" / "last.ckpt"
    assert f"{folder}: resuming from {last}\n" in capsys.readouterr().out
    assert read_json(folder / "metrics.json")["status"] == "finished"
    assert read_checkpoint(last)["global_step"] == 4
    before = content(folder)
    assert run("fit", options) is None
    assert capsys.readouterr().out == f"{folder}: finished after optimizer step 4; nothing to do\n"
    assert content(folder) == before
    for change, message in (
        ("--trainer.max_steps=5", r"differs from the one .* \(trainer\.max_steps: run 4, now 5\).*--ckpt_path=last"),
        ("--trainer.precision=bf16-mixed", r"\(trainer\.precision: run None, now bf16-mixed\)"),
        ("--trainer.accumulate_grad_batches=4", r"\(trainer\.accumulate_grad_batches: run \d+, now 4\)"),
        ("--best_checkpoint.mode=max", r"\(best_checkpoint\.mode: run min, now max\)"),
        ("--model.encoder.dropout=0.2", r"model\.encoder\.dropout: checkpoint 0\.1, now 0\.2"),
        ("--data.masking.probability=0.3", r"data\.masking\.probability: checkpoint 0\.15, now 0\.3"),
    ):
        with pytest.raises(ValueError, match=message):
            run("fit", [*options, change])
    with pytest.raises(ValueError, match="already contains a run"):
        run("fit", [*options, "--run.resume=never"])
    assert content(folder) == before


def test_a_run_without_a_checkpoint_starts_again(
    world: World, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    options = world.pretrain(tmp_path, *AUTO, "--last_checkpoint.every_n_steps=9")
    folder = tmp_path / "pretrain" / "base_seed42"
    with monkeypatch.context() as patch:
        signal_at(patch, "training_step", 1, signal.SIGTERM)
        patch.setattr("lightning_modules.callbacks.graceful_stop.GracefulStop._stop", broken_off)
        with pytest.raises(PowerCutError):
            run("fit", options)
    assert (folder / "config.yaml").is_file()
    assert not (folder / "checkpoints").exists()
    (folder / "notes.txt").touch()
    capsys.readouterr()
    run("fit", options)
    assert f"{folder}: the run had no checkpoint yet and starts again\n" in capsys.readouterr().out
    assert sorted(scalars(folder)["train/loss/total"]) == [1, 2, 3, 4]
    assert (folder / "notes.txt").is_file()


class PowerCutError(Exception):
    """Stands for whatever ends a process."""


def broken_off(*_: Any) -> None:
    raise PowerCutError


def test_last_and_best_are_those_of_the_runs_folder(
    world: World, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = ("--trainer.max_steps=2", "--trainer.val_check_interval=2")
    options, folder = world.pretrain(tmp_path, *short), tmp_path / "pretrain" / "base_seed42"
    for name in ("last", "best"):
        with pytest.raises(FileNotFoundError, match=f"--ckpt_path={name}: there is no run in {folder};"):
            run("fit", [*options, f"--ckpt_path={name}"])
    assert not any(tmp_path.iterdir())
    run("fit", options)
    monkeypatch.chdir(tmp_path)
    for name in ("last", "best"):
        run("validate", ["-c", str(folder / "config.yaml"), f"--ckpt_path={name}"])
        assert read_json(folder / "metrics.json")["val/step"] == 2
    run("fit", ["-c", str(folder / "config.yaml"), "--ckpt_path=last", "--trainer.max_steps=3"])
    assert read_json(folder / "metrics.json")["steps"] == 3
    with pytest.raises(FileNotFoundError, match="--ckpt_path=hpc: expected best, last"):
        run("fit", ["-c", str(folder / "config.yaml"), "--ckpt_path=hpc"])


def test_a_damaged_checkpoint_is_named_with_a_whole_one(world: World, run: Run, tmp_path: Path) -> None:
    options = world.pretrain(tmp_path, "--trainer.max_steps=2", "--trainer.val_check_interval=2")
    run("fit", options)
    checkpoints = tmp_path / "pretrain" / "base_seed42" / "checkpoints"
    data = bytearray((checkpoints / "last.ckpt").read_bytes())
    data[len(data) // 2] ^= 1
    (checkpoints / "last.ckpt").write_bytes(data)
    for command in (["fit", "--ckpt_path=last"], ["fit", "--run.resume=auto"], ["validate", "--ckpt_path=last"]):
        with pytest.raises(ValueError, match=rf"last\.ckpt: .* damaged.* intact .* is {checkpoints / 'best.ckpt'}"):
            run(command[0], [*options, *command[1:]])
    run("validate", [*options, "--ckpt_path=best"])
