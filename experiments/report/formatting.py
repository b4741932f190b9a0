"""Cells with numbers in them, and the marks that keep a reader from taking a number for more than it is."""

from collections.abc import Callable, Sequence

from experiments.report.statistics import Delta, Ratio, Spread
from experiments.report.tables import MISSING, NONE, Cell, Column, Value

SPREAD = ("mean", "sd", "n", "distillations", "in part")
DELTA = ("delta", "low", "high", "n", "distillations", "in part")
RATIO = ("", "n", "distillations", "in part")
DAGGER = "† One seed: nothing can be said about the spread over seeds."
DOUBLE_DAGGER = (
    "‡ Some of these seeds are fine-tunings of the same distillation, or of the same untrained start: the spread "
    "leaves out what another one would change."
)
ASTERISK = "* Not all of the arm's planned seeds are in it, or not all of those of the arm it is compared with."
COMPUTED = "≈ Not weighed: number of parameters times 4 bytes; the notes at the end say whose."
SECTION = "§ Measured on a part of the file, so not comparable with scores of the whole one; the notes say which part."
_NOTES = {"†": DAGGER, "‡": DOUBLE_DAGGER, "*": ASTERISK, "≈": COMPUTED, "§": SECTION}


def marks_explained(rows: Sequence[Sequence[Cell]]) -> tuple[str, ...]:
    """What the marks in a table's cells mean, one sentence for each that occurs."""
    return marks_in([cell.text for row in rows for cell in row if cell.values])


def marks_in(texts: Sequence[str]) -> tuple[str, ...]:
    """What the marks in these texts mean, one sentence for each that occurs."""
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
    mark = seeds_mark(spread.n, spread.distillations) + part_mark(spread.in_part)
    counted = _counted(seeds, spread.n, spread.distillations)
    values: tuple[Value, ...] = (spread.mean, spread.sd, spread.n, spread.distillations, spread.in_part)
    return Cell(f"{form(spread.mean)}{several}{' ' if mark else ''}{mark} ({counted})", values)


def delta_cell(delta: Delta, planned: int) -> Cell:
    """Difference, its interval and the number of seeds, marked likewise, and where planned seeds of the arm lack."""
    mark = seeds_mark(delta.n, delta.distillations) + ("*" if delta.n < planned else "") + part_mark(delta.in_part)
    seeds = f"n={delta.n}" if delta.n >= planned else f"n={delta.n} of {planned}"
    counted = _counted(seeds, delta.n, delta.distillations)
    text = f"{signed(delta.value)} [{signed(delta.low)}, {signed(delta.high)}]{' ' if mark else ''}{mark} ({counted})"
    return Cell(text, (delta.value, delta.low, delta.high, delta.n, delta.distillations, delta.in_part))


def size_cell(megabytes: float | None, *, computed: bool = False) -> Cell:
    """Megabytes, with two decimals below ten, marked where they are computed."""
    if megabytes is None:
        return Cell(MISSING)
    return Cell(f"{'≈ ' if computed else ''}{megabytes:.{1 if megabytes >= 10 else 2}f}", (megabytes,))


def ratio_cell(ratio: Ratio | None, *, expected: bool) -> Cell:
    """A share in per cent and the number of seeds, marked likewise, and where it comes from a part of the seeds."""
    if ratio is None:
        return Cell(MISSING if expected else NONE)
    marks, counted = ratio_marks(ratio), _counted(f"n={ratio.n}", ratio.n, ratio.distillations)
    text = f"{ratio.percent:.1f}{' ' if marks else ''}{marks} ({counted})"
    return Cell(text, (ratio.percent, ratio.n, ratio.distillations, ratio.in_part))


def ratio_marks(ratio: Ratio) -> str:
    """The marks of a share."""
    return seeds_mark(ratio.n, ratio.distillations) + ("*" if ratio.partial else "") + part_mark(ratio.in_part)


def part_mark(in_part: int) -> str:
    """What marks a score of which `in_part` values were measured on a part of the file."""
    return "§" if in_part else ""


def constant_cell(percent: float | None, decimals: int, parts: int) -> Cell:
    """What a constant answer scores, which has no seeds, in a column of so many parts."""
    if percent is None:
        return Cell(NONE)
    return Cell(f"{percent:.{decimals}f}", (percent, *[None] * (parts - 1)))


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
