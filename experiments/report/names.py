"""Write names into figures beside what they name, so that no two lie on each other and no legend is needed."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from distilkobert.korean.fonts import has_hangul
from experiments.report.figures.style import FONT_POINTS, Look
from experiments.report.reading.curves import Curve

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LINE = 1.25
"""Height of a line of text in units of the font size."""
_OFFSET = 0.035
"""Between a point and its name, in widths of the axes."""
_MARKER = 0.015
"""Half the size of a point, in widths and heights of the axes."""


class Box(NamedTuple):
    """A rectangle in fractions of the axes."""

    left: float
    low: float
    right: float
    high: float

    def meets(self, other: "Box") -> bool:
        """Whether the two share any area."""
        return self.left < other.right and other.left < self.right and self.low < other.high and other.low < self.high


def name_points(
    axes: "Axes",
    points: Mapping[str, tuple[float, float]],
    appearance: Mapping[str, Look],
    lines: Sequence[Curve] = (),
) -> None:
    """Write each name next to its point.

    Args:
        axes: its limits and size are final.
        points: data coordinates by name.
        appearance: by name.
        lines: drawn in the same axes; names keep off them too.
    """
    width, _ = _inches(axes)
    height = _line_height(axes)
    places = list(_fractions(axes, points).values())
    widths = [letters_wide(name) * FONT_POINTS / 72 / width for name in points]
    taken = [place for line in lines for place in _along(axes, line)]
    for name, place, box in zip(points, places, place_boxes(places, widths, height, taken), strict=True):
        to_left = box.right < place[0]
        across = box.right if to_left else box.left
        _write(axes, name, points[name], (across, (box.low + box.high) / 2), appearance[name].ink, to_left=to_left)


def name_ends(axes: "Axes", ends: Mapping[str, tuple[float, float]], appearance: Mapping[str, Look]) -> None:
    """Write names in a column to the right of the axes, as near as can be to where lines end; see `name_points`."""
    places = _fractions(axes, ends)
    heights = spread_out([y for _, y in places.values()], _line_height(axes), 0.0, 1.0)
    for name, height in zip(places, heights, strict=True):
        _write(axes, name, ends[name], (1.03, height), appearance[name].ink, to_left=False)


def place_boxes(
    points: Sequence[tuple[float, float]],
    widths: Sequence[float],
    height: float,
    taken: Sequence[tuple[float, float]] = (),
) -> list[Box]:
    """Where names go: right or left of their points, as little higher or lower as keeps them off all else.

    Args:
        points: fractions of the axes.
        widths: of the names, in the same unit.
        height: of a name.
        taken: further places, in the same unit, that no name may lie on.

    Returns:
        A box for each name, clear of the other boxes and of all points, and if it can be nearer to its own point than
        to any other; where nothing near is free, beside the point.
    """
    markers = [Box(x - _MARKER, y - _MARKER, x + _MARKER, y + _MARKER) for x, y in (*points, *taken)]
    placed: list[Box] = []
    for number, ((x, y), width) in enumerate(zip(points, widths, strict=True)):
        others = [*points[:number], *points[number + 1 :]]
        choices = [
            Box(left, y + lift - height / 2, left + width, y + lift + height / 2)
            for step in range(24)
            for lift in ((step * height / 3, -step * height / 3) if step else (0.0,))
            for left in (x + _OFFSET, x - _OFFSET - width)
        ]
        inside = (box for box in choices if box.left > 0 and box.right < 1.1 and box.low > 0 and box.high < 1.02)
        free = [box for box in inside if not any(box.meets(other) for other in (*placed, *markers))]
        own = (box for box in free if all(_gap(box, (x, y)) <= _gap(box, other) for other in others))
        placed.append(next(own, next(iter(free), choices[0])))
    return placed


def _gap(box: Box, point: tuple[float, float]) -> float:
    """Distance from a box to a point; 0 inside it."""
    across = max(box.left - point[0], 0.0, point[0] - box.right)
    return math.hypot(across, max(box.low - point[1], 0.0, point[1] - box.high))


def spread_out(places: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Places moved as little as can be, so that neighbours are `gap` apart and all lie in [low, high].

    The moves have the least sum of squares: with the gaps taken off this is isotonic regression, solved by pooling
    neighbours that are out of order into blocks at their mean. Where the range is too short, the gap shrinks to fit.
    """
    count = len(places)
    if count > 1:
        gap = min(gap, (high - low) / (count - 1))
    order = sorted(range(count), key=lambda place: places[place])
    blocks: list[tuple[float, int]] = []
    for number, place in enumerate(order):
        mean, size = places[place] - number * gap, 1
        while blocks and blocks[-1][0] > mean:
            other, more = blocks.pop()
            mean, size = (mean * size + other * more) / (size + more), size + more
        blocks.append((mean, size))
    flat = [min(max(mean, low), high - (count - 1) * gap) for mean, size in blocks for _ in range(size)]
    result = [0.0] * count
    for number, place in enumerate(order):
        result[place] = flat[number] + number * gap
    return result


def letters_wide(text: str) -> float:
    """About how wide a text is, in units of the font size: Hangul takes a square, other letters less."""
    return sum(1.0 if has_hangul(letter) else 0.6 for letter in text)


def _inches(axes: "Axes") -> tuple[float, float]:
    figure = axes.get_figure(root=True)
    assert figure is not None
    width, height = figure.get_size_inches() * axes.get_position().size
    return float(width), float(height)


def _line_height(axes: "Axes") -> float:
    return _LINE * FONT_POINTS / 72 / _inches(axes)[1]


def _fractions(axes: "Axes", points: Mapping[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    return {name: ((x - left) / (right - left), (y - low) / (high - low)) for name, (x, y) in points.items()}


def _along(axes: "Axes", line: Curve) -> list[tuple[float, float]]:
    """Places along a line, in fractions of the axes, close enough together that nothing slips between two."""
    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    xs, ys = (line.x - left) / (right - left), (line.y - low) / (high - low)
    lengths = np.append(0.0, np.cumsum(np.hypot(np.diff(xs), np.diff(ys))))
    along = np.arange(0.0, lengths[-1] + _MARKER, _MARKER)
    return list(zip(np.interp(along, lengths, xs).tolist(), np.interp(along, lengths, ys).tolist(), strict=True))


def _write(
    axes: "Axes", name: str, point: tuple[float, float], place: tuple[float, float], color: str, *, to_left: bool
) -> None:
    """A name at `place` (fractions of the axes), a white rim around its letters and a thin line to its point."""
    from matplotlib.patheffects import withStroke

    axes.annotate(
        name,
        xy=point,
        xytext=place,
        textcoords="axes fraction",
        color=color,
        ha="right" if to_left else "left",
        va="center",
        annotation_clip=False,
        path_effects=[withStroke(linewidth=2, foreground="white")],
        arrowprops={
            "arrowstyle": "-",
            "color": color,
            "lw": 0.5,
            "alpha": 0.6,
            "relpos": (1.0 if to_left else 0.0, 0.5),
            "shrinkA": 1,
            "shrinkB": 3,
        },
    )
