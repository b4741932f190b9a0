"""Cells with numbers in them, and the marks that keep a reader from taking a number for more than it is."""

from collections.abc import Callable, Sequence

from experiments.reports.statistics import Delta, Spread
from experiments.reports.tables import MISSING, NONE, Cell, Column, Value

SPREAD = ("mean", "sd", "n", "distillations")
DELTA = ("delta", "low", "high", "n", "distillations")
DAGGER = "† One seed: nothing can be said about the spread over seeds."
DOUBLE_DAGGER = (
    "‡ Some of these seeds are fine-tunings of the same distillation: the spread leaves out what another distillation "
    "would change."
)
ASTERISK = "* Not all planned seeds are there, of this arm or of the teacher."
_NOTES = {"†": DAGGER, "‡": DOUBLE_DAGGER, "*": ASTERISK}


def marks_explained(rows: Sequence[Sequence[Cell]]) -> tuple[str, ...]:
    """What the marks in a table's cells mean, one sentence for each that occurs."""
    texts = [cell.text for row in rows for cell in row if cell.values]
    return tuple(note for mark, note in _NOTES.items() if any(mark in text for text in texts))


def spread_column(heading: str) -> Column:
    """A column of `spread_cell`s."""
    return Column(heading, SPREAD)


def spread_cell(spread: Spread | None, planned: int, form: Callable[[float], str] = "{:.2f}".format) -> Cell:
    """Mean ± standard deviation and the number of seeds, marked where these are one, or of one distillation."""
    if spread is None:
        return Cell(MISSING if planned else NONE)
    several = "" if spread.sd is None else f" ± {form(spread.sd)}"
    seeds = f"n={spread.n}" if spread.n >= planned else f"n={spread.n} of {planned}"
    mark, counted = seeds_mark(spread.n, spread.distillations), _counted(seeds, spread.n, spread.distillations)
    values: tuple[Value, ...] = (spread.mean, spread.sd, spread.n, spread.distillations)
    return Cell(f"{form(spread.mean)}{several}{' ' if mark else ''}{mark} ({counted})", values)


def delta_cell(delta: Delta) -> Cell:
    """Difference, its interval and the number of seeds, marked likewise."""
    mark = seeds_mark(delta.n, delta.distillations)
    counted = _counted(f"n={delta.n}", delta.n, delta.distillations)
    text = f"{signed(delta.value)} [{signed(delta.low)}, {signed(delta.high)}]{' ' if mark else ''}{mark} ({counted})"
    return Cell(text, (delta.value, delta.low, delta.high, delta.n, delta.distillations))


def size_cell(megabytes: float | None) -> Cell:
    """Megabytes, with two decimals below ten."""
    if megabytes is None:
        return Cell(MISSING)
    return Cell(f"{megabytes:.1f}" if megabytes >= 10 else f"{megabytes:.2f}", (megabytes,))


def percent_cell(value: float | None, *, expected: bool, partial: bool) -> Cell:
    """A share in per cent, marked where it comes from a part of the seeds."""
    if value is None:
        return Cell(MISSING if expected else NONE)
    return Cell(f"{value:.1f}{' *' if partial else ''}", (value,))


def signed(value: float) -> str:
    """Two decimals and always a sign; a minus that is as wide as the plus."""
    return f"{value:+.2f}".replace("-", "−")


def seeds_mark(n: int, distillations: int) -> str:
    """What marks a figure over `n` seeds that come from so many distillations."""
    if n == 1:
        return "†"
    return "" if distillations == n else "‡"


def _counted(seeds: str, n: int, distillations: int) -> str:
    return seeds if distillations == n else f"{seeds}, {distillations} distillation{'s' if distillations > 1 else ''}"
