"""Rows of Parquet files, plain or compressed a second time."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

from distilkobert.io.reading.remote import InputFile
from distilkobert.io.reading.streams import BLOCK_BYTES, DAMAGED, SUFFIXES, open_stream

_ROWS_AT_A_TIME: Final = 4096


@dataclass(frozen=True)
class ParquetPlace:
    """A row of a Parquet file, which has no lines; as a string the file and the number of the row, from 1."""

    file: Path
    row: int

    def __str__(self) -> str:
        return f"{self.file}, row {self.row}"


def parquet_rows(path: Path) -> Iterator[tuple[dict[str, Any], ParquetPlace]]:
    """Yield the rows of a file as plain values, by the names of their columns, and where each is.

    Raises:
        FileNotFoundError: the file does not exist.
        ValueError: the file is empty, damaged, or no Parquet file.
    """
    with opened_parquet(path) as table:
        number = 0
        for batch in table.iter_batches(_ROWS_AT_A_TIME):
            for cells in batch.to_pylist():
                number += 1
                yield cells, ParquetPlace(path, number)


@contextmanager
def opened_parquet(path: InputFile, on_read: Callable[[int], None] | None = None) -> Iterator[Any]:
    """Open a file as pyarrow's `ParquetFile`.

    Args:
        path: the file.
        on_read: called with the number of bytes just read from the disk.

    Raises:
        FileNotFoundError: the file does not exist.
        ValueError: the file is empty, damaged, or no Parquet file.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with open_stream(path, on_read) as stream, tempfile.TemporaryFile() as unpacked:
            source = stream
            if path.suffix.lower() in SUFFIXES:  # the format is read from its end, so it must be seekable
                shutil.copyfileobj(stream, unpacked, BLOCK_BYTES)
                source = cast(BinaryIO, unpacked)
            yield pq.ParquetFile(source)
    except OSError as error:
        if error.errno is not None:  # of the disk; Arrow has none for what it cannot decode
            raise
        raise _not_parquet(path, error) from None
    except (*DAMAGED, pa.ArrowException, UnicodeDecodeError, MemoryError, OverflowError) as error:
        raise _not_parquet(path, error) from None


def _not_parquet(path: InputFile, error: BaseException) -> ValueError:
    return ValueError(f"{path}: not a complete Parquet file ({' '.join(str(error).split())}); fetch it again")
