"""How figures look: colours that colour-blind readers tell apart, one legend above the panels, no ornament."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from distilkobert.korean.fonts import families
from experiments._shared.plan_file import Arm

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito, Color Universal Design (jfly.uni-koeln.de/color), 2008; the yellow is left out, too pale for lines.
_STUDENTS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
_CONTROLS = ("#707070", "#8C8C8C", "#555555")
_TEACHER = "#000000"
_DASHES = ("-", "--", ":", "-.")
_MARKERS = ("o", "s", "^", "D", "v", "P")
_FONT_POINTS = 8.0
_LEGEND_INCHES = 1.6
"""Width of a legend's column."""


@dataclass(frozen=True)
class Look:
    """Colour, line and marker of one arm, the same in every figure."""

    color: str
    line: str
    marker: str


@dataclass(frozen=True)
class Drawing:
    """A figure of the report.

    Args:
        slug: name of its files.
        caption: what it shows and from what; also read out to those who cannot see it.
        figure: the drawing.
    """

    slug: str
    caption: str
    figure: "Figure"


def looks(arms: Sequence[Arm]) -> dict[str, Look]:
    """The look of every arm: teacher black, controls grey, students in colours, then the colours again dashed."""
    result = {}
    counts = {"teacher": 0, "student": 0, "control": 0}
    palettes = {"teacher": (_TEACHER,), "student": _STUDENTS, "control": _CONTROLS}
    for arm in arms:
        number, palette = counts[arm.kind], palettes[arm.kind]
        counts[arm.kind] += 1
        turn = number // len(palette) + (arm.kind == "control")
        marker = _MARKERS[(number + number // len(palette)) % len(_MARKERS)]  # moves on when the colours begin again
        result[arm.name] = Look(palette[number % len(palette)], _DASHES[turn % len(_DASHES)], marker)
    return result


@contextmanager
def style(texts: Sequence[str]) -> Iterator[None]:
    """matplotlib's settings for drawing and saving figures in which `texts` occur.

    Letters of SVG files are outlines and PDF files hold their font, so they look the same everywhere; equal figures
    give equal files.
    """
    import matplotlib as mpl

    settings: dict[Any, Any] = {
        "font.family": families(texts),
        "font.size": _FONT_POINTS,
        "axes.titlesize": _FONT_POINTS + 1,
        "axes.titlelocation": "left",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.edgecolor": "#555555",
        "axes.unicode_minus": True,
        "axes.axisbelow": True,
        "xtick.color": "#333333",
        "ytick.color": "#333333",
        "legend.frameon": False,
        "figure.facecolor": "white",
        "savefig.facecolor": "white",
        "figure.dpi": 100,
        "svg.fonttype": "path",
        "svg.hashsalt": "report",
        "pdf.fonttype": 42,  # publishers refuse matplotlib's own type 3
    }
    with mpl.rc_context(settings):
        yield


def new_figure(width: float, height: float) -> "Figure":
    """An empty figure, inches, that no window or global state knows of."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def panels(titles: Sequence[str], columns: int, width: float, height: float) -> tuple["Figure", list["Axes"]]:
    """A figure with a panel for each title, of the given size in inches, in rows of at most `columns`."""
    columns = min(columns, len(titles))
    rows = -(-len(titles) // columns)
    figure = new_figure(width * columns, height * rows)
    axes = list(figure.subplots(rows, columns, squeeze=False).ravel())
    for unused in axes[len(titles) :]:
        unused.remove()
    for one, title in zip(axes, titles, strict=False):
        one.set_title(title)
    return figure, axes[: len(titles)]


def legend(figure: "Figure", appearance: Mapping[str, Look], *, lines: bool = False, hollow: bool = False) -> None:
    """Name arms above all panels, in the order in which they are given; the layout makes space for it.

    Args:
        figure: with its panels.
        appearance: the arms that are shown.
        lines: arms are lines with markers, not markers alone.
        hollow: markers are outlines.
    """
    from matplotlib.lines import Line2D

    handles = [
        Line2D(
            [], [], color=look.color, ls=look.line if lines else "", marker=look.marker, ms=4.5, lw=1.1, label=name,
            mfc="none" if hollow else look.color,
        )
        for name, look in appearance.items()
    ]  # fmt: skip
    columns = max(1, int(figure.get_size_inches()[0] / _LEGEND_INCHES))
    figure.legend(handles=handles, loc="outside upper left", ncols=columns, handletextpad=0.4, columnspacing=1.2)
