"""Tables of examples: CSV, TSV, JSONL, JSON (a list of objects) and Parquet, plain or compressed.

The libraries `csv`, `json` and `pyarrow` read the files; this module decides how, and says in which line a row is.
Whether quotes enclose fields or are text cannot be read off a name: KorSTS and NSMC have quotes that are text, what
pandas writes has quotes that enclose. `layout_of` tries both on the whole file and says which one it takes.
"""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias

from distilkobert.io.reading.streams import SUFFIXES
from distilkobert.tasks.files.common import show
from distilkobert.tasks.files.table_rows import (
    LONGEST,
    LinePlace,
    TableRow,
    read_json,
    read_jsonl,
    read_parquet,
    whole_lines,
)

Quotes: TypeAlias = Literal["auto", "text", "enclose"]
SEPARATED: Final = (".csv", ".tsv", ".txt")
"""Formats of lines, to which delimiter, quotes and header apply."""

FORMATS: Final = (*SEPARATED, ".jsonl", ".json", ".parquet")
_DELIMITERS: Final = {",": "commas", "\t": "tabs", ";": "semicolons", "|": "bars"}


@dataclass(frozen=True)
class TableLayout:
    """How a table is read.

    Args:
        format: one of `FORMATS`.
        delimiter: between the fields of a line; empty where the format has none.
        enclosed: quotes enclose fields, as CSV has it; if not, they are text.
        header: names of the columns where the file has no line of them.
    """

    format: str
    delimiter: str = ""
    enclosed: bool = False
    header: tuple[str, ...] = ()

    def __str__(self) -> str:
        if not self.delimiter:
            return self.format[1:]
        quotes = "quotes enclose fields" if self.enclosed else "quotes are text"
        return f"{_DELIMITERS.get(self.delimiter, repr(self.delimiter))} between fields, {quotes}"


def format_of(path: Path) -> str:
    """The ending of a table's name that says what it is, without that of the compression.

    Raises:
        ValueError: the ending is none of `FORMATS`.
    """
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] in SUFFIXES:
        suffixes.pop()
    if not suffixes or suffixes[-1] not in FORMATS:
        raise ValueError(
            f"{path}: unknown table format {suffixes[-1] if suffixes else 'without an ending'!r}; expected a name that "
            f"ends in {', '.join(FORMATS)}, plain or compressed ({', '.join(SUFFIXES)})"
        )
    return suffixes[-1]


def layout_of(
    path: Path, delimiter: str | None = None, quotes: Quotes = "auto", header: Sequence[str] | None = None
) -> TableLayout:
    """Decide how a table is read.

    Args:
        path: the file.
        delimiter: one character between fields; None: a tab in .tsv, else what the first line has most of.
        quotes: `enclose` fields as in CSV, are `text`, or `auto`: quotes enclose where every row then has the header's
            number of fields and rows have it only then, or a .csv has it both ways.
        header: names of the columns where the file has no line of them; None where it has one.

    Raises:
        FileNotFoundError: the file does not exist.
        ValueError: the name says no format, an option is out of range or does not apply to it, or see `read_lines`.
    """
    kind = format_of(path)
    if kind not in SEPARATED:
        for option, value, unset in (
            ("delimiter", delimiter, None),
            ("quotes", quotes, "auto"),
            ("header", header, None),
        ):
            if value != unset:
                raise ValueError(
                    f"{option} is {value!r}, but {path} is {kind[1:]}: the option is for {', '.join(SEPARATED)} only. "
                    f"Leave it out, or set {option}: {unset or 'null'}"
                )
        return TableLayout(kind)
    if delimiter is not None and (len(delimiter) != 1 or delimiter in '"\r\n'):
        raise ValueError(f"delimiter is {delimiter!r}; expected one character, no quote and no line end")
    names = tuple(header or ())
    if header is not None and (not names or len(set(names)) < len(names)):
        raise ValueError(f"header is {list(names)}; expected the names of all columns, each once")
    if delimiter is None:
        first = next(whole_lines(path))
        counts = {mark: first.count(mark) for mark in _DELIMITERS}
        delimiter = "\t" if kind == ".tsv" or not any(counts.values()) else max(counts, key=lambda mark: counts[mark])
    ways = {way: TableLayout(kind, delimiter, way, names) for way in (True, False)}
    if quotes != "auto":
        return ways[quotes == "enclose"]
    if not any('"' in line for line in whole_lines(path)):
        return ways[kind == ".csv"]
    fits = {way: _fits(path, ways[way]) for way in ways}
    if fits[True] != fits[False]:
        return ways[fits[True]]
    return ways[kind == ".csv"]


def column_names(path: Path, layout: TableLayout) -> list[str]:
    """Names of a table's columns: the header, or what the first object or row has.

    Raises:
        FileNotFoundError, ValueError: see `read_table`.
    """
    if layout.header:
        return list(layout.header)
    return next(_records(path, layout))[1] if layout.delimiter else list(next(read_table(path, layout)).cells)


def read_table(path: Path, layout: TableLayout) -> Iterator[TableRow]:
    """Yield the rows of a table; blank lines are left out.

    Raises:
        FileNotFoundError: the file does not exist.
        ValueError: the file is empty, damaged or not UTF-8; a row has more or fewer fields than the header, a quote
            does not close, a carriage return is inside a line, a line has more than a million characters, a name is
            twice in the header, or a line of JSON is not an object. Names file and line.
    """
    read = {".jsonl": read_jsonl, ".json": read_json, ".parquet": read_parquet}.get(layout.format)
    number = 0
    for row in read(path) if read else _read_separated(path, layout):
        number += 1
        yield row
    if not number:
        raise ValueError(f"{path}: no row in it; expected a header and at least one example")


def _read_separated(path: Path, layout: TableLayout) -> Iterator[TableRow]:
    names = list(layout.header)
    for place, fields in _records(path, layout):
        if not names:
            names = fields
            twice = sorted({name for name in names if name and names.count(name) > 1})
            if twice:
                raise ValueError(
                    f"{place}: the column {twice[0]!r} occurs twice; rename one, or name the columns with header: "
                    "[...] if the file has no line of them"
                )
            continue
        if len(fields) != len(names):
            raise ValueError(f"{place}: {_ragged(fields, names, layout)}")
        yield TableRow(dict(zip(names, fields, strict=True)), place)


def _records(path: Path, layout: TableLayout) -> Iterator[tuple[LinePlace, list[str]]]:
    """The fields of each row and the line it starts in, the header's included."""
    csv.field_size_limit(LONGEST)
    reader = csv.reader(
        (f"{line}\n" for line in whole_lines(path)),
        delimiter=layout.delimiter,
        quoting=csv.QUOTE_MINIMAL if layout.enclosed else csv.QUOTE_NONE,
        strict=True,
    )
    start = 1
    while True:
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise ValueError(f"{LinePlace(path, start)}: {_csv_error(error, reader.line_num, start)}") from None
        if any(fields):
            yield LinePlace(path, start), fields
        start = reader.line_num + 1


def _csv_error(error: csv.Error, line: int, start: int) -> str:
    message = str(error)
    if "end of data" in message or "field larger" in message:
        return "a quote that opens here is not closed; close it, or read quotes as text with quotes: text"
    if "new-line" in message:
        return "a carriage return inside the line; expected lines that end in LF or CR LF. Convert the line ends"
    if line != start:
        return (
            f"the quote that opens in line {start} continues to line {line}; close it, or read quotes as text with "
            "quotes: text"
        )
    return f"a quote inside a field ({message}); double it as CSV does, or read quotes as text with quotes: text"


def _ragged(fields: Sequence[str], names: Sequence[str], layout: TableLayout) -> str:
    fault = (
        f"{len(fields)} field{'s' if len(fields) != 1 else ''}, but the header has {len(names)} ({', '.join(names)})"
    )
    line = layout.delimiter.join(fields)
    for mark, word in _DELIMITERS.items():
        if mark != layout.delimiter and line.count(mark) + 1 == len(names) > 1:
            return f"{fault}. This line has {word} between them, the header {_DELIMITERS[layout.delimiter]}; use one"
    quotes = "" if layout.enclosed or '"' not in line else ", or quotes that enclose fields (quotes: enclose)"
    return f"{fault}; found {show(line)}. Look for a delimiter inside a text, a lost line end{quotes}"


def _fits(path: Path, layout: TableLayout) -> bool:
    """Whether every row has as many fields as the first, or as the columns that are named."""
    try:
        wanted = len(layout.header)
        for _, fields in _records(path, layout):
            wanted = wanted or len(fields)
            if len(fields) != wanted:
                return False
    except ValueError:
        return False
    return True
