"""Decomposed Hangul is counted where lines are encoded: a byte-level tokenizer has no unknown pieces that show it."""

import unicodedata
from pathlib import Path

import pytest

from distilkobert.corpus.manifest import read_manifest
from distilkobert.corpus.preparation import shards
from experiments.prepare.__main__ import main
from tests.support.corpus_text import LINES, prepare
from tests.support.tokenizers.kinds import save_kind

NOTE = "Hangul in conjoining letters (U+1100 to U+11FF, Unicode NFD) in {rows}; many tokenizers make unknown pieces"


@pytest.fixture(scope="module")
def byte_level(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_kind("roberta", tmp_path_factory.mktemp("tokenizer") / "roberta")


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Two files, one shard each, with two decomposed lines in the one and one in the other."""
    monkeypatch.setattr(shards, "SHARD_BYTES", 1)
    odd = [unicodedata.normalize("NFD", line) for line in LINES[:3]]
    for name, lines in (("a.txt", [*odd[:2], *LINES]), ("b.txt", [*LINES, odd[2]])):
        (tmp_path / name).write_text("\n".join(lines), encoding="utf-8")
    return [str(tmp_path / name) for name in ("a.txt", "b.txt")]


@pytest.mark.parametrize("num_proc", ["1", pytest.param("2", marks=pytest.mark.slow)])
def test_the_lines_of_all_files_are_counted(
    num_proc: str, files: list[str], tmp_path: Path, byte_level: Path, caplog: pytest.LogCaptureFixture
) -> None:
    output = tmp_path / "corpus"
    assert prepare(Path(files[0]), byte_level, output, "--input", *files, "--num_proc", num_proc) == 0
    assert [f"a.txt and others: {NOTE.format(rows='3 lines')}" in message for message in caplog.messages] == [True]
    manifest = read_manifest(output)
    assert manifest["unknown_rate"] == 0
    assert set(manifest["lines"]) == {"read", "kept", "dropped", "cut", "ends_dropped"}


def test_shards_and_their_merge_count_as_well(
    files: list[str], tmp_path: Path, byte_level: Path, caplog: pytest.LogCaptureFixture
) -> None:
    parts = [str(tmp_path / number) for number in "12"]
    for number, part in zip("12", parts, strict=True):
        assert prepare(Path(files[0]), byte_level, Path(part), "--input", *files, "--shard", f"{number}/2") == 0
    assert main(["merge", *parts, "--tokenizer", str(byte_level), "--output", str(tmp_path / "merged")]) == 0
    expected = [("shard 1/2", "2 lines"), ("shard 2/2", "1 line"), ("a.txt and others", "3 lines")]
    assert len(caplog.messages) == len(expected)
    for message, (where, rows) in zip(caplog.messages, expected, strict=True):
        assert message.startswith(f"{where}: {NOTE.format(rows=rows)}")


def test_composed_text_says_nothing(tmp_path: Path, byte_level: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "a.txt"
    path.write_text("\n".join(LINES), encoding="utf-8")
    assert prepare(path, byte_level, tmp_path / "corpus") == 0
    assert caplog.messages == []
