"""Bytes out of files, plain or compressed as `.gz`, `.xz`, `.bz2` or `.zst`."""

import bz2
import gzip
import io
import lzma
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final, Protocol, cast

from distilkobert.io.files import require_nonempty
from distilkobert.io.reading.remote import InputFile, RemoteFile, open_remote

BLOCK_BYTES: Final = 1 << 17
SUFFIXES: Final = (".gz", ".xz", ".bz2", ".zst")
DAMAGED: Final = (EOFError, lzma.LZMAError, zlib.error, gzip.BadGzipFile)
"""What reading damaged or cut-off compressed data raises."""


@contextmanager
def open_stream(path: InputFile, on_read: Callable[[int], None] | None) -> Iterator[BinaryIO]:
    """Open a file for reading decompressed bytes, buffered; `.gz`, `.xz`, `.bz2` and `.zst` are decompressed.

    Args:
        path: the file.
        on_read: called with the number of bytes just read, as they are stored.

    Raises:
        FileNotFoundError: the file does not exist.
        ConnectionError: a remote file cannot be reached.
        ValueError: it is empty. Reading from the stream raises one of `DAMAGED` where compressed data is damaged.
    """
    suffix = path.suffix.lower()
    with _opened(path, on_read) as raw:
        stream: object
        # These two have a buffer, which hands out all it has before it reports damage; one more around it would not.
        if suffix == ".gz":
            stream = gzip.GzipFile(fileobj=raw)
        elif suffix == ".xz":
            stream = lzma.LZMAFile(cast(BinaryIO, raw))  # noqa: SIM115 - closed below
        else:
            stream = io.BufferedReader(_unpacked(raw, suffix), BLOCK_BYTES)
        with cast(BinaryIO, stream) as opened:
            yield opened


def _opened(path: InputFile, on_read: Callable[[int], None] | None) -> io.RawIOBase:
    if isinstance(path, RemoteFile):
        return open_remote(path, on_read)
    require_nonempty(path)
    return _MeteredFile(path, on_read)


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


def _unpacked(raw: io.RawIOBase, suffix: str) -> io.RawIOBase:
    if suffix == ".bz2":
        return _PartedStream(raw, bz2.BZ2Decompressor, OSError)
    if suffix == ".zst":
        import zstandard

        # By default a window beyond 128 MiB (`zstd --long=28`) is an error; memory is taken for the window of the file.
        unpacking = zstandard.ZstdDecompressor(max_window_size=2**zstandard.WINDOWLOG_MAX)
        return _PartedStream(raw, unpacking.decompressobj, zstandard.ZstdError)
    return raw


class _Decompressor(Protocol):
    """Decompresses one part of a file: a zstandard frame, a bzip2 stream."""

    @property
    def eof(self) -> bool:
        """Whether the part has ended."""

    @property
    def unused_data(self) -> bytes:
        """What follows the end of the part."""

    def decompress(self, data: bytes, /) -> bytes:
        """Bytes that `data` gives."""


class _PartedStream(io.RawIOBase):
    """Decompressed bytes of one or more parts.

    zstandard's own reader takes the end of a cut-off file for the end of its text, and that of bzip2 reports damage as
    an error of the disk; this one raises `EOFError` for both.

    Args:
        source: the compressed bytes.
        begin: makes the decompressor of the next part.
        damaged: what decompressors raise.
    """

    def __init__(self, source: io.RawIOBase, begin: Callable[[], _Decompressor], damaged: type[Exception]) -> None:
        self._source, self._begin, self._damaged = source, begin, damaged
        self._part = begin()
        self._inside_part = False
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
        block = self._part.unused_data or self._source.read(BLOCK_BYTES)
        if self._part.eof:
            self._part, self._inside_part = self._begin(), False
        if not block:
            if self._inside_part:
                raise EOFError("its last part does not end")
            return False
        try:
            self._ready = memoryview(self._part.decompress(block))
        except self._damaged as error:
            raise EOFError(str(error)) from None
        self._inside_part = not self._part.eof
        return True
