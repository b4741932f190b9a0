"""Texts in blocks against `read_texts`, which reads them one by one: the same texts, the same errors."""

import gzip
import json
import pickle
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distilkobert.io.reading.text_blocks import FilePart, LineBlock, read_blocks
from distilkobert.io.reading.texts import read_texts

CONTENT = "\ufeff첫째\r\n\n둘째\u2028줄\ncaf\u00e9 \U0001f600\n\ufeff끝".encode()
OBJECTS = b"".join(json.dumps({"text": text}).encode() + b"\n" for text in ("가", "", "나\n다")) + b"\n"


def in_blocks(path: Path, size: int, field: str | None = None) -> list[str]:
    """All texts, by way of pickles, as another process gets them."""
    texts: list[str] = []
    for block, count in read_blocks(path, lambda: size, field):
        found = pickle.loads(pickle.dumps(block)).texts()  # noqa: S301 - its own
        assert len(found) == count <= size
        texts += found
    return texts


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=9),
    st.sampled_from(["\n", "\r\n"]),
    st.integers(1, 4),
)
def test_any_text_in_blocks_of_any_size(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], end: str, size: int
) -> None:
    path = tmp_path_factory.mktemp("blocks") / "a.txt"
    path.write_bytes(end.join([*texts, "끝"]).encode())
    assert in_blocks(path, size) == list(read_texts(path))


@pytest.mark.parametrize("size", [1, 2, 3, 99])
@pytest.mark.parametrize(("name", "field"), [("a.txt", None), ("a.txt.gz", None), ("a.jsonl", "text")])
def test_every_kind(tmp_path: Path, name: str, field: str | None, size: int) -> None:
    path, content = tmp_path / name, OBJECTS if field else CONTENT
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    assert in_blocks(path, size, field) == list(read_texts(path, field))


def test_rows_of_parquet(tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": ["가", "", "나"]}), tmp_path / "a.parquet")
    assert in_blocks(tmp_path / "a.parquet", 2, "text") == ["가", "", "나"]


def test_blocks_of_a_plain_file_are_places_in_it(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(CONTENT)
    read: list[int] = []
    blocks = [block for block, _ in read_blocks(path, lambda: 2, on_read=read.append)]
    parts = [block.content for block in blocks if isinstance(block, LineBlock)]
    assert [type(part) for part in parts] == [FilePart] * 3
    assert b"".join(part.read() for part in parts if isinstance(part, FilePart)) == CONTENT
    assert sum(read) == len(CONTENT)
    path.write_bytes(CONTENT[:-1])
    with pytest.raises(ValueError, match="has become shorter while it was read"):
        blocks[-1].texts()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("latin.txt", "가\n나\n".encode() + b"caf\xe9 x\n" + "라\n".encode()),
        ("mark.txt", b"\xef\xbb\xbf" + b"caf\xe9\n"),
        ("utf16.txt", "가 나 다\n둘째 줄\n".encode("utf-16")),
        ("utf16le.txt", "abc 가\n둘째 줄\n".encode("utf-16-le")),
        ("blank.txt", "\ufeff\n \n\u3000\n\n".encode()),
        ("cut.txt.gz", gzip.compress("가나다\n".encode() * 4000)[:-20]),
        ("a.jsonl", OBJECTS + b'{"text": 3}\n'),
        ("b.jsonl", OBJECTS + b"{\n"),
        ("field.jsonl", OBJECTS),
    ],
)
@pytest.mark.parametrize("size", [1, 3, 99])
def test_errors_are_those_of_one_line_at_a_time(tmp_path: Path, name: str, content: bytes, size: int) -> None:
    path, field = tmp_path / name, "text" if name in ("a.jsonl", "b.jsonl") else None
    path.write_bytes(content)
    with pytest.raises(ValueError, match=name) as expected:
        list(read_texts(path, field))
    with pytest.raises(ValueError, match=name) as found:
        in_blocks(path, size, field)
    assert str(found.value) == str(expected.value)
