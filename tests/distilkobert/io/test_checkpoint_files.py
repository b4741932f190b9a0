"""Checkpoint files: whole or not there, and no changed byte goes unseen."""

import hashlib
import os
import pickle
import random
import resource
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from distilkobert.io.checkpoint_files import load_checkpoint, wholeness, write_checkpoint
from tests.support.disks import small_disk


def content(seed: int = 0, count: int = 500) -> dict[str, Any]:
    generator = torch.Generator().manual_seed(seed)
    return {"weights": {"a": torch.randn(count, generator=generator), "b": torch.arange(3)}, "step": seed}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    target = tmp_path / "checkpoints" / "last.ckpt"
    write_checkpoint(target, content())
    return target


def test_what_was_written_is_read_and_the_folder_holds_nothing_else(path: Path) -> None:
    for read in (load_checkpoint(path), torch.load(path, weights_only=True)):
        assert torch.equal(read["weights"]["a"], content()["weights"]["a"])
        assert read["step"] == 0
    assert wholeness(path) == "whole"
    assert [path.name for path in path.parent.iterdir()] == ["last.ckpt"]


def test_the_sum_is_that_of_the_bytes_before_it_and_a_comment_to_zip(path: Path) -> None:
    data = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        comment = archive.comment
    assert comment == b"distilkobert sha256 " + hashlib.sha256(data[: -len(comment)]).hexdigest().encode()
    assert data[-len(comment) - 2 : -len(comment)] == len(comment).to_bytes(2, "little")


def test_every_changed_byte_is_seen(path: Path, tmp_path: Path) -> None:
    data, chance, copy = path.read_bytes(), random.Random(0), tmp_path / "copy" / "last.ckpt"
    copy.parent.mkdir()
    for place in [*range(len(data) - 120, len(data)), *chance.sample(range(len(data) - 120), 200)]:
        changed = bytearray(data)
        changed[place] ^= 1 << chance.randrange(8)
        copy.write_bytes(changed)
        with pytest.raises(ValueError, match=r"last\.ckpt: the checkpoint is damaged: its SHA-256 is not the one"):
            load_checkpoint(copy)


def test_every_shorter_and_longer_file_is_refused(path: Path, tmp_path: Path) -> None:
    data, copy = path.read_bytes(), tmp_path / "copy.ckpt"
    for length in [0, 1, 21, 22, 105, 106, *range(len(data) - 90, len(data), 7), len(data) // 2]:
        copy.write_bytes(data[:length])
        assert wholeness(copy) != "whole"
        with pytest.raises(ValueError, match=r"copy\.ckpt: (not a readable checkpoint|the checkpoint is damaged)"):
            load_checkpoint(copy)
    copy.write_bytes(data + data[-1:])
    with pytest.raises(ValueError, match=r"copy\.ckpt: the checkpoint is damaged"):
        load_checkpoint(copy)


def test_the_newest_whole_file_of_the_folder_is_offered(path: Path) -> None:
    best, step = path.with_name("best.ckpt"), path.with_name("step00000004.ckpt")
    for number, other in enumerate((best, step)):
        write_checkpoint(other, content(1))
        os.utime(other, (number, number))
    for damaged, words in (
        (path, rf"last\.ckpt: .*damaged.*The newest intact checkpoint of that folder is {step}$"),
        (step, rf"step0.*damaged.*The newest intact checkpoint of that folder is {best}$"),
        (best, r"best\.ckpt: .*damaged.*No other checkpoint in \S+ has a valid checksum$"),
    ):
        damaged.write_bytes(damaged.read_bytes().replace(b"step", b"stop"))
        with pytest.raises(ValueError, match=words):
            load_checkpoint(damaged)


def test_a_file_without_a_sum_is_read_with_one_warning(tmp_path: Path) -> None:
    old = tmp_path / "old.ckpt"
    torch.save(content(), old)
    assert wholeness(old) == "unknown"
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        for _ in range(2):
            assert load_checkpoint(old)["step"] == 0
    assert [str(warning.message) for warning in caught] == [
        f"{old}: a checkpoint without a checksum; damage cannot be detected"
    ]


class Evil:
    """Runs a command when it is unpickled."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, ("touch ran",)


@pytest.mark.parametrize("form", ["archive", "older form of torch", "plain pickle"])
@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
def test_pickled_objects_are_called_that_and_not_run(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "evil.ckpt"
    if form == "plain pickle":
        path.write_bytes(pickle.dumps({"step": Evil()}))
    else:
        torch.save({"step": Evil()}, path, _use_new_zipfile_serialization=form == "archive")
    with pytest.raises(ValueError, match=r"evil\.ckpt: contains pickled Python objects") as caught:
        load_checkpoint(path)
    assert "weights_only" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert form == "plain pickle" or "(posix.system)" in str(caught.value)
    assert not (tmp_path / "ran").exists()


def test_a_write_that_fails_keeps_the_former_file_and_names_the_path(path: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))  # SIGXFSZ is ignored by Python
    try:
        with pytest.raises(OSError, match=r"last\.ckpt: the checkpoint could not be written \(File too large\)"):
            write_checkpoint(path, content(1, count=100_000))
        with pytest.raises(OSError, match=r"new\.ckpt: .*; there was no previous file"):
            write_checkpoint(path.with_name("new.ckpt"), content(1, count=100_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert load_checkpoint(path)["step"] == 0
    assert [path.name for path in path.parent.iterdir()] == ["last.ckpt"]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MB."""
    with small_disk(tmp_path / "disk", "2m") as folder:
        yield folder


def test_a_full_disk_keeps_the_former_file_and_names_the_path(disk: Path) -> None:
    path = disk / "best.ckpt"
    write_checkpoint(path, content(0, count=300_000))  # 1.2 MB: two such files have no space
    with pytest.raises(OSError, match=r"best\.ckpt: .*\(No space left on device\); the previous file .* is kept"):
        write_checkpoint(path, content(1, count=300_000))
    assert load_checkpoint(path)["step"] == 0
    assert [path.name for path in disk.iterdir()] == ["best.ckpt"]
