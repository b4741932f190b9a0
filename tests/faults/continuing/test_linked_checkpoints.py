"""The checkpoints of a run may be on another disk, behind a link in its folder."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from distilkobert.io.run_files import run_of
from distilkobert.models.checkpoints import read_checkpoint
from lightning_modules.callbacks.start_check import StartCheck
from tests.world import Run, World, read_json


def test_a_run_resumes_and_is_evaluated_through_a_link(world: World, run: Run, tmp_path: Path) -> None:
    options, folder = world.pretrain(tmp_path, "--trainer.max_steps=1"), tmp_path / "pretrain" / "base_seed42"
    disk = tmp_path / "disk" / "of" / "checkpoints"
    disk.mkdir(parents=True)
    folder.mkdir(parents=True)
    (folder / "checkpoints").symlink_to(disk)
    run("fit", options)
    run("fit", [*options, "--ckpt_path=last", "--trainer.max_steps=2"])
    assert read_checkpoint(disk / "last.ckpt")["global_step"] == 2
    assert (folder / "checkpoints").is_symlink()
    run("validate", ["-c", str(folder / "config.yaml"), "--ckpt_path=last"])
    assert read_json(folder / "metrics.json")["val/step"] == 2


def test_the_run_of_a_checkpoint(tmp_path: Path) -> None:
    for name in ("one", "other"):
        (tmp_path / name / "checkpoints").mkdir(parents=True)
        (tmp_path / name / "config.yaml").touch()
    file = tmp_path / "one" / "checkpoints" / "last.ckpt"
    file.touch()
    (tmp_path / "alias").symlink_to(file.parent)
    (tmp_path / "other" / "checkpoints" / "taken.ckpt").symlink_to(file)
    for named in (file, tmp_path / "alias" / "last.ckpt", tmp_path / "other" / "checkpoints" / "taken.ckpt"):
        assert run_of(named) == tmp_path / "one"


def test_free_space_is_that_behind_the_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "checkpoints").symlink_to(disk)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=10**9 * (path.resolve() != disk)))
    monkeypatch.setattr("lightning_modules.callbacks.start_check._checkpoint_bytes", lambda *_: 100)
    with pytest.raises(OSError, match=r"0\.0 MB free, but a checkpoint has about"):
        StartCheck(tmp_path / "run", None, False)._check_disk(None, None)  # type: ignore[arg-type]
