"""Cells with numbers in them, and the marks that keep a reader from taking a number for more than it is."""

from collections.abc import Callable, Iterable

from experiments.report.statistics import Delta, Ratio, Seeds, Spread
from experiments.report.tables import MISSING, NONE, Cell

_COUNTS = ("n", "distillations", "in part")
SPREAD = ("mean", "sd", *_COUNTS)
DELTA = ("delta", "low", "high", *_COUNTS)
RATIO = ("", *_COUNTS)
"""Parts of the columns of `value_cell`s."""

DAGGER = "† One seed: nothing can be said about the spread over seeds."
DOUBLE_DAGGER = (
    "‡ Some of these seeds are fine-tunings of the same distillation, or of the same untrained start: the spread "
    "leaves out what another one would change."
)
ASTERISK = "* Not all of the arm's planned seeds are in it, or not all of those of the arm it is compared with."
COMPUTED = "≈ Not weighed: number of parameters times 4 bytes; the notes at the end say whose."
SECTION = "§ Measured on a part of the file, so not comparable with scores of the whole one; the notes say which part."


def marks_in(texts: Iterable[str]) -> tuple[str, ...]:
    """What the marks in these texts mean, one sentence for each that occurs."""
    marks = set("".join(texts))
    return tuple(note for note in (DAGGER, DOUBLE_DAGGER, ASTERISK, COMPUTED, SECTION) if note[0] in marks)


def marks_of(seeds: Seeds, *, of_part_alone: bool = False) -> str:
    """What marks a value over one seed, or fewer distillations than seeds; missing seeds; and a part of the file.

    Args:
        seeds: what is behind the value.
        of_part_alone: leave out what the caption says of all seeds.
    """
    few = "†" if seeds.n == 1 else "‡" if seeds.distillations != seeds.n else ""
    return ("" if of_part_alone else few + "*" * seeds.partial) + "§" * bool(seeds.in_part)


def seeds_text(seeds: Seeds) -> str:
    """`n=3`, `n=1 of 2`, `n=2, 1 distillation`."""
    text = f"n={seeds.n}" + (f" of {seeds.planned}" if seeds.n < seeds.planned else "")
    if seeds.distillations == seeds.n:
        return text
    return f"{text}, {seeds.distillations} distillation{'s' if seeds.distillations > 1 else ''}"


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
    return Cell(text, (*numbers, value.seeds.n, value.seeds.distillations, value.seeds.in_part), value.seeds)


def constant_cell(percent: float | None, decimals: int, parts: int) -> Cell:
    """What a constant answer scores, which has no seeds, in a column of so many parts."""
    if percent is None:
        return Cell(NONE)
    return Cell(f"{percent:.{decimals}f}", (percent, *[None] * (parts - 1)))


def signed(value: float) -> str:
    """Two decimals and always a sign; a minus that is as wide as the plus."""
    return f"{value:+.2f}".replace("-", "−")
