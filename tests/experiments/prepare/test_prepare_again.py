"""A preparation that was cut off goes on where it stopped; `verify` compares what is there with its hashes."""

import lzma
from pathlib import Path

import pytest
from datasets import load_from_disk

from distilkobert.corpus.manifest import read_manifest
from distilkobert.corpus.preparation import shards, work
from experiments.prepare.__main__ import main
from tests.support.corpus_text import LINES, leftovers, prepare


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Five files, each a shard of its own but the last two."""
    monkeypatch.setattr(shards, "SHARD_BYTES", 500)
    names = []
    for number in range(5):
        names.append(str(tmp_path / f"{number}.txt"))
        Path(names[-1]).write_text("\n".join(f"{number} {line}" for line in (LINES if number < 3 else LINES[:3])))
    return names


@pytest.mark.parametrize("layout", ["lines", "packed"])
@pytest.mark.parametrize("whole", [1, 2, 3])
def test_a_killed_preparation_goes_on_with_the_same_result(
    layout: str, whole: int, files: list[str], tmp_path: Path, tiny_tokenizer_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ["--layout", layout, "--max_tokens", "40", "--input", *files]
    assert prepare(files[0], tiny_tokenizer_dir, tmp_path / "expected", *options) == 0
    read: list[str] = []

    def noted(path: Path, *rest: object) -> object:
        if len(read) == whole:
            raise KeyboardInterrupt
        read.append(path.name)
        return original(path, *rest)  # type: ignore[arg-type]

    original = work.read_blocks
    monkeypatch.setattr(work, "read_blocks", noted)
    assert prepare(files[0], tiny_tokenizer_dir, tmp_path / "corpus", *options) == 130
    assert leftovers(tmp_path) == [".corpus.shards", "expected"]
    again: list[str] = []
    monkeypatch.setattr(work, "read_blocks", lambda path, *rest: (again.append(path.name), original(path, *rest))[1])
    assert prepare(files[0], tiny_tokenizer_dir, tmp_path / "corpus", *options) == 0
    assert again == [f"{number}.txt" for number in range(whole, 5)]
    assert leftovers(tmp_path) == ["corpus", "expected"]
    assert read_manifest(tmp_path / "corpus") == read_manifest(tmp_path / "expected")
    ours, theirs = (load_from_disk(str(tmp_path / name)) for name in ("corpus", "expected"))
    assert all(ours[part].data.equals(theirs[part].data) for part in ("train", "validation"))


def test_files_apart_give_what_one_file_gives(files: list[str], tmp_path: Path, tiny_tokenizer_dir: Path) -> None:
    one = tmp_path / "one.txt"
    one.write_text("\n".join(Path(name).read_text() for name in files))
    for layout in ("lines", "packed"):
        options = ["--layout", layout, "--max_tokens", "40"]
        assert prepare(one, tiny_tokenizer_dir, tmp_path / f"{layout}1", *options) == 0
        assert prepare(one, tiny_tokenizer_dir, tmp_path / f"{layout}5", *options, "--input", *files) == 0
        ours, theirs = (load_from_disk(str(tmp_path / f"{layout}{number}")) for number in (1, 5))
        assert all(ours[part][:] == theirs[part][:] for part in ("train", "validation"))


def test_a_file_that_was_mended_is_the_only_one_read_again(
    files: list[str], tmp_path: Path, tiny_tokenizer_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    packed = Path(files[1] + ".xz")
    packed.write_bytes(lzma.compress(Path(files[1]).read_bytes())[:-30])
    inputs = ["--input", files[0], str(packed), files[2]]
    assert prepare(files[0], tiny_tokenizer_dir, tmp_path / "corpus", *inputs) == 2
    assert f"{packed}, after line" in capsys.readouterr().err
    packed.write_bytes(lzma.compress(Path(files[1]).read_bytes()))
    again: list[str] = []
    original = work.read_blocks
    monkeypatch.setattr(work, "read_blocks", lambda path, *rest: (again.append(path.name), original(path, *rest))[1])
    assert prepare(files[0], tiny_tokenizer_dir, tmp_path / "corpus", *inputs) == 0
    assert again == ["1.txt.xz", "2.txt"]


def test_verify_reads_all(files: list[str], tmp_path: Path, tiny_tokenizer_dir: Path, capsys) -> None:
    corpus = tmp_path / "corpus"
    assert prepare(files[0], tiny_tokenizer_dir, corpus, "--input", *files) == 0
    capsys.readouterr()
    assert main(["verify", str(corpus)]) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"{corpus}: 3 files, ")
    (arrow,) = (corpus / "train").glob("*.arrow")
    content = bytearray(arrow.read_bytes())
    content[-100] ^= 1
    arrow.write_bytes(content)
    (corpus / "token_counts.npy").unlink()
    assert main(["verify", str(corpus)]) == 2
    error = capsys.readouterr().err
    assert f"{arrow}: bytes 0 to {len(content) - 1:,} differ from those written" in error
    assert f"{corpus / 'token_counts.npy'} is missing" in error
    assert main(["verify", str(tmp_path)]) == 2
    assert "contains no prepared corpus" in capsys.readouterr().err
