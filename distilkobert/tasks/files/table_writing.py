"""Writing tables that the readers of this folder read back: CSV, TSV, JSONL, JSON (a list of objects), Parquet."""

import csv
import io
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

from distilkobert.io.reading.streams import SUFFIXES
from distilkobert.tasks.files.common import show
from distilkobert.tasks.files.table_rows import LONGEST
from distilkobert.tasks.files.tables import TableLayout, format_of
from distilkobert.tasks.texts.targets import word


def layout_for(target: Path, source: TableLayout) -> TableLayout:
    """How a table of that name is written: as the source where the format is the same, else as it is usual.

    Raises:
        ValueError: the name says no format, or one that is compressed.
    """
    if target.suffix.lower() in SUFFIXES:
        raise ValueError(f"{target}: tables are written uncompressed; remove {target.suffix} from the name")
    kind = format_of(target)
    if kind == source.format:
        return source
    delimiter = {".csv": ",", ".tsv": "\t", ".txt": "\t"}.get(kind, "")
    return replace(source, format=kind, delimiter=delimiter, enclosed=kind == ".csv", header=())


class TableWriter(ABC):
    """Writes rows, one after the other, and at the end what the format has there.

    Args:
        stream: of the file.
        layout: how it is written.
        names: of the columns.
    """

    def __init__(self, stream: BinaryIO, layout: TableLayout, names: Sequence[str]) -> None:
        self.stream, self.layout, self.names = stream, layout, list(names)
        self.count = 0

    def write(self, cells: Mapping[str, Any]) -> None:
        """Write a row.

        Raises:
            ValueError: a cell cannot be written in this format; names the row.
        """
        self.count += 1
        self._write({name: cells.get(name) for name in self.names})

    @abstractmethod
    def _write(self, cells: dict[str, Any]) -> None:
        """Write a row's cells, in the order of the columns."""

    def end(self) -> None:
        """Write what comes after the last row."""
        self.stream.flush()


class SeparatedWriter(TableWriter):
    """Fields between delimiters; see `TableWriter`."""

    def __init__(self, stream: BinaryIO, layout: TableLayout, names: Sequence[str]) -> None:
        super().__init__(stream, layout, names)
        if not layout.header:
            self._line(self.names)

    def _write(self, cells: dict[str, Any]) -> None:
        self._line([self._field(name, cell) for name, cell in cells.items()])

    def _field(self, name: str, cell: Any) -> str:
        text, mark = word(cell), self.layout.delimiter
        odd = ["\r"] if self.layout.enclosed else ["\r", "\n", mark]
        found = next((character for character in odd if character in text), None)
        if isinstance(cell, list) or found is not None or len(text) > LONGEST:
            fault = "a list" if isinstance(cell, list) else f"{show(text)}, which this format cannot store"
            raise ValueError(f"row {self.count}: the column {name!r} has {fault}; use an output that ends in .jsonl")
        return text

    def _line(self, fields: Sequence[str]) -> None:
        if self.layout.enclosed:
            text = io.StringIO()
            csv.writer(text, delimiter=self.layout.delimiter, lineterminator="\n").writerow(fields)
            self.stream.write(text.getvalue().encode())
        else:
            self.stream.write(f"{self.layout.delimiter.join(fields)}\n".encode())


class JsonLinesWriter(TableWriter):
    """An object a line; see `TableWriter`."""

    def _write(self, cells: dict[str, Any]) -> None:
        self.stream.write(f"{json.dumps(cells, ensure_ascii=False)}\n".encode())


class JsonWriter(TableWriter):
    """A list of objects, one per line; see `TableWriter`."""

    def _write(self, cells: dict[str, Any]) -> None:
        self.stream.write(f"{',' if self.count > 1 else '['}\n{json.dumps(cells, ensure_ascii=False)}".encode())

    def end(self) -> None:
        """See the base class."""
        self.stream.write(b"\n]\n" if self.count else b"[]\n")
        super().end()


class ParquetWriter(TableWriter):
    """Columns with the types that their cells have; they are kept until the end. See `TableWriter`."""

    def __init__(self, stream: BinaryIO, layout: TableLayout, names: Sequence[str]) -> None:
        super().__init__(stream, layout, names)
        self._columns: dict[str, list[Any]] = {name: [] for name in names}

    def _write(self, cells: dict[str, Any]) -> None:
        for name, cell in cells.items():
            self._columns[name].append(cell)

    def end(self) -> None:
        """See the base class."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        pq.write_table(pa.table(self._columns), self.stream)
        super().end()


def table_writer(stream: BinaryIO, layout: TableLayout, names: Sequence[str]) -> TableWriter:
    """The writer of a layout; see `TableWriter`."""
    kinds: dict[str, type[TableWriter]] = {
        ".jsonl": JsonLinesWriter, ".json": JsonWriter, ".parquet": ParquetWriter,
    }  # fmt: skip
    kind = kinds.get(layout.format, SeparatedWriter)
    return kind(stream, layout, names)
