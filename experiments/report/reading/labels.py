"""Labels of many runs in a note, short."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from experiments.report.reading.runs import Run

MANY_LABELS = 10
"""From so many on, labels in a note are shown by patterns, as `study --only` has them."""


def grouped(labels: Sequence[str], runs: "Sequence[Run]") -> list[str]:
    """The labels; where they are many, arms and then stages that are in them with all their runs instead of these."""
    left, names = dict.fromkeys(labels), []
    for shape in ("*/{0.arm}_seed*", "{0.stage}/*") if len(labels) >= MANY_LABELS else ():
        every: dict[str, list[str]] = {}
        for run in runs:
            every.setdefault(shape.format(run), []).append(run.label)
        for pattern, own in every.items():
            if set(own) <= set(labels) and len(left.keys() & own) > 1:
                names.append(pattern)
                left = {label: None for label in left if label not in own}
    return [*names, *left]
