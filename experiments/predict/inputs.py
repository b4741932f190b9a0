"""What is to be predicted: lines of standard input, one example of the command line, or a file of many."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from distilkobert.io.reading.texts import read_lines
from distilkobert.tasks.codec import Codec
from distilkobert.tasks.files.tables import format_of, layout_of, read_table
from experiments.predict.table import Table

_LINES: Final = (".txt", ".tsv")
"""Formats whose first line need not be a header."""


@dataclass(frozen=True)
class Asked:
    """An example as it was given.

    Args:
        place: where, for messages.
        texts: one for each of the codec's fields.
    """

    place: str
    texts: tuple[str, ...]


def given_texts(codec: Codec, text: str, text_pair: str | None) -> list[Asked]:
    """The example of `--text` and `--text_pair`.

    Raises:
        ValueError: the model takes a pair and one text is given, or the other way round.
    """
    texts = (text,) if text_pair is None else (text, text_pair)
    if len(texts) != len(codec.fields):
        wanted = "--text and --text_pair" if len(codec.fields) > 1 else "--text alone"
        raise ValueError(f"the model reads {' and '.join(codec.fields)}; expected {wanted}")
    return [Asked("--text", texts)]


def read_file(path: Path, codec: Codec, table: Table) -> list[Asked]:
    """All examples of a file.

    A table has a column for each text, called as in `codec.fields` or as `table` says. A .txt or .tsv without them in
    its first line, and of which `table` says nothing, has no header: its lines are read as those of standard input,
    pairs with a tab between them.

    Raises:
        FileNotFoundError: the file does not exist.
        ValueError: the format is unknown, a column is missing, a cell is not a text, or a line does not fit the model;
            names file and line.
    """
    names = tuple(table.columns or codec.fields)
    if len(names) != len(codec.fields):
        raise ValueError(f"--columns names {', '.join(names)}; the model reads {' and '.join(codec.fields)}")
    if format_of(path) in _LINES and table == Table() and not set(names) <= set(next(read_lines(path)).split("\t")):
        return list(_lines(path, codec))
    layout = layout_of(path, table.delimiter, table.quotes, table.header)
    asked = []
    for row in read_table(path, layout):
        absent = [name for name in names if not isinstance(row.cells.get(name), str)]
        if absent:
            there = ", ".join(map(repr, row.cells))
            raise ValueError(
                f"{row.place}: no text in {absent[0]!r}; the columns are {there}; set --columns, or --header if "
                "the first line is none"
            )
        asked.append(Asked(str(row.place), tuple(row.cells[name] for name in names)))
    return asked


def _lines(path: Path, codec: Codec) -> Iterator[Asked]:
    for number, line in enumerate(read_lines(path), start=1):
        place = f"{path}, line {number}"
        try:
            yield Asked(place, codec.split(line))
        except ValueError as error:
            raise ValueError(f"{place}: {error}") from None
