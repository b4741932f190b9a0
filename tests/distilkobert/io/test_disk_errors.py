"""Errors of the disk name what was to be written, the reason and the remedy."""

import errno
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from datasets import Dataset
from filelock import FileLock
from safetensors.torch import save_file

from distilkobert.io.disk_errors import said_plainly
from distilkobert.io.files import atomic_file, atomic_folder
from distilkobert.io.locks import only_process
from distilkobert.tasks.feature_cache import cached_features
from experiments._shared.commandline import run_command
from tests.support.disks import small_disk


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 kB."""
    with small_disk(tmp_path / "disk", "256k") as folder:
        yield folder


def _read_only(disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)


def _full(target: Path) -> str:
    return rf"{target} could not be written: No space left on device; make space there"


def test_a_full_disk_is_named_whatever_library_writes(disk: Path) -> None:
    numbers = np.zeros(1_000_000)
    with pytest.raises(OSError, match=_full(disk / "x")), atomic_folder(disk / "x") as folder:
        save_file({"weight": torch.from_numpy(numbers)}, folder / "model.safetensors")
    with pytest.raises(OSError, match=_full(disk / "x")), atomic_folder(disk / "x") as folder:
        np.save(folder / "numbers.npy", numbers)
    with pytest.raises(OSError, match=_full(disk / "x")), atomic_folder(disk / "x") as folder:
        Dataset.from_dict({"number": numbers}).save_to_disk(str(folder / "table"))
    with pytest.raises(OSError, match=_full(disk / "x")), atomic_file(disk / "x") as stream:
        np.save(stream, numbers)
    assert not list(disk.iterdir())


def test_features_that_cannot_be_written_name_the_option(disk: Path) -> None:
    with pytest.raises(OSError, match=_full(disk).replace(" could", r"/task-\w+ could") + r".*--data\.cache_dir"):
        cached_features(disk, "task", {}, lambda: {"texts": {"text": ["하나" * 200_000]}})
    _read_only(disk)
    with pytest.raises(OSError, match=rf"{disk}/task-\w+ could not be written: Read-only.*--data\.cache_dir"):
        cached_features(disk, "task", {}, lambda: {"texts": {"text": ["하나"]}})


def test_a_folder_that_cannot_be_written_or_locked_is_named(disk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (disk / "run").mkdir()
    _read_only(disk)

    def lock() -> None:
        with only_process(disk / "run" / ".lock", "the run folder X"):
            pass

    def write() -> None:
        with atomic_file(disk / "run" / "x.json"):
            pass

    assert [run_command(lock), run_command(write), run_command((disk / "y").mkdir)] == [2, 2, 2]
    locked, written, made = capsys.readouterr().err.splitlines()
    reason = "Read-only file system; allow writing there, or use another place (or a copy) that can be written"
    assert locked == (f"error: the run folder X cannot be locked ({disk}/run/.lock): {disk}/run/.lock: {reason}")
    assert written == f"error: {disk}/run/x.json could not be written: {reason}"
    assert made == f"error: {disk}/y: {reason}"


def test_a_file_system_without_locks_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(self: FileLock) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(FileLock, "_acquire", none)
    refused = pytest.raises(OSError, match=r"x cannot be locked .*No locks available; use a file system with locks")
    with refused, only_process(tmp_path / ".lock", "x"):
        pass


def test_errors_in_other_words_and_of_other_files_stay(tmp_path: Path) -> None:
    assert said_plainly(OSError("what, where, and what to do")) == "what, where, and what to do"
    assert said_plainly(FileNotFoundError(errno.ENOENT, "No such file or directory", "a.txt")) == (
        "a.txt: No such file or directory"
    )
    other = PermissionError(errno.EACCES, "Permission denied", str(tmp_path / "input.txt"))
    with pytest.raises(PermissionError) as caught, atomic_folder(tmp_path / "x"):
        raise other
    assert caught.value is other
    assert said_plainly(other).startswith(f"{tmp_path}/input.txt: Permission denied; check the permissions")
