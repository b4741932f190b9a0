"""Curves of a run, read from its TensorBoard event files and put over tokens seen."""

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from distilkobert.io.metric_names import LOSS, STEPS, TOKENS_SEEN, TRAIN_TOKENS
from experiments._shared.quiet import only_from
from experiments.report.reading.runs import Run

if TYPE_CHECKING:
    import pandas as pd

_POINTS = 150
"""More than a panel of a few inches can show; longer curves are averaged over neighbouring points."""


@dataclass(frozen=True)
class RunCurves:
    """The scalars of one run over its optimizer steps.

    Args:
        run: the run.
        curves: by name, with the columns `x` (steps, rising) and `y` (values).
    """

    run: Run
    curves: "Mapping[str, pd.DataFrame]"

    @property
    def has_tokens(self) -> bool:
        """Whether steps can be converted to tokens; a run without training steps is at 0 in both."""
        return TRAIN_TOKENS in self.curves or all(curve["x"].max() == 0 for curve in self.curves.values())

    def over(self, name: str, *, tokens: bool) -> "pd.DataFrame":
        """A scalar over its steps, or over the tokens seen at these, from the logged pairs and the run's totals."""
        curve = self.curves[name]
        if not tokens or TRAIN_TOKENS not in self.curves:
            return curve
        steps, seen = (self.curves[TRAIN_TOKENS][column].to_numpy() for column in ("x", "y"))
        last_step, last_tokens = self.run.number(STEPS), self.run.number(TOKENS_SEEN)
        if last_step is not None and last_tokens is not None and last_step > steps[-1]:
            steps, seen = np.append(steps, last_step), np.append(seen, last_tokens)
        return curve.assign(x=np.interp(curve["x"], np.append(0.0, steps), np.append(0.0, seen)))


def read_curves(run: Run, names: Collection[str], notes: list[str]) -> RunCurves:
    """Read the named scalars; a point that is not finite is left out.

    Behind the step from which a run was resumed the points of the resumed part count alone, also where it has not come
    as far yet: TensorBoard's reader drops the others. Of two points at one step the later written counts.

    Args:
        run: whose folder holds the event files.
        names: scalars wanted; a name that ends in `/` wants all that begin so. Those absent are not in the result.
        notes: points that are not finite, and a folder without events, are noted here.
    """
    import pandas as pd
    from tensorboard.backend.event_processing.event_accumulator import SCALARS, EventAccumulator

    if not any(run.folder.glob("events.out.tfevents.*")):
        notes.append(f"{run.label} has no event files, so it is in no curve.")
        return RunCurves(run, {})
    events = EventAccumulator(str(run.folder), size_guidance={SCALARS: 0})
    with only_from(logging.ERROR, "tensorboard"):  # it warns of every restart in an event file, which a resumed run has
        events.Reload()
    wanted = {TRAIN_TOKENS, *names}
    groups = tuple(name for name in names if name.endswith("/"))
    curves = {}
    for tag in events.Tags()[SCALARS]:
        if tag not in wanted and not tag.startswith(groups):
            continue
        latest = {event.step: event.value for event in events.Scalars(tag)}
        curve = pd.DataFrame(sorted(latest.items()), columns=["x", "y"], dtype=float)
        finite = np.isfinite(curve["y"])
        if not finite.all():
            notes.append(f"{run.label}: {(~finite).sum()} points of {tag} are not finite and left out.")
        if finite.any():
            curves[tag] = curve[finite]
    reached, end = max((curve["x"].max() for curve in curves.values()), default=None), run.number(STEPS)
    if reached is None:
        notes.append(f"{run.label} has no scalars in its event files, so it is in no curve.")
    elif end is not None and reached < end and LOSS in wanted:  # the last validation is at the end
        notes.append(f"{run.label}: its event files end at step {reached:.0f} of {end:.0f}; its curves are cut.")
    return RunCurves(run, curves)


def thinned(curve: "pd.DataFrame", points: int = _POINTS) -> "pd.DataFrame":
    """The curve as means over groups of neighbouring points, at most `points` of them."""
    return curve.groupby(np.arange(len(curve)) // -(-len(curve) // points)).mean()
