"""Tables as data."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from experiments.report.statistics import Seeds

Value: TypeAlias = float | int | str | None

MISSING = "missing"
NONE = "–"
"""Where nothing was to be measured."""


@dataclass(frozen=True)
class Cell:
    """A cell.

    Args:
        text: as it is read.
        values: the numbers behind it, one for each part of the column, unrounded; empty where there are none.
        seeds: what is behind the numbers; None where they do not come from seeds.
        bold: it is the best of its column.
    """

    text: str
    values: tuple[Value, ...] = ()
    seeds: Seeds | None = None
    bold: bool = False


@dataclass(frozen=True)
class Column:
    """A column.

    Args:
        heading: above it.
        parts: names of the numbers behind a cell, each a CSV column of its own; none where a cell is only text, which
            is aligned to the left.
        of: makes a cell from what its row is about, an arm for example; only `arm_table` asks for it.
        ranked: more is better, and the best arm is bold.
    """

    heading: str
    parts: tuple[str, ...] = ()
    of: Callable[[Any], Cell] = Cell
    ranked: bool = False


@dataclass(frozen=True)
class Table:
    """A table.

    Args:
        slug: name of its files.
        title: what it shows.
        columns: its columns.
        rows: its cells.
        explained: sentences behind the title in the caption: how its numbers are to be read.
        notes: sentences below it.
    """

    slug: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    explained: str = ""
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"table {self.slug}: a row of {len(row)} cells under {len(self.columns)} columns")
            for column, cell in zip(self.columns, row, strict=True):
                if cell.values and len(cell.values) != len(column.parts):
                    raise ValueError(f"table {self.slug}, column {column.heading}: {cell.values} for {column.parts}")

    @property
    def caption(self) -> str:
        """All that a reader needs beside the table, to be pasted."""
        return f"{self.title}. {self.explained}".strip()


def to_csv(table: Table) -> str:
    """The numbers behind the table, unrounded; an empty field where there is none."""
    import pandas as pd

    def fields(column: Column, cell: Cell) -> Sequence[Value]:
        return (cell.values or (None,) * len(column.parts)) if column.parts else (cell.text,)

    headings = [f"{column.heading} {part}".strip() for column in table.columns for part in column.parts or ("",)]
    rows = [[value for pair in zip(table.columns, row, strict=True) for value in fields(*pair)] for row in table.rows]
    return str(pd.DataFrame(rows, columns=headings, dtype=object).to_csv(index=False, lineterminator="\n"))
