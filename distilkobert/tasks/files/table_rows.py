"""Rows of tables, and those formats that name the columns in every row: JSONL, JSON and Parquet."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias

from distilkobert.io.reading.parquet import ParquetPlace, parquet_rows
from distilkobert.io.reading.texts import read_lines
from distilkobert.tasks.files.common import show
from distilkobert.tasks.files.json_files import JsonPlace, load_json

LONGEST: Final = 1_000_000
"""Most characters of a line: more is a damaged file, such as one whose line ends are lost."""


@dataclass(frozen=True)
class LinePlace:
    """A line of a text file; as a string the file and the number of the line, from 1."""

    file: Path
    line: int

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}"


Place: TypeAlias = LinePlace | JsonPlace | ParquetPlace


class TableRow(NamedTuple):
    """A row: its cells by the names of their columns, and where it is, for messages."""

    cells: Mapping[str, Any]
    place: Place


def cells_of(row: TableRow, names: Sequence[str]) -> Mapping[str, Any]:
    """The cells of a row that needs these columns.

    Raises:
        ValueError: an object of JSON has not all of them.
    """
    missing = [name for name in names if name not in row.cells]
    if missing:
        raise ValueError(
            f"{row.place}: no {missing[0]!r}; found {', '.join(row.cells) or 'nothing'}. Every row needs the columns "
            "of the settings; write null for an empty cell"
        )
    return row.cells


def read_parquet(path: Path) -> Iterator[TableRow]:
    """Rows of a Parquet file; raises as `read_table`."""
    return (TableRow(_flat(cells), place) for cells, place in parquet_rows(path))


def read_json(path: Path) -> Iterator[TableRow]:
    """Objects of a list; raises as `read_table`."""
    content = load_json(path, "a list of objects")
    if not isinstance(content, list):
        raise ValueError(f"{path}: found {type(content).__name__}; expected a list of objects, [{{...}}, ...]")
    for number, item in enumerate(content):
        place = JsonPlace(path, (number,), f", object {number + 1}")
        if not isinstance(item, dict):
            raise ValueError(f"{place}: found {show(str(item))}; expected an object")
        yield TableRow(_flat(item), place)


def read_jsonl(path: Path) -> Iterator[TableRow]:
    """Objects, one per line; raises as `read_table`."""
    for number, line in enumerate(whole_lines(path), start=1):
        if not line.strip():
            continue
        place = LinePlace(path, number)
        try:
            item = json.loads(line)
        except (ValueError, RecursionError) as error:
            message = getattr(error, "msg", str(error))
            raise ValueError(f"{place}: not JSON ({message}); expected one object per line") from None
        if not isinstance(item, dict):
            raise ValueError(f"{place}: found {show(line)}; expected an object")
        yield TableRow(_flat(item), place)


def _flat(item: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """An object with its inner objects flattened: `labels.label` as in KLUE-STS."""
    cells: dict[str, Any] = {}
    for name, value in item.items():
        inner = _flat(value, f"{before}{name}.") if isinstance(value, dict) else {f"{before}{name}": value}
        cells |= inner
    return cells


def whole_lines(path: Path) -> Iterator[str]:
    """Lines of a file of tables.

    Raises:
        ValueError: one has more than `LONGEST` characters, or see `read_lines`.
    """
    for number, line in enumerate(read_lines(path), start=1):
        if len(line) > LONGEST:
            size = sys.getsizeof(line) / 1e6
            raise ValueError(
                f"{LinePlace(path, number)}: a line of {len(line):,} characters ({size:.0f} MB); expected {LONGEST:,} "
                "at most. Is it the whole file without line ends?"
            )
        yield line
