"""Encoded shards outlast an interrupt or a full disk behind them, and the next start continues after them."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from distilkobert.corpus.preparation import joining, shards, shares, work
from tests.support.corpus_text import LINES, leftovers, prepare

Prepare = Callable[..., int]


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Four files, each a shard of its own."""
    monkeypatch.setattr(shards, "SHARD_BYTES", 500)
    names = [str(tmp_path / f"{number}.txt") for number in range(4)]
    for number, name in enumerate(names):
        Path(name).write_text("\n".join(f"{number} {line}" for line in LINES), encoding="utf-8")
    return names


@pytest.fixture
def make(files: list[str], tmp_path: Path, tiny_tokenizer_dir: Path) -> Prepare:
    """Prepares the files into a folder of this name, and gives the exit code."""

    def call(name: str, *more: str) -> int:
        return prepare(Path(files[0]), tiny_tokenizer_dir, tmp_path / name, "--input", *files, *more)

    return call


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the input files that are encoded."""
    names: list[str] = []
    original = work.read_blocks
    monkeypatch.setattr(work, "read_blocks", lambda path, *rest: (names.append(path.name), original(path, *rest))[1])
    return names


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def interrupted(*_: object) -> None:
    raise KeyboardInterrupt


def full(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize(
    ("place", "failure", "code"),
    [("file_hashes", interrupted, 130), ("write_text", full, 2), ("link", interrupted, 130)],
)
def test_a_shard_of_a_job_array_is_not_encoded_again(
    place: str,
    failure: Callable[..., None],
    code: int,
    make: Prepare,
    read: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys,
) -> None:
    assert make("expected", "--shard", "1/2") == 0
    with monkeypatch.context() as patch:
        patch.setattr(os if place == "link" else shares, place, failure)
        assert make("out", "--shard", "1/2") == code
    assert "encoded shards are kept in" in capsys.readouterr().err
    assert leftovers(tmp_path) == [".out.shards", "expected"]
    read.clear()
    assert make("out", "--shard", "1/2") == 0
    assert read == []
    assert leftovers(tmp_path) == ["expected", "out"]
    assert content(tmp_path / "out") == content(tmp_path / "expected")


def test_a_file_system_without_hard_links_gets_the_same_shard(
    make: Prepare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert make("expected", "--shard", "1/2") == 0

    def refused(*_: object) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", refused)
    assert make("out", "--shard", "1/2") == 0
    assert leftovers(tmp_path) == ["expected", "out"]
    assert content(tmp_path / "out") == content(tmp_path / "expected")


def test_good_shards_of_an_earlier_start_outlast_an_interrupt_in_the_first(
    make: Prepare, read: list[str], files: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop_in(name: str) -> None:
        original = work.read_blocks

        def stopping(path: Path, *rest: object) -> object:
            if path.name == name:
                raise KeyboardInterrupt
            return original(path, *rest)  # type: ignore[arg-type]

        patch.setattr(work, "read_blocks", stopping)

    with monkeypatch.context() as patch:
        stop_in("3.txt")
        assert make("corpus") == 130
    with Path(files[0]).open("a", encoding="utf-8") as stream:
        stream.write("\n고친 줄이 하나 더 있다")
    with monkeypatch.context() as patch:
        stop_in("0.txt")
        assert make("corpus") == 130
    read.clear()
    assert make("corpus") == 0
    assert read == ["0.txt", "3.txt"]
    assert leftovers(tmp_path) == ["corpus"]


def test_the_only_shard_is_kept_where_joining_fails(
    make: Prepare, read: list[str], files: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shards, "SHARD_BYTES", 1 << 26)
    with monkeypatch.context() as patch:
        patch.setattr(joining, "check_unknown", full)
        assert make("corpus") == 2
    assert leftovers(tmp_path) == [".corpus.shards"]
    read.clear()
    assert make("corpus") == 0
    assert read == []
    assert leftovers(tmp_path) == ["corpus"]


def test_an_interrupt_in_the_only_shard_leaves_nothing(
    make: Prepare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "read_blocks", interrupted)
    assert make("corpus") == 130
    assert leftovers(tmp_path) == []
