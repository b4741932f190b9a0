"""The confusion matrix of a task: counts, and a picture of them."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from distilkobert.korean.fonts import families

Counts = npt.NDArray[np.int64]

_DPI: Final = 100
_MANY: Final = 100_000
"""From here on a count is written in thousands."""


def confusion_matrix(pairs: Mapping[tuple[str, str], int], names: Sequence[str]) -> Counts:
    """Counts (C, C): true class by row, predicted class by column, in the order of the C `names`.

    Raises:
        ValueError: a pair holds a class that is not among the names.
    """
    place = {name: number for number, name in enumerate(names)}
    matrix = np.zeros((len(names), len(names)), dtype=np.int64)
    for (gold, predicted), count in pairs.items():
        unknown = {gold, predicted} - place.keys()
        if unknown:
            raise ValueError(f"class {sorted(unknown)[0]!r} is not among the {len(names)} classes {', '.join(names)}")
        matrix[place[gold], place[predicted]] += count
    return matrix


def draw_confusion(matrix: Counts, names: Sequence[str], title: str) -> npt.NDArray[np.uint8]:
    """A picture (height, width, 3): each cell shows its count, its colour the count's share of the row.

    Args:
        matrix: counts (C, C), true class by row.
        names: the C classes; Hangul is drawn with an installed font that has it, see `korean.fonts`.
        title: a line above the picture.

    Raises:
        ImportError: matplotlib is not installed.
    """
    import matplotlib as mpl

    with mpl.rc_context({"font.family": families([*names, title])}):
        return _drawn(matrix, names, title)


def _drawn(matrix: Counts, names: Sequence[str], title: str) -> npt.NDArray[np.uint8]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    side = 1.8 + 0.45 * len(names)
    figure = Figure(figsize=(side + 1.0, side), dpi=_DPI, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    image = axes.imshow(shares, cmap="Blues", vmin=0.0, vmax=1.0)
    figure.colorbar(image, ax=axes, label="share of the true class", shrink=0.8)
    axes.set_xticks(range(len(names)), names, rotation=45 if len(names) > 2 else 0)
    axes.set_yticks(range(len(names)), names)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    axes.set_title(title, fontsize="medium")
    for row, column in np.argwhere(matrix > 0):
        colour = "white" if shares[row, column] > 0.5 else "black"
        axes.text(column, row, _short(int(matrix[row, column])), ha="center", va="center", color=colour, fontsize=7.5)
    canvas.draw()  # type: ignore[no-untyped-call]
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()  # type: ignore[no-untyped-call]


def _short(count: int) -> str:
    return f"{count:,}" if count < _MANY else f"{count / 1000:,.0f}k"
