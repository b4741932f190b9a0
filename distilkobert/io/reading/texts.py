"""Reading text out of files: `.txt`, `.jsonl` and `.parquet`, plain or compressed as `.gz`, `.xz`, `.bz2` or `.zst`.

Every reader streams, so memory stays flat, and every error names the file and the line.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Literal, cast

from distilkobert.io.reading.parquet import opened_parquet
from distilkobert.io.reading.remote import InputFile
from distilkobert.io.reading.streams import DAMAGED, SUFFIXES, open_stream

TextKind = Literal["txt", "jsonl", "parquet"]

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_OTHER_MARKS = {b"\xff\xfe\0\0": "UTF-32", b"\0\0\xfe\xff": "UTF-32", b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}
_PARQUET_ROWS_AT_A_TIME = 4096
_HANGUL = re.compile("[가-힣]")


def text_kind(path: InputFile, kind: TextKind | None = None) -> TextKind:
    """Read what is in a file off its name, capital letters or not; a name without a suffix is text.

    Args:
        path: The file.
        kind: What is in it, whatever its name says of that.

    Raises:
        ValueError: The name ends in a suffix that is not known, and no `kind` is given.
    """
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] in SUFFIXES:
        suffixes.pop()
    if kind is None and suffixes and suffixes[-1] not in (".txt", ".jsonl", ".parquet"):
        raise ValueError(
            f"{path}: unknown file type {suffixes[-1]}; expected a name ending in .txt, .jsonl or .parquet, "
            "optionally followed by .gz, .xz, .bz2 or .zst; or set the format, for example --format txt"
        )
    return kind or cast(TextKind, suffixes[-1][1:] if suffixes else "txt")


def read_texts(
    path: InputFile,
    field: str | None = None,
    on_read: Callable[[int], None] | None = None,
    kind: TextKind | None = None,
) -> Iterator[str]:
    """Yield the texts of a file one by one: the lines of `.txt`, or the string in `field` of each object or row.

    Args:
        path: The file; its name tells how to read it (see `text_kind`).
        field: The key of `.jsonl` objects or the column of `.parquet` files; `.txt` files do not use it.
        on_read: Called with the number of bytes just read, as they are stored, for progress bars.
        kind: How to read it, whatever its name says.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: Nothing in it, not UTF-8, damaged or cut-off compression, a row without `field` or with something
            else than a string there; the message names the file and the line or row.
    """
    kind = text_kind(path, kind)
    if kind == "txt":
        yield from read_lines(path, on_read)
    elif kind == "jsonl":
        yield from _read_jsonl(path, required_field(path, kind, field), on_read)
    else:
        yield from read_parquet(path, required_field(path, kind, field), on_read)


def required_field(path: InputFile, kind: TextKind, field: str | None) -> str:
    """The field with the text.

    Raises:
        ValueError: none is given.
    """
    if field is None:
        raise ValueError(f"{path}: a .{kind} file has several fields; set field to the one with the text")
    return field


def read_lines(path: InputFile, on_read: Callable[[int], None] | None = None) -> Iterator[str]:
    r"""Yield the lines of a text file without their line ends (`\n` or `\r\n`) and without a byte-order mark.

    Any suffix will do; `.gz`, `.xz`, `.bz2` and `.zst` are decompressed. Only a line feed ends a line: Unicode's other
    separators stay inside it, as they do in the tools that wrote the file.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: Nothing but blank lines, or none, in it; not UTF-8, or damaged or cut-off compression; file and line
            are named.
    """
    number, blank, first = 0, True, b""
    for number, line in enumerate(raw_lines(path, on_read), start=1):
        if number == 1:
            first = line
            line = line.removeprefix(BYTE_ORDER_MARK)
        try:
            text = line.removesuffix(b"\n").removesuffix(b"\r").decode("utf-8")
        except UnicodeDecodeError as error:
            raise ValueError(f"{path}, line {number}: {not_utf8(error, first)}") from None
        blank = blank and not text.strip()
        yield text
    if blank:
        raise no_text(path, number)


def raw_lines(path: InputFile, on_read: Callable[[int], None] | None) -> Iterator[bytes]:
    """Yield the decompressed lines of a file, each with its line end.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: Damaged or cut-off compression; the line before is named.
    """
    number = 0
    with open_stream(path, on_read) as stream:
        try:
            for number, line in enumerate(stream, start=1):  # noqa: B007 - of the error
                yield line
        except DAMAGED as error:
            raise ValueError(
                f"{path}, after line {number}: the compressed data is cut off or damaged ({error}); fetch it again"
            ) from None


def no_text(path: InputFile, lines: int) -> ValueError:
    """The error for a file without text.

    Args:
        path: the file.
        lines: the blank ones in it.
    """
    return ValueError(f"{path} is empty{' (only blank lines)' if lines else ''}; expected text")


def not_utf8(error: UnicodeDecodeError, first_line: bytes | None = None) -> str:
    """What is wrong with a line that is not UTF-8, and how to correct its file.

    The encoding is known by a byte-order mark or by zero bytes in the first line, which UTF-16 has in every space and
    digit. A character that the line's end cuts off, or Hangul before the error, shows that it is UTF-8 with a damaged
    character; otherwise Korean text that is not UTF-8 is most often CP949.

    Args:
        error: from decoding the line.
        first_line: the first line of the file, where it is another one.
    """
    begin: bytes = error.object if first_line is None else first_line
    encoding = next((name for mark, name in _OTHER_MARKS.items() if begin.startswith(mark)), None)
    if encoding is None:
        zeros = [place % 2 for place, byte in enumerate(begin) if byte == 0]
        encoding = "CP949" if not zeros else "UTF-16LE" if 2 * sum(zeros) > len(zeros) else "UTF-16BE"
    found = f"byte 0x{error.object[error.start]:02x} at position {error.start + 1}"
    before = error.object[: error.start].decode("utf-8")
    if encoding == "CP949" and (error.reason == "unexpected end of data" or _HANGUL.search(before)):
        return (
            f"not UTF-8 ({found}), where a character is cut off or damaged; copy the file again if it is truncated, or "
            "correct the line. Cut texts by characters, not by bytes"
        )
    likely = "" if encoding == "CP949" else f", probably {encoding}"
    return f"not UTF-8 ({found}{likely}); convert the file first, for example with: iconv -f {encoding} -t UTF-8"


def _read_jsonl(path: InputFile, field: str, on_read: Callable[[int], None] | None) -> Iterator[str]:
    for number, line in enumerate(read_lines(path, on_read), start=1):
        yield json_text(f"{path}, line {number}", line, field)


def json_text(place: str, line: str, field: str) -> str:
    """The string in `field` of a JSON object; of a blank line an empty one.

    Args:
        place: file and line, for errors.
        line: the object.
        field: the key.

    Raises:
        ValueError: It is no object with a string in `field`.
    """
    if not line.strip():
        return ""
    try:
        record = json.loads(line)
    except json.JSONDecodeError as error:
        raise ValueError(f"{place}: not JSON ({error.msg}); expected one object per line") from None
    except RecursionError:
        raise ValueError(f"{place}: brackets nested too deeply; expected text") from None
    except ValueError:  # Python converts no longer ones
        raise ValueError(f"{place}: an integer with too many digits; write it as a string") from None
    text = record.get(field) if isinstance(record, dict) else None
    if not isinstance(text, str):
        found = f"an object with {sorted(record)}" if isinstance(record, dict) else type(record).__name__
        raise ValueError(f"{place}: expected an object with a string in {field!r}, found {found}")
    if not text.isprintable() and any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError(f"{place}: a lone surrogate in {field!r}; write the file as UTF-8")
    return text


def read_parquet(path: InputFile, field: str, on_read: Callable[[int], None] | None) -> Iterator[str]:
    """Yield the strings in a column of a `.parquet` file; `read_texts` names the errors."""
    import pyarrow as pa

    with opened_parquet(path, on_read) as table:
        columns = {column.name: column.type for column in table.schema_arrow}
        if columns.get(field) not in (pa.string(), pa.large_string()):
            found = ", ".join(f"{name} ({kind})" for name, kind in columns.items())
            raise ValueError(f"{path}: expected a column {field!r} of strings, found {found}")
        if table.metadata.num_rows == 0:
            raise ValueError(f"{path} is empty (no rows); expected text")
        row = 0
        for batch in table.iter_batches(_PARQUET_ROWS_AT_A_TIME, columns=[field]):
            for text in batch.column(0).to_pylist():
                row += 1
                if text is None:
                    raise ValueError(f"{path}, row {row}: no text in {field!r}; remove the rows without text")
                yield text
