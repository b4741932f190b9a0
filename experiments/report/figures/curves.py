"""Figures over the course of distillation: loss terms, agreement and probes, arms overlaid."""

from collections.abc import Sequence
from dataclasses import dataclass

from distilkobert.io.metric_names import (
    AGREEMENT,
    LOSS,
    LOSS_TERM,
    PROBE_ACCURACY,
    PROBE_RETENTION,
    PROBE_TEACHER,
    TEACHER_LOSS,
)
from experiments.report.figures.style import Drawing, Look, legend, looks, panels
from experiments.report.reading.curves import RunCurves, read_curves, thinned
from experiments.report.reading.runs import Study

_TEACHER = Look("#8C8C8C", "-", "")
_LONE = " A marker without a line is a run without training steps."


@dataclass(frozen=True)
class _Panel:
    """What one panel shows.

    Args:
        scalar: its name in the event files.
        title: what it is, with its unit.
        scale: factor that gives this unit.
        teacher: the teacher's level: a scalar of the same unit, or a number.
    """

    scalar: str
    title: str
    scale: float = 1.0
    teacher: str | float | None = None


_MEASURED = (
    _Panel(LOSS, "held-out loss", teacher=TEACHER_LOSS),
    _Panel(AGREEMENT, "agreement with the teacher, per cent", 100.0),
)
_TITLES = {"soft_target": "soft targets", "masked_lm": "masked LM"}
"""Of the terms whose names are not what a reader calls them."""

_PROBES = (
    _Panel(PROBE_ACCURACY, "NSMC accuracy of the probe, per cent", 100.0, PROBE_TEACHER),
    _Panel(PROBE_RETENTION, "NSMC accuracy of the probe, per cent of the teacher's", 1.0, 100.0),
)


def curve_figures(study: Study, stage: str, notes: list[str]) -> list[Drawing]:
    """Loss terms and agreement, and the probes if there are any, over the tokens seen by the runs of a stage.

    Args:
        study: its runs are read.
        stage: a distillation stage.
        notes: what could not be read is added here.
    """
    runs = [run for run in study.of(stage) if run.metrics]
    all_panels = (*_MEASURED, *_PROBES)
    wanted = {name for panel in all_panels for name in (panel.scalar, panel.teacher) if isinstance(name, str)}
    read = [read_curves(run, {*wanted, LOSS_TERM}, notes) for run in runs]
    read = [curves for curves in read if curves.curves]
    alone = len(study.distil_stages) == 1
    groups = (
        ("curves", "Loss terms and agreement", (*_MEASURED, *_term_panels(read))),
        ("probes", "Probes during distillation (a linear classifier on frozen features)", _PROBES),
    )
    drawings = []
    for slug, title, group in groups:
        shown = [panel for panel in group if any(panel.scalar in curves.curves for curves in read)]
        if shown:
            suffix, place = ("", "") if alone else (f"_{stage}", f" ({stage})")
            drawings.append(_overlaid(study, read, shown, slug + suffix, title + place))
    return drawings


def _term_panels(read: Sequence[RunCurves]) -> list[_Panel]:
    """A panel for each term of the loss that a run has, those of the published recipe first."""
    found = {name.removeprefix(LOSS_TERM) for curves in read for name in curves.curves if name.startswith(LOSS_TERM)}
    first = [name for name in ("soft_target", "masked_lm", "cosine") if name in found]
    rest = sorted(found - {"total", *first})
    return [_Panel(LOSS_TERM + name, f"loss term: {_TITLES.get(name, name)}") for name in (*first, *rest)]


def _overlaid(study: Study, read: Sequence[RunCurves], shown: Sequence[_Panel], slug: str, title: str) -> Drawing:
    """One panel per scalar, one line per run with a marker at its end, one look per arm."""
    in_tokens = all(curves.has_tokens for curves in read)
    appearance = looks(study.arms)
    figure, all_axes = panels([panel.title for panel in shown], 2, 4.2, 2.6)
    levels: list[float] = []
    drawn: dict[str, int] = {}
    for axes, panel in zip(all_axes, shown, strict=True):
        for curves in (one for one in read if panel.scalar in one.curves):
            curve, look = thinned(curves.over(panel.scalar, tokens=in_tokens)), appearance[curves.run.arm]
            axes.plot(
                curve["x"] / (1e6 if in_tokens else 1), curve["y"] * panel.scale, look.line, color=look.color, lw=1.1,
                marker=look.marker, ms=4.5, markevery=[-1], clip_on=False,
            )  # fmt: skip
            drawn[curves.run.arm] = max(len(curve), drawn.get(curves.run.arm, 0))
        for level in _levels(panel, read):
            axes.axhline(level, color=_TEACHER.color, lw=0.9, zorder=0)
            levels.append(level)
        axes.set_xlabel("million tokens seen" if in_tokens else "optimizer steps")
    longest = max(axes.get_xlim()[1] for axes in all_axes)
    for axes in all_axes:
        axes.set(xlim=(0, longest), ylim=axes.get_ylim())
    named = {study.teacher or "teacher": _TEACHER} if levels else {}
    legend(figure, named | {arm.name: appearance[arm.name] for arm in study.arms if arm.name in drawn}, lines=True)
    over = "tokens seen" if in_tokens else "optimizer steps (these runs did not log their tokens)"
    caption = f"{title} over {over}; one line per seed, training curves smoothed over neighbouring points."
    caption += _LONE if 1 in drawn.values() else ""
    caption += " Horizontal grey lines: the teacher." if levels else ""
    return Drawing(slug, caption, figure)


def _levels(panel: _Panel, read: Sequence[RunCurves]) -> list[float]:
    """The teacher's levels, once for every value that the runs have of it and that differs in a drawing."""
    if not isinstance(panel.teacher, str):
        return [] if panel.teacher is None else [panel.teacher]
    found = [curves.curves[panel.teacher] for curves in read if panel.teacher in curves.curves]
    return sorted({round(float(curve["y"].iloc[-1]) * panel.scale, 3) for curve in found})
