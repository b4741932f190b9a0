"""`prepare corpus` from addresses gives the corpus of local copies, finds it again, and goes on after a failure."""

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest
from datasets import load_from_disk

from distilkobert.corpus.manifest import read_manifest
from distilkobert.corpus.preparation import shards
from distilkobert.io.reading import remote
from tests.support.corpus_text import LINES, leftovers, prepare
from tests.support.servers.folder_server import FolderServer, web

__all__ = ["web"]

CONTENTS = {f"{n}.txt.gz": gzip.compress("\n".join(f"{n} {line}" for line in LINES).encode()) for n in range(3)}


@pytest.fixture(autouse=True)
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "SHARD_BYTES", 500)
    monkeypatch.setattr(remote, "PAUSE_SECONDS", 0.001)


@pytest.fixture
def memory() -> Iterator[Any]:
    system = fsspec.filesystem("memory")
    for name, content in CONTENTS.items():
        system.pipe(f"/texts/{name}", content)
    yield system
    system.rm("/texts", recursive=True)


@pytest.fixture
def local(tmp_path: Path, tiny_tokenizer_dir: Path) -> Path:
    """The corpus of local copies."""
    (tmp_path / "copies").mkdir()
    for name, content in CONTENTS.items():
        (tmp_path / "copies" / name).write_bytes(content)
    assert prepare(tmp_path / "copies" / "*.txt.gz", tiny_tokenizer_dir, tmp_path / "local") == 0
    return tmp_path / "local"


def test_memory_gives_what_local_copies_give(
    memory: Any, local: Path, tmp_path: Path, tiny_tokenizer_dir: Path, capsys
) -> None:
    inputs = ["--input", "memory://texts/*.txt.gz"]
    assert prepare(tmp_path, tiny_tokenizer_dir, tmp_path / "corpus", *inputs) == 0
    assert (tmp_path / "corpus" / "manifest.json").read_bytes() == (local / "manifest.json").read_bytes()
    assert prepare(tmp_path, tiny_tokenizer_dir, local, *inputs) == 0  # the local one is the same corpus
    assert "already exists" in capsys.readouterr().out
    for number in (1, 2):
        assert prepare(tmp_path, tiny_tokenizer_dir, tmp_path / str(number), *inputs, "--shard", f"{number}/2") == 0


def test_a_web_server_that_fails_and_comes_back(
    web: FolderServer, local: Path, tmp_path: Path, tiny_tokenizer_dir: Path, capsys
) -> None:
    web.files = dict(CONTENTS)
    del web.files["2.txt.gz"]
    inputs = ["--input", *(f"{web.url}/{name}" for name in CONTENTS)]
    assert prepare(tmp_path, tiny_tokenizer_dir, tmp_path / "corpus", *inputs) == 2
    assert f"no file at {web.url}/2.txt.gz" in capsys.readouterr().err
    web.files = dict(CONTENTS)
    web.cut_to = len(CONTENTS["1.txt.gz"]) - 9
    assert prepare(tmp_path, tiny_tokenizer_dir, tmp_path / "corpus", *inputs) == 2
    assert f"0.txt.gz ends after {web.cut_to:,} bytes" in capsys.readouterr().err
    web.cut_to = None
    assert prepare(tmp_path, tiny_tokenizer_dir, tmp_path / "corpus", *inputs) == 0
    assert leftovers(tmp_path) == ["copies", "corpus", "local"]
    ours, theirs = (load_from_disk(str(folder)) for folder in (tmp_path / "corpus", local))
    assert all(ours[part]["input_ids"] == theirs[part]["input_ids"] for part in ("train", "validation"))
    assert [set(entry) for entry in read_manifest(tmp_path / "corpus")["inputs"]] == 3 * [{"name", "bytes", "etag"}]
    web.asked.clear()
    assert prepare(tmp_path, tiny_tokenizer_dir, tmp_path / "corpus", *inputs) == 0
    assert "already exists" in capsys.readouterr().out
    assert not [asked for asked in web.asked if not asked.startswith("HEAD")]
    web.files["1.txt.gz"] = gzip.compress(b"x\n")
    assert prepare(tmp_path, tiny_tokenizer_dir, tmp_path / "corpus", *inputs) == 2
    assert "contains another corpus (input file 2: found 1.txt.gz with etag " in capsys.readouterr().err


def test_a_missing_package_is_named(tmp_path: Path, tiny_tokenizer_dir: Path, capsys) -> None:
    assert prepare(tmp_path, tiny_tokenizer_dir, tmp_path / "corpus", "--input", "s3://bucket/*.txt") == 2
    error = capsys.readouterr().err
    assert "s3://bucket/*.txt: a package is missing (Install s3fs to access S3); install it with pip" in error
    assert error.count("\n") == 1
