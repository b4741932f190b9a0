"""Reading text from all formats, and the errors of files that are not what they should be."""

import bz2
import gc
import gzip
import json
import lzma
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from distilkobert.io.reading.texts import read_lines, read_texts, text_kind

TEXTS = ["첫째 줄", "", "둘째\u2028줄", "caf\u00e9 \U0001f600", "탭\t줄", "끝"]
PLAIN = "\n".join(TEXTS).encode() + b"\n"
PACK: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": gzip.compress,
    ".xz": lzma.compress,
    ".bz2": bz2.compress,
    ".zst": lambda data: zstandard.ZstdCompressor().compress(data),
}


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def jsonl(texts: list[str]) -> bytes:
    return "".join(json.dumps({"id": 1, "text": text}, ensure_ascii=False) + "\n" for text in texts).encode()


def parquet(texts: list[str | None]) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"id": list(range(len(texts))), "text": pa.array(texts, pa.string())}), sink)
    return bytes(sink.getvalue().to_pybytes())


@pytest.mark.parametrize("suffix", PACK)
def test_every_kind_in_every_compression(tmp_path: Path, suffix: str) -> None:
    assert list(read_texts(write(tmp_path / f"a.txt{suffix}", PACK[suffix](PLAIN)))) == TEXTS
    assert list(read_texts(write(tmp_path / f"a.jsonl{suffix}", PACK[suffix](jsonl(TEXTS))), "text")) == TEXTS
    assert list(read_texts(write(tmp_path / f"A.PARQUET{suffix}", PACK[suffix](parquet([*TEXTS]))), "text")) == TEXTS


@pytest.mark.parametrize("suffix", [".gz", ".xz", ".bz2", ".zst"])
def test_files_of_several_compressed_parts(tmp_path: Path, suffix: str) -> None:
    half = len(PLAIN) // 2
    content = PACK[suffix](PLAIN[:half]) + PACK[suffix](PLAIN[half:])
    assert list(read_lines(write(tmp_path / f"a.txt{suffix}", content))) == TEXTS


@pytest.mark.parametrize("suffix", PACK)
def test_long_files_pass_the_block_size(tmp_path: Path, suffix: str) -> None:
    lines = [f"{number} 번째 줄 " + "가" * (number % 97) for number in range(5000)]
    read: list[int] = []
    path = write(tmp_path / f"a.txt{suffix}", PACK[suffix]("\n".join(lines).encode()))
    assert list(read_lines(path, read.append)) == lines
    assert sum(read) == path.stat().st_size


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n\r")), min_size=1, max_size=8))
def test_any_text_comes_back_with_either_line_end(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    folder = tmp_path_factory.mktemp("lines")
    for end in ("\n", "\r\n"):
        content = "".join(text + end for text in [*texts, "끝"]).encode()
        expected = [texts[0].removeprefix("\ufeff"), *texts[1:], "끝"]
        assert list(read_lines(write(folder / "a.txt", content))) == expected


def test_byte_order_mark_is_no_text(tmp_path: Path) -> None:
    assert list(read_lines(write(tmp_path / "a.txt", "\ufeff가\n\ufeff나".encode()))) == ["가", "\ufeff나"]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.b.txt", "txt"),
        ("A.JSONL.GZ", "jsonl"),
        ("AA/wiki_00", "txt"),
        ("AA/wiki_00.bz2", "txt"),
        ("part-00000.zst", "txt"),
    ],
)
def test_kind_from_the_name(name: str, kind: str) -> None:
    assert text_kind(Path(name)) == kind


@pytest.mark.parametrize(("name", "suffix"), [("a.csv", ".csv"), ("a.ko.gz", ".ko"), ("a.gz.txt.gz.gz", ".gz")])
def test_unknown_names(name: str, suffix: str) -> None:
    message = rf"unknown file type \{suffix}; expected a name ending in \.txt, \.jsonl or \.parquet.*--format txt"
    with pytest.raises(ValueError, match=message):
        text_kind(Path(name))
    assert text_kind(Path(name), "jsonl") == "jsonl"


@pytest.mark.parametrize("suffix", PACK)
def test_names_without_a_suffix_and_a_kind_of_ones_own(tmp_path: Path, suffix: str) -> None:
    """As WikiExtractor names its files, which hold lines or, with --json, objects."""
    assert list(read_texts(write(tmp_path / f"wiki_00{suffix}", PACK[suffix](PLAIN)))) == TEXTS
    objects = write(tmp_path / f"wiki_01{suffix}", PACK[suffix](jsonl(TEXTS)))
    assert list(read_texts(objects, "text", kind="jsonl")) == TEXTS
    table = write(tmp_path / f"rows.2024{suffix}", PACK[suffix](parquet([*TEXTS])))
    assert list(read_texts(table, "text", kind="parquet")) == TEXTS


@pytest.mark.parametrize(
    ("encoding", "advised"),
    [
        ("utf-16", "UTF-16"),
        ("utf-32", "UTF-32"),
        ("utf-16-le", "UTF-16LE"),
        ("utf-16-be", "UTF-16BE"),
        ("cp949", "CP949"),
    ],
)
@pytest.mark.parametrize("text", ["id\tdocument\tlabel\n1\t볼만했다\t1\n", "첫째 줄\n둘째 줄\n"])
def test_the_advised_conversion_works(tmp_path: Path, encoding: str, advised: str, text: str) -> None:
    path = write(tmp_path / "a.txt", text.encode(encoding))
    with pytest.raises(ValueError, match=rf"line \d: not UTF-8 .*iconv -f {advised} -t UTF-8$"):
        list(read_lines(path))
    assert path.read_bytes().decode(advised) == text
    if encoding == "utf-16":
        big_endian = write(tmp_path / "b.txt", b"\xfe\xff" + text.encode("utf-16-be"))
        with pytest.raises(ValueError, match=r"line 1: not UTF-8 .*iconv -f UTF-16 -t UTF-8$"):
            list(read_lines(big_endian))


def test_bytes_that_are_not_utf8_are_named_by_file_and_line(tmp_path: Path) -> None:
    path = write(tmp_path / "old.txt", "가\n나다 ".encode() + "한글".encode("cp949") + b"\n")
    with pytest.raises(ValueError, match=r"old\.txt, line 2: not UTF-8 \(byte 0xc7 at position 8\), where a character"):
        list(read_lines(path))


UNPACKER: dict[str, Callable[[], Any]] = {
    ".gz": lambda: zlib.decompressobj(zlib.MAX_WBITS | 16),
    ".xz": lzma.LZMADecompressor,
    ".bz2": bz2.BZ2Decompressor,
    ".zst": lambda: zstandard.ZstdDecompressor().decompressobj(),
}


@pytest.mark.parametrize("suffix", UNPACKER)
@pytest.mark.parametrize("kept", [0.05, 0.5, 0.999])
def test_cut_off_files_give_all_whole_lines_and_name_the_last(tmp_path: Path, suffix: str, kept: float) -> None:
    content = PACK[suffix]("".join(f"{number * 7919} 번째\n" for number in range(20000)).encode())
    cut = content[: int(len(content) * kept)]
    whole = UNPACKER[suffix]().decompress(cut).decode("utf-8", "ignore").split("\n")[:-1]
    assert suffix in (".zst", ".bz2") or len(whole) > 500
    lines = []
    path = write(tmp_path / f"cut.txt{suffix}", cut)
    message = rf"cut\.txt\{suffix}, after line {len(whole)}: the compressed data is cut off or damaged"
    with pytest.raises(ValueError, match=message):
        lines.extend(read_lines(path))  # keeps what came before the error
    assert lines == whole


@pytest.mark.parametrize("suffix", [".gz", ".xz", ".bz2", ".zst"])
def test_files_that_are_not_compressed_at_all(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(ValueError, match="after line 0: the compressed data is cut off or damaged"):
        list(read_lines(write(tmp_path / f"a.txt{suffix}", PLAIN)))


@pytest.mark.parametrize("suffix", PACK)
def test_empty_files(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(ValueError, match="is empty"):
        list(read_lines(write(tmp_path / f"a.txt{suffix}", PACK[suffix](b""))))
    with pytest.raises(ValueError, match="is empty"):
        list(read_texts(write(tmp_path / f"a.parquet{suffix}", PACK[suffix](parquet([]))), "text"))


@pytest.mark.parametrize("suffix", PACK)
@pytest.mark.parametrize("content", ["\ufeff", "\ufeff\n", "\n", "\r\n \t\n\u3000"])
def test_files_of_nothing_but_blank_lines_are_empty(tmp_path: Path, suffix: str, content: str) -> None:
    with pytest.raises(ValueError, match=r"is empty \(only blank lines\); expected text"):
        list(read_lines(write(tmp_path / f"a.txt{suffix}", PACK[suffix](content.encode()))))


def test_blank_lines_beside_text_and_empty_texts_stay(tmp_path: Path) -> None:
    assert list(read_lines(write(tmp_path / "a.txt", "\ufeff\n\n가\n\n".encode()))) == ["", "", "가", ""]
    assert list(read_texts(write(tmp_path / "a.jsonl", jsonl(["", ""])), "text")) == ["", ""]


def test_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"gone\.txt does not exist"):
        list(read_lines(tmp_path / "gone.txt"))
    with pytest.raises(FileNotFoundError, match="is not a file"):
        list(read_lines(tmp_path))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{'text': 1}", r"line 2: not JSON"),
        ('["가"]', r"line 2: expected an object with a string in 'text', found list"),
        ('{"body": "가"}', r"line 2: expected an object with a string in 'text', found an object with \['body'\]"),
        ('{"text": null}', r"line 2: expected an object with a string in 'text'"),
        ('{"text": "\\ud800"}', r"line 2: a lone surrogate in 'text'"),
        ("[" * 100_000, r"line 2: brackets nested too deeply"),
        ('{"text": ' + "[" * 100_000, r"line 2: brackets nested too deeply"),
        ('{"text": "가", "id": 1' + "0" * 5000 + "}", r"line 2: an integer with too many digits"),
    ],
)
def test_bad_jsonl_lines(tmp_path: Path, line: str, message: str) -> None:
    path = write(tmp_path / "a.jsonl", jsonl(["가"]) + line.encode() + b"\n")
    with pytest.raises(ValueError, match=message):
        list(read_texts(path, "text"))


def test_blank_jsonl_lines_are_empty_texts(tmp_path: Path) -> None:
    assert list(read_texts(write(tmp_path / "a.jsonl", jsonl(["가"]) + b"\n"), "text")) == ["가", ""]


def test_bad_parquet_files(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"expected a column 'body' of strings, found id \(int64\), text \(string\)"):
        list(read_texts(write(tmp_path / "a.parquet", parquet(["가"])), "body"))
    with pytest.raises(ValueError, match=r"expected a column 'id' of strings"):
        list(read_texts(tmp_path / "a.parquet", "id"))
    with pytest.raises(ValueError, match=r"b\.parquet, row 2: no text in 'text'"):
        list(read_texts(write(tmp_path / "b.parquet", parquet(["가", None])), "text"))
    with pytest.raises(ValueError, match=r"c\.parquet: not a complete Parquet file"):
        list(read_texts(write(tmp_path / "c.parquet", parquet(["가"])[:-20]), "text"))
    with pytest.raises(ValueError, match=r"d\.parquet\.gz: not a complete Parquet file"):
        list(read_texts(write(tmp_path / "d.parquet.gz", gzip.compress(parquet(["가"]))[:-9]), "text"))


def test_formats_with_fields_need_one(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"a \.jsonl file has several fields; set field"):
        list(read_texts(write(tmp_path / "a.jsonl", jsonl(["가"]))))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("suffix", PACK)
def test_files_are_closed_when_nobody_reads_on(tmp_path: Path, suffix: str) -> None:
    reader = read_lines(write(tmp_path / f"a.txt{suffix}", PACK[suffix](PLAIN)))
    next(reader)
    del reader
    gc.collect()
