"""Runs that moved, whose settings were edited, whose length changed: what goes on does so as it was, or is refused."""

import errno
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import EarlyStopping, GradientAccumulationScheduler, StochasticWeightAveraging

from distilkobert.io.files import write_text
from distilkobert.models.checkpoints import read_checkpoint
from lightning_modules.callbacks.checkpoints import best as best_checkpoints
from tests.faults.trainings.cases import CASES, assert_same_run
from tests.faults.trainings.chains import resumed, train
from tests.faults.trainings.mishaps import Cut
from tests.integration.tasks.world import TaskWorld
from tests.support.resume_world import SaveAndInterrupt
from tests.support.resume_world import train as train_keys
from tests.world import World, read_json, scalars

Run = Callable[..., Any]


@pytest.mark.parametrize("way", ["moved", "symlink", "relative"])
def test_the_best_checkpoint_stays_the_best_where_the_folder_has_another_name(
    way: str, world: World, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The highest loss counts as the best here: it is the first."""
    monkeypatch.setattr(best_checkpoints, "wrong_mode", lambda *_: "")
    options = ["--best_checkpoint.mode=max", "--trainer.val_check_interval=1", "--last_checkpoint.every_n_steps=1"]
    first, root = tmp_path / "first", tmp_path / "second"
    run("fit", world.pretrain(first, *options, "--trainer.max_steps=3"))
    best = read_json(first / "pretrain" / "base_seed42" / "metrics.json")["best/val/loss"]
    if way == "moved":
        first.rename(root)
    elif way == "symlink":
        root.symlink_to(first)
    else:
        monkeypatch.chdir(tmp_path)
        root = Path("first")
    folder = root / "pretrain" / "base_seed42"
    args = ["-c", str(folder.absolute() / "config.yaml"), f"--run.root={root}", "--ckpt_path=last"]
    run("fit", [*args, "--trainer.max_steps=6"])
    assert read_checkpoint(folder / "checkpoints" / "best.ckpt")["global_step"] == 1
    assert read_json(folder / "metrics.json")["best/val/loss"] == best


def test_settings_of_the_data_are_kept_in_the_checkpoint(world: World, run: Run, tmp_path: Path) -> None:
    """Editing the configuration beside it hides nothing, nor does taking the file elsewhere."""
    run("fit", world.pretrain(tmp_path, "--trainer.max_steps=2"))
    folder = tmp_path / "pretrain" / "base_seed42"
    config = folder / "config.yaml"
    config.write_text(config.read_text().replace("probability: 0.15", "probability: 0.4"))
    message = r"data\.masking\.probability: checkpoint 0\.15, now 0\.4"
    with pytest.raises(ValueError, match=message):
        run("fit", ["-c", str(config), "--ckpt_path=last", "--trainer.max_steps=4"])
    with pytest.raises(ValueError, match=r"max_steps=1, but --ckpt_path=.*last\.ckpt has 2 steps; set more"):
        run("fit", [*world.pretrain(tmp_path, "--ckpt_path=last"), "--trainer.max_steps=1"])
    alone = tmp_path / "alone.ckpt"
    shutil.copy(folder / "checkpoints" / "last.ckpt", alone)
    again = world.pretrain(tmp_path, "--run.arm=x", f"--ckpt_path={alone}", "--data.masking.probability=0.4")
    with pytest.raises(ValueError, match=message):
        run("fit", again)


def test_a_length_before_the_checkpoints_place_is_refused(tasks: TaskWorld, tmp_path: Path) -> None:
    """Continued to three epochs, killed in the second; then the first command again, which asks for one."""
    case = CASES["pretrain"]
    folder, words, log = case.folder(tmp_path), case.args(tasks, tmp_path), tmp_path / "log"
    train([*words, "--trainer.max_epochs=1"], log)
    assert not train(resumed(folder, words, "--trainer.max_epochs=3"), log, Cut("on_train_batch_end", 9))
    for more in (["--run.resume=auto"], [f"--ckpt_path={folder / 'checkpoints' / 'last.ckpt'}"]):
        with pytest.raises(
            AssertionError, match=r"(max_epochs=1, but .* is in epoch number 2|max_epochs: run 3, now 1)"
        ):
            train([*words, *more, "--trainer.max_epochs=1"], log)
    assert read_json(folder / "metrics.json")["status"] == "running"


def test_the_schedule_of_accumulation_goes_on_inside_an_epoch(tmp_path: Path) -> None:
    checkpoint = tmp_path / "crash.ckpt"

    def schedule() -> pl.Callback:
        return GradientAccumulationScheduler({0: 1, 1: 3})

    whole, weights = train_keys(tmp_path, [schedule()], max_epochs=3)
    before, _ = train_keys(tmp_path, [schedule(), SaveAndInterrupt("on_train_batch_end", 9, checkpoint)], max_epochs=3)
    after, ours = train_keys(tmp_path, [schedule()], checkpoint=checkpoint, max_epochs=3)
    assert before.steps() + after.steps() == whole.steps()
    assert torch.equal(ours, weights)
    with pytest.raises(ValueError, match="StochasticWeightAveraging does not save its average"):
        train_keys(tmp_path, [StochasticWeightAveraging(0.1)], checkpoint=checkpoint, max_epochs=3)


@pytest.mark.parametrize("settings", [{"patience": 50, "stopping_threshold": 2.0}, {"patience": 1}])
def test_a_run_that_early_stopping_has_ended_stays_ended(settings: dict[str, Any], tmp_path: Path) -> None:
    last = tmp_path / "last.ckpt"

    def stopping() -> EarlyStopping:
        return EarlyStopping("val/loss", **settings)

    train_keys(tmp_path, [stopping(), SaveAndInterrupt("on_train_end", 1, last)], max_epochs=5)
    again = stopping()
    resumed_run, _ = train_keys(tmp_path, [again], last, max_epochs=5)
    assert resumed_run.events == []
    assert again.stopping_reason_message


def test_one_best_and_one_last_checkpoint(world: World, run: Run, tmp_path: Path) -> None:
    for option in ("save_top_k=2", "save_top_k=-1", "save_last=true", "save_last=link"):
        with pytest.raises(ValueError, match=r"best\.ckpt is one file, and last\.ckpt is written by last_checkpoint"):
            run("fit", world.pretrain(tmp_path, f"--best_checkpoint.{option}"))


@pytest.mark.parametrize("resume", ["auto", "never"])
def test_checkpoints_without_a_configuration_are_not_overwritten(
    resume: str, world: World, run: Run, tmp_path: Path
) -> None:
    options = world.pretrain(tmp_path, "--trainer.max_steps=1")
    run("fit", options)
    folder = tmp_path / "pretrain" / "base_seed42"
    before = (folder / "checkpoints" / "last.ckpt").read_bytes()
    text = (folder / "config.yaml").read_text()
    (folder / "config.yaml").unlink()
    with pytest.raises(ValueError, match=r"has checkpoints \((best|last)\.ckpt\) and no config\.yaml"):
        run("fit", [*options, f"--run.resume={resume}"])
    (folder / "config.yaml").write_text(text[: len(text) // 3])
    with pytest.raises(ValueError, match=r"config\.yaml: not (readable|the config)|already contains a run"):
        run("fit", [*options, f"--run.resume={resume}"])
    assert (folder / "checkpoints" / "last.ckpt").read_bytes() == before


def test_curves_are_whole_after_a_resume_from_best_and_one_from_last(
    tasks: TaskWorld, untouched: Callable[[str], Path], tmp_path: Path
) -> None:
    case, log = CASES["steps"], tmp_path / "log"
    folder, words = case.folder(tmp_path), case.args(tasks, tmp_path)
    assert not train(words, log, Cut("on_train_batch_end", 14))
    rare = resumed(folder, words, "--last_checkpoint.every_n_steps=100", start="best")
    assert not train(rare, log, Cut("on_train_batch_end", 2))
    train(resumed(folder, words, "--last_checkpoint.every_n_steps=5"), log)
    expected = untouched("steps")
    assert scalars(folder)["train/loss/total"].keys() == scalars(expected)["train/loss/total"].keys()
    assert_same_run(folder, expected)


def test_a_signal_that_comes_twice_at_once_is_one(tmp_path: Path) -> None:
    """`timeout` sends it to its child and then to the child's group."""
    code = """
import time
from distilkobert.stop_signals import StopSignals
with StopSignals() as signals:
    signals.deferring = True
    print("ready", flush=True)
    while not signals.number:
        time.sleep(0.01)
    time.sleep(0.2)
    print("whole", flush=True)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        for _ in range(2):
            os.kill(process.pid, signal.SIGTERM)
            time.sleep(0.05)
        assert process.communicate(timeout=30)[0] == b"whole\n"
    assert process.returncode == 0


def test_a_full_disk_is_named_with_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "metrics.json").write_text("{}")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"metrics\.json could not be written: No space left on device; make space"):
        write_text(tmp_path / "metrics.json", "[]")
    assert (tmp_path / "metrics.json").read_text() == "{}"
