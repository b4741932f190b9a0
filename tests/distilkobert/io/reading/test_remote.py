"""Files behind addresses: found, described and read as local ones are, over fsspec's memory and a loopback server."""

import bz2
import gzip
import io
import lzma
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from fsspec.implementations.memory import MemoryFileSystem

from distilkobert.io.files import sha256_of_file
from distilkobert.io.reading import remote
from distilkobert.io.reading.inputs import described, expand_inputs, size_of
from distilkobert.io.reading.remote import RemoteFile, find_remote
from distilkobert.io.reading.texts import read_texts
from tests.support.servers.folder_server import FolderServer, web

__all__ = ["web"]

TEXTS = ["첫 줄입니다", "", "셋째 줄, 둘째 다음"] * 400
PLAIN = "\n".join(TEXTS).encode()
PACK = {"": bytes, ".gz": gzip.compress, ".xz": lzma.compress, ".bz2": bz2.compress, ".zst": zstandard.compress}


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "PAUSE_SECONDS", 0.001)


@pytest.fixture
def memory() -> Iterator[Any]:
    """fsspec's file system in memory, which all of a process share."""
    system = fsspec.filesystem("memory")
    yield system
    for name in system.ls("/", detail=False):
        system.rm(name, recursive=True)


def parquet(texts: list[str]) -> bytes:
    stream = io.BytesIO()
    pq.write_table(pa.table({"text": texts, "id": list(range(len(texts)))}), stream, row_group_size=100)
    return stream.getvalue()


@pytest.mark.parametrize("place", ["memory", "web"])
@pytest.mark.parametrize("suffix", PACK)
def test_all_kinds_are_read_as_local_files_are(
    place: str, suffix: str, memory: Any, web: FolderServer, tmp_path: Path
) -> None:
    contents = {f"a.txt{suffix}": PACK[suffix](PLAIN), f"b.parquet{suffix}": PACK[suffix](parquet(TEXTS))}
    for name, content in contents.items():
        memory.pipe(f"/texts/{name}", content)
        web.files[name] = content
        (tmp_path / name).write_bytes(content)
        address = f"memory://texts/{name}" if place == "memory" else f"{web.url}/{name}"
        (file,) = expand_inputs([address])
        assert isinstance(file, RemoteFile)
        assert (file.name, size_of(file)) == (name, len(content))
        read: list[int] = []
        field = "text" if "parquet" in name else None
        assert list(read_texts(file, field, read.append)) == list(read_texts(tmp_path / name, field)) == TEXTS
        if field is None:
            assert sum(read) == len(content)


def test_patterns_are_found_in_order(memory: Any, web: FolderServer, tmp_path: Path) -> None:
    for name in ("b.txt", "a.txt", "deep/c.txt", "d.jsonl"):
        memory.pipe(f"/texts/{name}", PLAIN)
        web.files[name.replace("/", "_")] = PLAIN
    (tmp_path / "e.txt").write_bytes(PLAIN)
    found = expand_inputs([str(tmp_path / "*.txt"), "memory://texts/**/*.txt", f"{web.url}/*.txt"])
    assert [str(file) for file in found] == [
        str(tmp_path / "e.txt"),
        *(f"memory:///texts/{name}.txt" for name in ("a", "b", "deep/c")),
        *(f"{web.url}/{name}.txt" for name in ("a", "b", "deep_c")),
    ]
    (queried,) = expand_inputs([f"{web.url}/a.txt?download=true"])
    assert queried.name == "a.txt"


@pytest.mark.parametrize("name", ["hf://x", "hf://datasets/x"])
def test_a_name_that_the_hub_does_not_take_is_shown_with_one_that_it_does(name: str) -> None:
    with pytest.raises(ValueError, match=rf"^{name}: .*; expected hf://datasets/OWNER/NAME/FILE$"):
        find_remote(name)


def test_content_is_known_by_hash_or_etag(memory: Any, web: FolderServer, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(PLAIN)
    memory.pipe("/a.txt", PLAIN)
    web.files["a.txt"] = PLAIN
    local = {"name": "a.txt", "bytes": len(PLAIN), "sha256": sha256_of_file(tmp_path / "a.txt")}
    assert described(tmp_path / "a.txt") == described(find_remote("memory://a.txt")[0]) == local
    entry = described(find_remote(f"{web.url}/a.txt")[0])
    assert set(entry) == {"name", "bytes", "etag"}
    assert [asked.split()[0] for asked in web.asked] == ["HEAD"]  # the file was not read
    web.files["a.txt"] = PLAIN[:-1] + b"x"
    assert described(find_remote(f"{web.url}/a.txt")[0])["etag"] != entry["etag"]
    web.knows_etags = False
    web.files["a.txt"] = PLAIN
    assert described(find_remote(f"{web.url}/a.txt")[0]) == local


def test_hashes_that_a_file_system_knows_are_taken(monkeypatch: pytest.MonkeyPatch, memory: Any) -> None:
    """As the Hugging Face hub (`lfs`, `blob_id`), S3 (`ETag`) and others describe files."""
    memory.pipe("/a.txt", PLAIN)
    plain = MemoryFileSystem.info
    for more, expected in (
        ({"lfs": {"sha256": "5" * 64}, "blob_id": "1"}, ("sha256", "5" * 64)),
        ({"lfs": None, "blob_id": "1"}, ("etag", "1")),
        ({"ETag": '"2"'}, ("etag", "2")),
        ({"ETag": 'W/"2"'}, None),
        ({"md5Hash": "3"}, ("etag", "3")),
        ({}, None),
    ):
        monkeypatch.setattr(MemoryFileSystem, "info", lambda self, path, more=more, **_: {**plain(self, path), **more})
        assert find_remote("memory://a.txt")[0].identity == expected


@pytest.mark.parametrize(
    ("address", "kind", "message"),
    [
        ("s3://bucket/a.txt", ValueError, r"^s3://bucket/a\.txt: a package is missing \(Install s3fs"),
        ("nope://a.txt", ValueError, r"^nope://a\.txt: Protocol not known: nope; expected a path, or an address"),
        ("memory://nothing.txt", FileNotFoundError, r"^no file at memory://nothing\.txt"),
        ("memory://texts/*.parquet", FileNotFoundError, r"^no file matches 'memory://texts/\*\.parquet'"),
        ("memory://texts", FileNotFoundError, r"^memory://texts is a folder; give its files"),
        ("memory://empty.txt", ValueError, r"^memory:///empty\.txt is empty"),
        (
            "http://127.0.0.1:1/a.txt",
            ConnectionError,
            r"^http://127\.0\.0\.1:1/a\.txt cannot be reached \(ClientConnector",
        ),
    ],
)
def test_addresses_that_cannot_be_used(address: str, kind: type[Exception], message: str, memory: Any) -> None:
    memory.pipe("/texts/a.txt", PLAIN)
    memory.pipe("/empty.txt", b"")
    with pytest.raises(kind, match=message):
        expand_inputs([address])


def test_one_file_by_two_names_is_refused(memory: Any) -> None:
    memory.pipe("/texts/a.txt", PLAIN)
    with pytest.raises(ValueError, match=r"memory:///texts/a\.txt is given twice"):
        expand_inputs(["memory://texts/a.txt", "memory://texts/*"])


def test_a_file_without_length(web: FolderServer) -> None:
    web.files["a.txt"], web.knows_lengths = PLAIN, False
    with pytest.raises(ValueError, match="the server sends no Content-Length; download the file"):
        expand_inputs([f"{web.url}/a.txt"])


def test_a_block_that_breaks_off_is_asked_for_again(web: FolderServer) -> None:
    web.files["a.txt"] = PLAIN
    (file,) = expand_inputs([f"{web.url}/a.txt"])
    web.break_next = remote.ATTEMPTS - 1
    assert list(read_texts(file)) == TEXTS
    web.break_next = remote.ATTEMPTS
    with pytest.raises(ConnectionError, match=rf"a\.txt: no answer after byte 0 after {remote.ATTEMPTS} attempts"):
        list(read_texts(file))


def test_a_mistake_of_the_code_is_not_tried_again(memory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    memory.pipe("/a.txt", PLAIN)
    (file,) = expand_inputs(["memory://a.txt"])
    monkeypatch.setattr(memory, "open", lambda path: None)  # lacks the mode
    monkeypatch.setattr(remote, "PAUSE_SECONDS", 60.0)
    with pytest.raises(TypeError, match="takes 1 positional argument"):
        list(read_texts(file))


def test_a_file_that_is_shorter_than_it_was_or_replaced(web: FolderServer) -> None:
    web.files["a.txt"] = PLAIN
    (file,) = expand_inputs([f"{web.url}/a.txt"])
    web.cut_to = 100
    with pytest.raises(ConnectionError, match=rf"a\.txt ends after 100 bytes, expected {len(PLAIN):,}"):
        list(read_texts(file))
    web.cut_to = None
    web.files["a.txt"] = PLAIN[:-1] + b"x"
    with pytest.raises(ConnectionError, match=r"a\.txt was replaced while it was read"):
        list(read_texts(file))
