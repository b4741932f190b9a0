"""Tables as data, and cells with the marks that keep a reader from taking a number for more than it is."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from experiments.report.constants import Constant
from experiments.report.statistics import Delta, Ratio, Seeds, Spread

Value: TypeAlias = float | int | str | None

MISSING = "missing"
NONE = "–"
"""Where nothing was to be measured."""

_COUNTS = ("n", "starting models", "in part")
SPREAD = ("mean", "sd", *_COUNTS)
DELTA = ("delta", "low", "high", *_COUNTS)
RATIO = ("", *_COUNTS)
"""Parts of the columns of `value_cell`s."""

DAGGER = "† One seed: the spread over seeds is unknown."
DOUBLE_DAGGER = (
    "‡ Some of these seeds start from the same distillation, model or untrained start: the spread leaves out what "
    "another one would change."
)
ASTERISK = "* Not all of the arm's planned seeds are in it, or not all of those of the arm it is compared with."
COMPUTED = "≈ Computed, not measured: number of parameters times 4 bytes; the notes at the end say for which arms."
SECTION = "§ Measured on a part of the file, so not comparable with scores of the whole one; the notes say which part."


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
        """Everything that a reader needs with the table, to be pasted."""
        return f"{self.title}. {self.explained}".strip()


def to_csv(table: Table) -> str:
    """The numbers behind the table, unrounded; an empty field where there is none."""
    import pandas as pd

    def fields(column: Column, cell: Cell) -> Sequence[Value]:
        return (cell.values or (None,) * len(column.parts)) if column.parts else (cell.text,)

    headings = [f"{column.heading} {part}".strip() for column in table.columns for part in column.parts or ("",)]
    rows = [[value for pair in zip(table.columns, row, strict=True) for value in fields(*pair)] for row in table.rows]
    return str(pd.DataFrame(rows, columns=headings, dtype=object).to_csv(index=False, lineterminator="\n"))


def marks_in(texts: Iterable[str]) -> tuple[str, ...]:
    """What the marks in these texts mean, one sentence for each that occurs."""
    marks = set("".join(texts))
    return tuple(note for note in (DAGGER, DOUBLE_DAGGER, ASTERISK, COMPUTED, SECTION) if note[0] in marks)


def marks_of(seeds: Seeds, *, of_part_alone: bool = False) -> str:
    """What marks a value over one seed, or fewer starting models than seeds; missing seeds; and a part of the file.

    Args:
        seeds: what is behind the value.
        of_part_alone: leave out what the caption says of all seeds.
    """
    few = "†" if seeds.n == 1 else "‡" if seeds.starts != seeds.n else ""
    return ("" if of_part_alone else few + "*" * seeds.partial) + "§" * bool(seeds.in_part)


def seeds_text(seeds: Seeds) -> str:
    """`n=3`, `n=1 of 2`, `n=2, 1 starting model`."""
    text = f"n={seeds.n}" + (f" of {seeds.planned}" if seeds.n < seeds.planned else "")
    if seeds.starts == seeds.n:
        return text
    return f"{text}, {seeds.starts} starting model{'s' if seeds.starts > 1 else ''}"


def value_cell(
    value: Spread | Delta | Ratio | None, *, planned: bool, form: Callable[[float], str] = "{:.2f}".format
) -> Cell:
    """Mean ± standard deviation, a difference with its interval, or a share in per cent.

    Args:
        value: what is shown.
        planned: without a value, whether one was to be measured.
        form: writes mean and standard deviation.
    """
    numbers: tuple[float | None, ...]
    if value is None:
        return Cell(MISSING if planned else NONE)
    if isinstance(value, Spread):
        text = form(value.mean) + ("" if value.sd is None else f" ± {form(value.sd)}")
        numbers = (value.mean, value.sd)
    elif isinstance(value, Delta):
        text = f"{signed(value.value)} [{signed(value.low)}, {signed(value.high)}]"
        numbers = (value.value, value.low, value.high)
    else:
        text, numbers = f"{value.percent:.1f}", (value.percent,)
    return Cell(text, (*numbers, value.seeds.n, value.seeds.starts, value.seeds.in_part), value.seeds)


def constant_cell(constant: Constant | None, decimals: int, parts: int) -> Cell:
    """What a constant answer scores, which has no seeds, in a column of so many parts, the last of them `in part`."""
    if constant is None:
        return Cell(NONE)
    text = f"{constant.percent:.{decimals}f}" + " §" * constant.in_part
    return Cell(text, (constant.percent, *[None] * (parts - 2), int(constant.in_part) or None))


def signed(value: float) -> str:
    """Two decimals and always a sign; a minus that is as wide as the plus."""
    return f"{value:+.2f}".replace("-", "−")
