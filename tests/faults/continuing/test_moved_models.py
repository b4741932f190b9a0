"""A run resumes after the folder of its teacher or start was moved; another model in its place is refused."""

import shutil
import signal
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from distilkobert.io.model_files import content_of_model
from distilkobert.models.checkpoints import read_checkpoint
from distilkobert.stop_signals import StoppedBySignal
from lightning_modules.base import SOURCES_ENTRY
from tests.faults.test_signals import signal_at
from tests.world import Run, World, read_json

SHORT = ("--trainer.max_steps=2", "--trainer.val_check_interval=2", "--run.resume=auto")


def changed(model: Path, folder: Path) -> Path:
    """A copy of a model's folder in which one weight is another."""
    shutil.copytree(model, folder)
    weights = load_file(folder / "model.safetensors")
    next(iter(weights.values())).view(-1)[0] += 1
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    return folder


def adapt(world: World, start: Path, runs: Path) -> list[str]:
    return ["-c", "configs/pretrain/adapt.yaml", *world.data(), f"--model.init_from={start}", f"--run.root={runs}",
            "--trainer.max_epochs=-1", *SHORT]  # fmt: skip


def test_a_stopped_run_resumes_with_its_start_elsewhere(
    world: World, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, moved = shutil.copytree(world.teacher, tmp_path / "start"), tmp_path / "moved"
    with monkeypatch.context() as patch:
        signal_at(patch, "training_step", 1, signal.SIGUSR1)
        with pytest.raises(StoppedBySignal):
            run("fit", adapt(world, start, tmp_path))
    other = changed(start, tmp_path / "other")
    start.rename(moved)
    with pytest.raises(ValueError, match=r"model\.init_from: .*, now '\S+/other', whose files have other content\)"):
        run("fit", adapt(world, other, tmp_path))
    with pytest.raises(ValueError, match=r"now '\S+/nowhere', where no weights are to compare with the run's\)"):
        run("fit", adapt(world, tmp_path / "nowhere", tmp_path))
    run("fit", adapt(world, moved, tmp_path))
    (folder,) = tmp_path.glob("*/base_seed42")
    assert read_json(folder / "metrics.json")["status"] == "finished"
    assert read_checkpoint(folder / "checkpoints" / "last.ckpt")[SOURCES_ENTRY] == {
        "init_from": content_of_model(moved)
    }


def test_a_finished_run_knows_its_moved_teacher(
    world: World, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    teacher, moved = shutil.copytree(world.teacher, tmp_path / "teacher"), tmp_path / "moved"

    def fit(place: Path, *options: str) -> Any:
        return run("fit", world.distil(tmp_path, *SHORT, f"--model.teacher={place}", *options))

    fit(teacher)
    other = changed(teacher, tmp_path / "other")
    teacher.rename(moved)
    with pytest.raises(
        FileNotFoundError, match=r"--model\.teacher=\S+: there is no folder .*; if it has moved, name its"
    ):
        fit(teacher, "--ckpt_path=last", "--trainer.max_steps=3")
    capsys.readouterr()
    assert fit(moved) is None
    assert "finished after optimizer step 2; nothing to do" in capsys.readouterr().out
    with pytest.raises(ValueError, match=r"model\.teacher: .*, now '\S+/other', whose files have other content\)"):
        fit(other)
    fit(moved, "--ckpt_path=last", "--trainer.max_steps=3")
    last = tmp_path / "distilkobert" / "base_seed42" / "checkpoints" / "last.ckpt"
    checkpoint = read_checkpoint(last)
    assert checkpoint["global_step"] == 3
    del checkpoint[SOURCES_ENTRY]  # as older runs have written them
    torch.save(checkpoint, last)
    moved.rename(teacher)
    with pytest.raises(ValueError, match=r"which cannot be compared: the checkpoint has no content of the run's\)"):
        fit(teacher, "--ckpt_path=last", "--trainer.max_steps=4")


def test_content_is_that_of_weights_and_configuration(world: World, tmp_path: Path) -> None:
    copy = shutil.copytree(world.teacher, tmp_path / "copy")
    (copy / "README.md").write_text("a card")
    content = content_of_model(world.teacher)
    assert content == content_of_model(copy) != content_of_model(changed(copy, tmp_path / "changed"))
    (copy / "config.json").write_text((copy / "config.json").read_text().replace("0.1", "0.2"))
    assert content_of_model(copy) != content
    assert content_of_model("monologg/kobert") is None
