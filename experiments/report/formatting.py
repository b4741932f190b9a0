"""Cells with numbers in them, and the marks that keep a reader from taking a number for more than it is."""

from collections.abc import Callable, Sequence

from experiments.report.statistics import Delta, Ratio, Seeds, Spread
from experiments.report.tables import MISSING, NONE, Cell, Column

_COUNTS = ("n", "distillations", "in part")
SPREAD = ("mean", "sd", *_COUNTS)
DELTA = ("delta", "low", "high", *_COUNTS)
RATIO = ("", *_COUNTS)
DAGGER = "† One seed: nothing can be said about the spread over seeds."
DOUBLE_DAGGER = (
    "‡ Some of these seeds are fine-tunings of the same distillation, or of the same untrained start: the spread "
    "leaves out what another one would change."
)
ASTERISK = "* Not all of the arm's planned seeds are in it, or not all of those of the arm it is compared with."
COMPUTED = "≈ Not weighed: number of parameters times 4 bytes; the notes at the end say whose."
SECTION = "§ Measured on a part of the file, so not comparable with scores of the whole one; the notes say which part."
_NOTES = {"†": DAGGER, "‡": DOUBLE_DAGGER, "*": ASTERISK, "≈": COMPUTED, "§": SECTION}


def marks_in(texts: Sequence[str]) -> tuple[str, ...]:
    """What the marks in these texts mean, one sentence for each that occurs."""
    return tuple(note for mark, note in _NOTES.items() if any(mark in text for text in texts))


def seeds_mark(seeds: Seeds) -> str:
    """What marks a value over one seed, or over fewer distillations than seeds, and where planned seeds are missing."""
    few = "†" if seeds.n == 1 else "" if seeds.distillations == seeds.n else "‡"
    return few + ("*" if seeds.partial else "")


def part_mark(seeds: Seeds) -> str:
    """What marks a score of which something was measured on a part of the file."""
    return "§" if seeds.in_part else ""


def seeds_text(seeds: Seeds) -> str:
    """`n=3`, `n=1 of 2`, `n=2, 1 distillation`."""
    text = f"n={seeds.n}" + (f" of {seeds.planned}" if seeds.n < seeds.planned else "")
    if seeds.distillations == seeds.n:
        return text
    return f"{text}, {seeds.distillations} distillation{'s' if seeds.distillations > 1 else ''}"


def spread_column(heading: str, *, ranked: bool = False) -> Column:
    """A column of `spread_cell`s."""
    return Column(heading, SPREAD, ranked=ranked)


def absent(planned: bool) -> Cell:
    """The cell of a value that is not there."""
    return Cell(MISSING if planned else NONE)


def spread_cell(spread: Spread, form: Callable[[float], str] = "{:.2f}".format) -> Cell:
    """Mean ± standard deviation."""
    several = "" if spread.sd is None else f" ± {form(spread.sd)}"
    return _cell(f"{form(spread.mean)}{several}", (spread.mean, spread.sd), spread.seeds)


def delta_cell(delta: Delta) -> Cell:
    """Difference and its interval."""
    text = f"{signed(delta.value)} [{signed(delta.low)}, {signed(delta.high)}]"
    return _cell(text, (delta.value, delta.low, delta.high), delta.seeds)


def ratio_cell(ratio: Ratio) -> Cell:
    """A share in per cent."""
    return _cell(f"{ratio.percent:.1f}", (ratio.percent,), ratio.seeds)


def _cell(text: str, values: tuple[float | None, ...], seeds: Seeds) -> Cell:
    return Cell(text, (*values, seeds.n, seeds.distillations, seeds.in_part), seeds)


def size_cell(megabytes: float | None, *, computed: bool = False) -> Cell:
    """Megabytes, with two decimals below ten, marked where they are computed."""
    if megabytes is None:
        return Cell(MISSING)
    return Cell(f"{'≈ ' if computed else ''}{megabytes:.{1 if megabytes >= 10 else 2}f}", (megabytes,))


def constant_cell(percent: float | None, decimals: int, parts: int) -> Cell:
    """What a constant answer scores, which has no seeds, in a column of so many parts."""
    if percent is None:
        return Cell(NONE)
    return Cell(f"{percent:.{decimals}f}", (percent, *[None] * (parts - 1)))


def signed(value: float) -> str:
    """Two decimals and always a sign; a minus that is as wide as the plus."""
    return f"{value:+.2f}".replace("-", "−")
