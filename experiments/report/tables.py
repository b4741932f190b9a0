"""Tables as data, and the same table as Markdown, CSV and LaTeX."""

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

Value: TypeAlias = float | int | str | None

MISSING = "missing"
NONE = "–"
"""Stands where nothing was to be measured."""


@dataclass(frozen=True)
class Column:
    """A column.

    Args:
        heading: above it.
        parts: names of the numbers behind a cell, each a CSV column of its own; none where a cell is only text.
        numeric: it is aligned to the right.
    """

    heading: str
    parts: tuple[str, ...] = ()
    numeric: bool = True


@dataclass(frozen=True)
class Cell:
    """A cell.

    Args:
        text: as it is read.
        values: the numbers behind it, one for each part of the column, unrounded; empty where there are none.
    """

    text: str
    values: tuple[Value, ...] = ()


@dataclass(frozen=True)
class Table:
    """A table.

    Args:
        slug: name of its files.
        title: above it.
        columns: its columns.
        rows: its cells.
        notes: sentences below it.
    """

    slug: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"table {self.slug}: a row of {len(row)} cells under {len(self.columns)} columns")
            for column, cell in zip(self.columns, row, strict=True):
                if cell.values and len(cell.values) != len(column.parts):
                    raise ValueError(f"table {self.slug}, column {column.heading}: {cell.values} for {column.parts}")


def text_column(heading: str) -> Column:
    """A column of words."""
    return Column(heading, numeric=False)


def to_markdown(table: Table) -> str:
    """The table in GitHub's Markdown, without its title, with its notes."""
    lines = [
        _markdown_row([column.heading for column in table.columns]),
        _markdown_row(["---:" if column.numeric else "---" for column in table.columns], escape=False),
        *(_markdown_row([cell.text for cell in row]) for row in table.rows),
    ]
    return "\n\n".join(["\n".join(lines), *map(markdown_text, table.notes)])


def markdown_text(text: str) -> str:
    """Text in which nothing is taken for Markdown or HTML."""
    return re.sub(r"([\\`*_|<>\[\]#~])", r"\\\1", " ".join(text.split()))


def _markdown_row(texts: Sequence[str], *, escape: bool = True) -> str:
    return f"| {' | '.join(markdown_text(text) if escape else text for text in texts)} |"


def to_csv(table: Table) -> str:
    """The numbers behind the table, unrounded; an empty field where there is none."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    headings: list[str] = []
    for column in table.columns:
        headings += [f"{column.heading} {part}".strip() for part in column.parts] or [column.heading]
    writer.writerow(headings)
    for row in table.rows:
        fields: list[Value] = []
        for column, cell in zip(table.columns, row, strict=True):
            if column.parts:
                fields += cell.values or [None] * len(column.parts)
            else:
                fields.append(cell.text)
        writer.writerow(["" if value is None else value for value in fields])
    return stream.getvalue()


_LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "±": r"$\pm$",
    "†": r"$^{\dagger}$",
    "‡": r"$^{\ddagger}$",
    "§": r"\S{}",
    "−": r"$-$",
    "–": "--",
    "≈": r"$\approx$",
    "×": r"$\times$",
    "`": r"\textasciigrave{}",
    '"': r"\char34{}",
    "[": "{[}",  # after the end of a row it would open an option
    "]": "{]}",
}


def latex_text(text: str) -> str:
    """Text in which no character has a meaning of its own for LaTeX."""
    return "".join(_LATEX.get(character, character) for character in text)


def to_latex(table: Table) -> str:
    """A `table` environment that needs no package beyond LaTeX itself; with Hangul, compile it with kotex."""
    alignment = "".join("r" if column.numeric else "l" for column in table.columns)
    body = [
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{latex_text(table.title)}}}",
        rf"\label{{tab:{table.slug}}}",
        rf"\begin{{tabular}}{{{alignment}}}",
        r"\hline",
        _latex_row([column.heading for column in table.columns]),
        r"\hline",
        *(_latex_row([cell.text for cell in row]) for row in table.rows),
        r"\hline",
        r"\end{tabular}",
        *(rf"\par {{\footnotesize {latex_text(note)}}}" for note in table.notes),
        r"\end{table}",
    ]
    return "\n".join(body) + "\n"


def _latex_row(texts: Sequence[str]) -> str:
    return " & ".join(map(latex_text, texts)) + r" \\"
