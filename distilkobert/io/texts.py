"""Reading text out of files: `.txt`, `.jsonl` and `.parquet`, plain or compressed as `.gz`, `.xz` or `.zst`.

Every reader streams, so memory stays flat, and every error names the file and the line.
"""

import gzip
import io
import json
import lzma
import shutil
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple, cast

from distilkobert.io.files import require_content

TextKind = Literal["txt", "jsonl", "parquet"]
Compression = Literal["gz", "xz", "zst"]

_BLOCK_BYTES = 1 << 17
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_PARQUET_ROWS_AT_A_TIME = 4096
_DAMAGED = (EOFError, lzma.LZMAError, zlib.error, gzip.BadGzipFile)


class TextFormat(NamedTuple):
    """What a file's name says about its content."""

    kind: TextKind
    compression: Compression | None


def text_format(path: Path) -> TextFormat:
    """Read kind and compression off the file name, capital letters or not.

    Raises:
        ValueError: The name ends in none of the known suffixes.
    """
    suffixes = [suffix.lower().lstrip(".") for suffix in path.suffixes]
    compression = cast(Compression, suffixes.pop()) if suffixes and suffixes[-1] in ("gz", "xz", "zst") else None
    if not suffixes or suffixes[-1] not in ("txt", "jsonl", "parquet"):
        raise ValueError(
            f"{path}: unknown file type; expected a name ending in .txt, .jsonl or .parquet, "
            "optionally followed by .gz, .xz or .zst"
        )
    return TextFormat(cast(TextKind, suffixes[-1]), compression)


def read_texts(path: Path, field: str | None = None, on_read: Callable[[int], None] | None = None) -> Iterator[str]:
    """Yield the texts of a file one by one: the lines of `.txt`, or the string in `field` of each object or row.

    Args:
        path: The file; its name tells how to read it (see `text_format`).
        field: The key of `.jsonl` objects or the column of `.parquet` files; `.txt` files do not use it.
        on_read: Called with the number of bytes just read from the disk, for progress bars.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: Nothing in it, not UTF-8, damaged or cut-off compression, a row without `field` or with something
            else than a string there; the message names the file and the line or row.
    """
    kind = text_format(path).kind
    if kind == "txt":
        yield from read_lines(path, on_read)
        return
    if field is None:
        raise ValueError(f"{path}: a .{kind} file has several fields; say which one holds the text (field)")
    yield from _read_jsonl(path, field, on_read) if kind == "jsonl" else _read_parquet(path, field, on_read)


def read_lines(path: Path, on_read: Callable[[int], None] | None = None) -> Iterator[str]:
    r"""Yield the lines of a text file without their line ends (`\n` or `\r\n`) and without a byte-order mark.

    Any suffix will do; `.gz`, `.xz` and `.zst` are decompressed. Only a line feed ends a line: Unicode's other
    separators stay inside it, as they do in the tools that wrote the file.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: Nothing but blank lines, or none, in it; not UTF-8, or damaged or cut-off compression; file and line
            are named.
    """
    number, blank = 0, True
    with _open_stream(path, on_read) as stream:
        try:
            for number, line in enumerate(stream, start=1):
                if number == 1:
                    line = line.removeprefix(_BYTE_ORDER_MARK)
                text = line.removesuffix(b"\n").removesuffix(b"\r").decode("utf-8")
                blank = blank and not text.strip()
                yield text
        except UnicodeDecodeError as error:
            found = f"byte 0x{error.object[error.start]:02x} at position {error.start + 1}"
            raise ValueError(
                f"{path}, line {number}: not UTF-8 ({found}); convert the file first, "
                f"for example with: iconv -f CP949 -t UTF-8"
            ) from None
        except _DAMAGED as error:
            raise ValueError(
                f"{path}, after line {number}: the compressed data is cut off or damaged ({error}); fetch it again"
            ) from None
    if blank:
        raise ValueError(f"{path} is empty{' (only blank lines)' if number else ''}; expected text")


def _read_jsonl(path: Path, field: str, on_read: Callable[[int], None] | None) -> Iterator[str]:
    for number, line in enumerate(read_lines(path, on_read), start=1):
        if not line.strip():
            yield ""
            continue
        try:
            record = json.loads(line)
        except json.JSONDecodeError as error:
            raise ValueError(f"{path}, line {number}: not JSON ({error.msg}); expected one object a line") from None
        text = record.get(field) if isinstance(record, dict) else None
        if not isinstance(text, str):
            found = f"an object with {sorted(record)}" if isinstance(record, dict) else type(record).__name__
            raise ValueError(f"{path}, line {number}: expected an object with a string in {field!r}, found {found}")
        if not text.isprintable() and any("\ud800" <= character <= "\udfff" for character in text):
            raise ValueError(f"{path}, line {number}: half of a surrogate pair in {field!r}; write the file as UTF-8")
        yield text


def _read_parquet(path: Path, field: str, on_read: Callable[[int], None] | None) -> Iterator[str]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with _open_stream(path, on_read) as stream, tempfile.TemporaryFile() as unpacked:
            source = stream
            if text_format(path).compression is not None:  # the format is read from its end, so it must be seekable
                shutil.copyfileobj(stream, unpacked, _BLOCK_BYTES)
                source = cast(BinaryIO, unpacked)
            table = pq.ParquetFile(source)
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
    except (*_DAMAGED, pa.ArrowException) as error:
        raise ValueError(f"{path}: not a whole parquet file ({error}); fetch it again") from None


@contextmanager
def _open_stream(path: Path, on_read: Callable[[int], None] | None) -> Iterator[BinaryIO]:
    """Open for reading decompressed bytes, buffered."""
    require_content(path)
    suffix = path.suffix.lower()
    with _MeteredFile(path, on_read) as raw:
        stream: object
        # These two have a buffer, which hands out all it has before it reports damage; one more around it would not.
        if suffix == ".gz":
            stream = gzip.GzipFile(fileobj=raw)
        elif suffix == ".xz":
            stream = lzma.LZMAFile(raw)  # noqa: SIM115 - closed below
        else:
            stream = io.BufferedReader(_ZstandardStream(raw) if suffix == ".zst" else raw, _BLOCK_BYTES)
        with cast(BinaryIO, stream) as opened:
            yield opened


class _MeteredFile(io.FileIO):
    """A file opened for reading that reports how many bytes were read."""

    def __init__(self, path: Path, on_read: Callable[[int], None] | None) -> None:
        super().__init__(path, "rb")
        self._on_read = on_read

    def readinto(self, buffer: "memoryview | bytearray") -> int:  # type: ignore[override]
        count = super().readinto(buffer)
        if self._on_read is not None:
            self._on_read(count)
        return count

    def read(self, size: int | None = -1) -> bytes:
        block = super().read(-1 if size is None else size)
        if self._on_read is not None:
            self._on_read(len(block))
        return block


class _ZstandardStream(io.RawIOBase):
    """Decompressed bytes of one or more zstandard frames.

    The library's own reader takes the end of a cut-off file for the end of its text; this one raises `EOFError`.
    """

    def __init__(self, source: io.RawIOBase) -> None:
        import zstandard

        self._source = source
        self._decompressor = zstandard.ZstdDecompressor()
        self._damaged = zstandard.ZstdError
        self._frame = self._decompressor.decompressobj()
        self._inside_frame = False
        self._ready = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview | bytearray") -> int:  # type: ignore[override]
        while not self._ready:
            if not self._fill():
                return 0
        count = min(len(buffer), len(self._ready))
        buffer[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count

    def _fill(self) -> bool:
        """Decompress the next block; False at the end of the file."""
        block = self._frame.unused_data or self._source.read(_BLOCK_BYTES)
        if self._frame.eof:
            self._frame, self._inside_frame = self._decompressor.decompressobj(), False
        if not block:
            if self._inside_frame:
                raise EOFError("the last frame does not end")
            return False
        try:
            self._ready = memoryview(self._frame.decompress(block))
        except self._damaged as error:
            raise EOFError(str(error)) from None
        self._inside_frame = not self._frame.eof
        return True
