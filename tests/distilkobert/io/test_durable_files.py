"""Files and folders outlast a power cut: their content is on the disk before their name, both before what follows."""

import errno
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from distilkobert.corpus.preparation import shards
from distilkobert.io.files import atomic_file, atomic_folder, sync
from distilkobert.tasks.feature_cache import cached_features
from tests.support.corpus_text import prepare, write_text_file
from tests.support.durable import KeptByDisk


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> KeptByDisk:
    return KeptByDisk(monkeypatch)


@pytest.fixture
def renamed(disk: KeptByDisk, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bool]]:
    """Name that each rename gives, and whether the content was on the disk then."""
    seen: list[tuple[str, bool]] = []
    original = Path.replace

    def replace(path: Path, target: Path) -> Path:
        seen.append((target.name, disk.has_content(path)))
        return original(path, target)

    monkeypatch.setattr(Path, "replace", replace)
    return seen


def fill(folder: Path) -> None:
    (folder / "data").write_bytes(b"\1" * 5000)
    (folder / "inner" / "deep").mkdir(parents=True)
    (folder / "inner" / "deep" / "more").write_text("more")
    (folder / "inner" / "empty").touch()


def test_a_file_is_on_the_disk_before_its_name(
    tmp_path: Path, disk: KeptByDisk, renamed: list[tuple[str, bool]]
) -> None:
    for content in (b"first", b"second"):
        with atomic_file(tmp_path / "out") as stream:
            stream.write(content)
        assert disk.has(tmp_path / "out")
    assert renamed == [("out", True), ("out", True)]


def test_all_of_a_folder_is_on_the_disk_before_its_name(
    tmp_path: Path, disk: KeptByDisk, renamed: list[tuple[str, bool]]
) -> None:
    with atomic_folder(tmp_path / "out") as folder:
        fill(folder)
    assert renamed == [("out", True)]
    assert disk.has(tmp_path / "out")


def test_a_folder_is_removed_when_the_new_one_has_its_name_on_the_disk(
    tmp_path: Path, disk: KeptByDisk, renamed: list[tuple[str, bool]], monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "out"
    target.mkdir()
    (target / "old").touch()
    removed: list[tuple[list[str], bool]] = []
    original = shutil.rmtree

    def rmtree(path: Path, *rest: Any, **more: Any) -> None:
        removed.append(([inner.name for inner in path.iterdir()], disk.has(target)))
        original(path, *rest, **more)

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", rmtree)
        with atomic_folder(target, overwrite=True) as folder:
            fill(folder)
    assert renamed[-1] == ("out", True)
    assert removed == [(["old"], True)]


@pytest.mark.parametrize("options", [[], ["--shard", "1/1"]], ids=["corpus", "share"])
def test_shards_are_removed_when_the_corpus_is_on_the_disk(
    options: list[str], tmp_path: Path, tiny_tokenizer_dir: Path, disk: KeptByDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, output = write_text_file(tmp_path), tmp_path / "corpus"
    seen: list[tuple[str, bool]] = []
    write, remove = shards.write_text, shards.ShardFolder.remove

    def counted(path: Path, content: str) -> None:
        seen.append(("shard", disk.has(path.with_suffix(""))))
        write(path, content)
        seen.append(("its counts", disk.has(path)))

    def removed(self: shards.ShardFolder) -> None:
        seen.append(("corpus", disk.has(output)))
        remove(self)

    monkeypatch.setattr(shards, "write_text", counted)
    monkeypatch.setattr(shards.ShardFolder, "remove", removed)
    assert prepare(text, tiny_tokenizer_dir, output, *options) == 0
    assert seen == [("shard", True), ("its counts", True), ("corpus", True)]


def test_cached_features_are_on_the_disk(tmp_path: Path, disk: KeptByDisk) -> None:
    cached_features(tmp_path, "task", {}, lambda: {"texts": {"text": ["하나"]}})
    (folder,) = tmp_path.iterdir()
    assert disk.has(folder)


def test_a_file_system_that_cannot_sync_folders_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(number: int) -> None:
        def fsync(_: int) -> None:
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(os, "fsync", fsync)

    failing(errno.EINVAL)
    sync(tmp_path)
    failing(errno.EIO)
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        sync(tmp_path)
