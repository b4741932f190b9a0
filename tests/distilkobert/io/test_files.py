"""Naming, hashing and writing files: whole or not at all."""

import hashlib
import os
from pathlib import Path

import pytest

from distilkobert.io.files import atomic_file, atomic_folder, sha256_of_file, write_text
from distilkobert.io.reading.inputs import expand_inputs


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_globs_are_sorted_and_patterns_keep_their_order(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    for name in ("b.txt", "a.txt", "z.jsonl", "deep/c.txt"):
        (tmp_path / name).write_text("글", encoding="utf-8")
    found = expand_inputs([str(tmp_path / "z.jsonl"), str(tmp_path / "**" / "*.txt")])
    assert [str(path.relative_to(tmp_path)) for path in found] == ["z.jsonl", "a.txt", "b.txt", "deep/c.txt"]


def test_a_name_with_glob_characters_is_a_name_first(tmp_path: Path) -> None:
    odd = tmp_path / "part[1].txt"
    odd.write_text("글", encoding="utf-8")
    assert expand_inputs([str(odd)]) == [odd]


def test_inputs_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "empty.txt").touch()
    (tmp_path / "full.txt").write_text("글", encoding="utf-8")
    with pytest.raises(FileNotFoundError, match=r"no file matches '.*nothing\.txt'"):
        expand_inputs([str(tmp_path / "nothing.txt")])
    with pytest.raises(FileNotFoundError, match="no file matches"):
        expand_inputs([str(tmp_path / "*.parquet")])
    with pytest.raises(FileNotFoundError, match=r"is a folder; give its files"):
        expand_inputs([str(tmp_path)])
    with pytest.raises(ValueError, match=r"empty\.txt is empty"):
        expand_inputs([str(tmp_path / "empty.txt")])
    with pytest.raises(ValueError, match=r"full\.txt is given twice"):
        expand_inputs([str(tmp_path / "full.txt"), str(tmp_path / "f*.txt")])
    with pytest.raises(ValueError, match=r"full\.txt is given twice"):
        expand_inputs([str(tmp_path / "full.txt"), f"file://{tmp_path}/full.txt"])
    with pytest.raises(ValueError, match="no input files given"):
        expand_inputs([])


def test_sha256_of_a_file_larger_than_a_block(tmp_path: Path) -> None:
    content = os.urandom(3_000_001)
    (tmp_path / "data").write_bytes(content)
    assert sha256_of_file(tmp_path / "data") == hashlib.sha256(content).hexdigest()


def test_atomic_file_appears_at_the_end_and_replaces(tmp_path: Path) -> None:
    target = tmp_path / "out.bin"
    target.write_bytes(b"old")
    with atomic_file(target) as stream:
        stream.write(b"new")
        assert target.read_bytes() == b"old"
    assert target.read_bytes() == b"new"
    assert names(tmp_path) == ["out.bin"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_atomic_file_leaves_nothing_after_an_error(tmp_path: Path, error: type[BaseException]) -> None:
    def fail() -> None:
        with atomic_file(tmp_path / "out.bin") as stream:
            stream.write(b"half")
            raise error

    with pytest.raises(error):
        fail()
    assert names(tmp_path) == []


def test_atomic_file_needs_its_folder(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="gone does not exist"), atomic_file(tmp_path / "gone" / "out"):
        pass


def test_written_text_is_utf8_with_the_usual_permissions(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "한국어\n")
    (tmp_path / "b.txt").touch()
    assert (tmp_path / "a.txt").read_bytes() == "한국어\n".encode()
    assert (tmp_path / "a.txt").stat().st_mode == (tmp_path / "b.txt").stat().st_mode


def test_atomic_folder_appears_at_the_end_with_parents(tmp_path: Path) -> None:
    target = tmp_path / "x" / "y" / "corpus"
    with atomic_folder(target) as folder:
        assert folder.parent == target.parent
        (folder / "data").write_text("1")
        assert not target.exists()
    assert names(target) == ["data"]
    assert names(target.parent) == ["corpus"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("existing", [False, True])
def test_atomic_folder_leaves_what_was_there_after_an_error(
    tmp_path: Path, error: type[BaseException], existing: bool
) -> None:
    target = tmp_path / "corpus"
    if existing:
        target.mkdir()
        (target / "old").touch()

    def fail() -> None:
        with atomic_folder(target, overwrite=True) as folder:
            (folder / "half").touch()
            raise error

    with pytest.raises(error):
        fail()
    assert names(tmp_path) == (["corpus"] if existing else [])
    assert not existing or names(target) == ["old"]


def test_private_files_of_libraries_get_the_usual_permissions(tmp_path: Path) -> None:
    usual = tmp_path / "usual"
    usual.touch()
    with atomic_folder(tmp_path / "made") as folder:
        (folder / "inner").mkdir()
        (folder / "inner" / "private").touch(mode=0o600)
    assert (tmp_path / "made" / "inner" / "private").stat().st_mode == usual.stat().st_mode


def test_atomic_folder_refuses_or_replaces_what_exists(tmp_path: Path) -> None:
    target = tmp_path / "corpus"
    target.mkdir()
    with atomic_folder(target) as folder:  # an empty folder is no obstacle
        (folder / "old").touch()
    with pytest.raises(FileExistsError, match=r"corpus exists and is not empty"), atomic_folder(target):
        pass
    with atomic_folder(target, overwrite=True) as folder:
        (folder / "new").touch()
    assert names(target) == ["new"]
    assert names(tmp_path) == ["corpus"]
    (tmp_path / "file").touch()
    with pytest.raises(FileExistsError, match="file is a file"), atomic_folder(tmp_path / "file", overwrite=True):
        pass


def test_atomic_folder_does_not_replace_what_another_run_has_finished_meanwhile(tmp_path: Path) -> None:
    target = tmp_path / "corpus"

    def race() -> None:
        with atomic_folder(target) as late:
            (late / "late").touch()
            with atomic_folder(target) as early:
                (early / "early").touch()

    with pytest.raises(FileExistsError, match="exists and is not empty"):
        race()
    assert names(target) == ["early"]
    assert names(tmp_path) == ["corpus"]


def test_what_a_killed_run_left_behind_is_no_obstacle(tmp_path: Path) -> None:
    stale = tmp_path / ".corpus.1-00000000.partial"
    stale.mkdir()
    with atomic_folder(tmp_path / "corpus") as folder:
        (folder / "data").touch()
    assert names(tmp_path / "corpus") == ["data"]
