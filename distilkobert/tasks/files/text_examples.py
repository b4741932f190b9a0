"""Texts and pairs of texts, with their labels, out of tables whose columns have any names."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

from distilkobert.io.reading.texts import read_lines
from distilkobert.tasks.files.common import bad_line, looks_like, show, table_lines
from distilkobert.tasks.files.table_rows import Place, TableRow, cells_of
from distilkobert.tasks.files.tables import TableLayout, column_names, read_table
from distilkobert.tasks.texts.targets import Target, code_points, word

_NAMING: Final = (
    "Name one of them with text / text_pair / label; if the file has no line of names, give all with header: [...]"
)


class TextExample(NamedTuple):
    """An example: what it is known by, its text, the second text of a pair, and its label as its `Target` reads it."""

    id: str
    text: str
    pair: str | None
    label: Any

    @property
    def texts(self) -> str:
        """The text, of a pair both with a tab between them."""
        return self.text if self.pair is None else f"{self.text}\t{self.pair}"


@dataclass(frozen=True)
class TextColumns:
    """Which columns hold what.

    Args:
        text: the text, or the first of a pair.
        pair: the second text; None where there is one text.
        id: what an example is known by, once in a file; None: its text.
        group: what is hashed instead of it to divide a file, so that rows with the same stay together.

    Raises:
        ValueError: both texts are the same column.
    """

    text: str
    pair: str | None = None
    id: str | None = None
    group: str | None = None

    def __post_init__(self) -> None:
        if self.pair == self.text:
            raise ValueError(f"text and text_pair are both {self.text!r}; expected two columns, or text alone")

    @property
    def texts(self) -> tuple[str, ...]:
        """Those that the model reads."""
        return (self.text,) if self.pair is None else (self.text, self.pair)

    @property
    def all(self) -> tuple[str, ...]:
        """All that are named."""
        return (*self.texts, *(name for name in (self.id, self.group) if name))


def require_columns(path: Path, layout: TableLayout, wanted: Sequence[str], advice: str = _NAMING) -> None:
    """Check that a table has its columns.

    Args:
        path: the file.
        layout: how it is read.
        wanted: names of columns.
        advice: what to do where nothing better can be said.

    Raises:
        FileNotFoundError: the file does not exist.
        ValueError: a column is missing; names those that are there.
    """
    there = column_names(path, layout)
    for name in wanted:
        if name not in there:
            text = layout.format not in (".parquet", ".json")
            hint = _hint(name, there) or (looks_like(path, "NSMC") if text else "")
            raise ValueError(
                f"{path}{', line 1' if text else ''}: no column {name!r}; the columns are "
                f"{', '.join(map(repr, there))}. {hint or advice}"
            )


def read_examples(
    path: Path,
    layout: TableLayout,
    columns: TextColumns,
    target: Target,
    labelled: bool = True,
    advice: str = _NAMING,
) -> Iterator[TextExample]:
    """Yield the examples of a table.

    Args:
        path: the file.
        layout: how it is read.
        columns: where texts and ids are.
        target: reads the label.
        labelled: whether every example must have a label; if not, columns and cells of labels may be missing.
        advice: what to do where a column is missing and nothing better can be said.

    Raises:
        FileNotFoundError: the file does not exist.
        ValueError: a column is missing; a value is not a text, half of a pair is blank, an id is missing or occurs
            twice, all texts are numbers, or a label is wrong; names file and line.
    """
    has_labels = labelled or all(name in column_names(path, layout) for name in target.columns)
    require_columns(path, layout, (*columns.all, *(target.columns if has_labels else ())), advice)
    seen: dict[str, Place] = {}
    numbers = True
    for row in read_table(path, layout):
        texts = [_text(row, name, blank=columns.pair is None) for name in columns.texts]
        numbers = numbers and texts[0].strip().replace(".", "", 1).isdecimal()
        known = "\t".join(texts) if columns.id is None else _identifier(row, columns.id, seen)
        known = str(cells_of(row, (columns.group,))[columns.group]) if columns.group else known
        has_label = has_labels and (labelled or any(word(row.cells.get(name)) for name in target.columns))
        label = target.read(cells_of(row, target.columns), row.place) if has_label else target.unknown
        yield TextExample(known, texts[0], texts[1] if columns.pair else None, label)
    if numbers:
        raise ValueError(
            f"{path}: the column {columns.text!r} contains only numbers; set text to the column of the text"
        )


def read_unlabelled(path: Path, layout: TableLayout, columns: TextColumns, target: Target) -> Iterator[TextExample]:
    """Yield the examples of a table with or without labels, or the lines of a .txt whose first line is not a header.

    Lines are known by their numbers.

    Raises:
        FileNotFoundError: the file does not exist.
        ValueError: see `read_examples`; or a line of plain text has a tab.
    """
    is_header = columns.text in re.split(r"[\t,;|]", next(read_lines(path))) or looks_like(path)
    if layout.format != ".txt" or columns.pair or is_header:
        yield from read_examples(path, layout, columns, target, labelled=False)
        return
    for number, line in table_lines(path):
        if "\t" in line:
            expected = f"plain text, one per line, or a table with the column {columns.text!r}"
            raise bad_line(path, number, f"a tab in {show(line)}", expected)
        yield TextExample(str(number), line, None, target.unknown)


def _text(row: TableRow, name: str, blank: bool) -> str:
    text = cells_of(row, (name,))[name]
    if text is None:
        text = ""
    if not isinstance(text, str):
        raise ValueError(
            f"{row.place}: {name!r} is {show(str(text))}, not a string; write it in quotes, or choose another column"
        )
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError(f"{row.place}: {name!r} contains a lone surrogate; write the file as UTF-8")
    if not blank and not text.strip():
        raise ValueError(
            f"{row.place}: {name!r} is blank, so half of the pair is missing; fill it in, or remove the row"
        )
    return text


def _identifier(row: TableRow, name: str, seen: dict[str, Place]) -> str:
    known = word(cells_of(row, (name,))[name])
    if not known:
        raise ValueError(f"{row.place}: no id in {name!r}; fill it in, or remove the option id")
    if known in seen:
        raise ValueError(f"{row.place}: the id {show(known)} occurs twice, first in {seen[known]}; make ids unique")
    seen[known] = row.place
    return known


def _hint(name: str, there: Sequence[str]) -> str:
    for other in there:
        if unicodedata.normalize("NFC", other) == unicodedata.normalize("NFC", name):
            return f"{other!r} is written {code_points(other)}, the option {code_points(name)}; use one form"
        if other.strip().lower() == name.strip().lower():
            return f"Did you mean {other!r}?"
    return ""
