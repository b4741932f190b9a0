"""Texts of files in blocks, which one process finds and others decode.

Who reads a file this way looks for the ends of its lines only. Of a plain file on this machine a block is a place in
it, so that its bytes pass through no pipe between processes.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from distilkobert.io.reading.remote import InputFile
from distilkobert.io.reading.streams import SUFFIXES
from distilkobert.io.reading.texts import (
    BYTE_ORDER_MARK,
    TextKind,
    json_text,
    no_text,
    not_utf8,
    raw_lines,
    read_parquet,
    required_field,
    text_kind,
)

_BEGIN_BYTES = 1024


@dataclass(frozen=True)
class FilePart:
    """Bytes of a plain file.

    Args:
        path: the file.
        start: place of the first byte.
        size: their number.
    """

    path: Path
    start: int
    size: int

    def read(self) -> bytes:
        """The bytes.

        Raises:
            ValueError: the file has become shorter.
        """
        with self.path.open("rb") as stream:
            stream.seek(self.start)
            content = stream.read(self.size)
        if len(content) < self.size:
            raise ValueError(f"{self.path} has become shorter while it was read; give it again when it is complete")
        return content


@dataclass(frozen=True)
class LineBlock:
    """Whole lines that follow one another in a file.

    Args:
        name: of the file, for errors.
        first: number of the first line, from 1.
        content: the lines, each with its end, or where they are.
        begin: how the file begins, which shows its encoding.
        field: key of JSON objects; None where lines are texts.
    """

    name: str
    first: int
    content: bytes | FilePart
    begin: bytes
    field: str | None

    def texts(self) -> list[str]:
        """The text of each line, as `read_texts` gives it.

        Raises:
            ValueError: a line is not UTF-8, or no object with a string in `field`; file and line are named.
        """
        raw = self.content if isinstance(self.content, bytes) else self.content.read()
        if self.first == 1:
            raw = raw.removeprefix(BYTE_ORDER_MARK)
        try:
            whole = raw.decode("utf-8")
        except UnicodeDecodeError:
            raise self._not_utf8(raw) from None
        lines = whole.removesuffix("\n").split("\n")
        if "\r" in whole:
            lines = [line.removesuffix("\r") for line in lines]
        if self.field is None:
            return lines
        return [
            json_text(f"{self.name}, line {number}", line, self.field)
            for number, line in enumerate(lines, start=self.first)
        ]

    def _not_utf8(self, raw: bytes) -> ValueError:
        for number, line in enumerate(raw.split(b"\n"), start=self.first):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError as error:
                return ValueError(f"{self.name}, line {number}: {not_utf8(error, self.begin)}")
        raise AssertionError("a line end is never inside a character of UTF-8")


@dataclass(frozen=True)
class RowBlock:
    """Texts that are decoded already, because their format has no lines."""

    rows: list[str]

    def texts(self) -> list[str]:
        """The texts."""
        return self.rows


TextBlock = LineBlock | RowBlock


def read_blocks(
    path: InputFile,
    wanted: Callable[[], int],
    field: str | None = None,
    on_read: Callable[[int], None] | None = None,
    kind: TextKind | None = None,
) -> Iterator[tuple[TextBlock, int]]:
    """Yield all texts of a file in blocks, each with the number of its texts.

    Args:
        path: the file.
        wanted: called before each block; gives the most texts that it may have.
        field, on_read, kind: as in `read_texts`.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: Nothing in it, or damaged or cut-off compression, as `read_texts`. What is wrong in a line is found
            by `LineBlock.texts`.
    """
    kind = text_kind(path, kind)
    if kind == "parquet":
        rows = read_parquet(path, required_field(path, kind, field), on_read)
        while taken := list(islice(rows, wanted())):
            yield RowBlock(taken), len(taken)
        return
    key = required_field(path, kind, field) if kind == "jsonl" else None
    plain = path if isinstance(path, Path) and path.suffix.lower() not in SUFFIXES else None
    lines, begin, blank = raw_lines(path, on_read), b"", True
    first, start = 1, 0
    while chunk := list(islice(lines, wanted())):
        begin = begin or chunk[0][:_BEGIN_BYTES]
        blank = blank and _is_blank(chunk)
        size = sum(map(len, chunk))
        content = b"".join(chunk) if plain is None else FilePart(plain, start, size)
        yield LineBlock(str(path), first, content, begin, key), len(chunk)
        first, start = first + len(chunk), start + size
    if blank:
        raise no_text(path, first - 1)


def _is_blank(lines: list[bytes]) -> bool:
    """Whether lines at the begin of a file are white space; what is not UTF-8 is none."""
    try:
        return not b"".join(lines).removeprefix(BYTE_ORDER_MARK).decode("utf-8").strip()
    except UnicodeDecodeError:
        return False
