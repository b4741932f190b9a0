"""Figures over the course of distillation: loss terms, agreement and probes, arms overlaid."""

from collections.abc import Sequence

from experiments.reports.curves import RunCurves, read_curves, thinned
from experiments.reports.names import name_ends
from experiments.reports.runs import Study
from experiments.reports.style import Drawing, looks, panels

_TERMS = {
    "val/loss": "held-out loss",
    "val/agreement": "agreement with the teacher",
    "train/loss/soft_target": "loss term: soft targets",
    "train/loss/masked_lm": "loss term: masked LM",
    "train/loss/cosine": "loss term: cosine",
}
PROBE_PREFIX = "probe/"


def curve_figures(study: Study, stage: str, notes: list[str]) -> list[Drawing]:
    """Loss terms and agreement, and the probes if there are any, over the tokens seen by the runs of a stage.

    Args:
        study: its runs are read.
        stage: a distillation stage.
        notes: what could not be read is added here.
    """
    runs = [run for run in study.of(stage) if run.metrics]
    read = [read_curves(run, _TERMS, (PROBE_PREFIX,), notes) for run in runs]
    read = [curves for curves in read if curves.curves]
    suffix = "" if len(study.distil_stages) == 1 else f"_{stage}"
    place = "" if len(study.distil_stages) == 1 else f" ({stage})"
    probes = sorted({name for curves in read for name in curves.curves if name.startswith(PROBE_PREFIX)})
    groups = (
        ("curves", "Loss terms and agreement", _TERMS),
        ("probes", "Probes during distillation", {name: name for name in probes}),
    )
    drawings = []
    for slug, title, names in groups:
        shown = {name: heading for name, heading in names.items() if any(name in curves.curves for curves in read)}
        if shown:
            drawings.append(_overlaid(study, read, shown, slug + suffix, title + place))
    return drawings


def _overlaid(study: Study, read: Sequence[RunCurves], names: dict[str, str], slug: str, title: str) -> Drawing:
    """One panel a scalar, one line a run, one look an arm, named at the ends of the lines."""
    in_tokens = all(curves.has_tokens for curves in read)
    appearance = looks(study.arms)
    figure, all_axes = panels(len(names), 2, 4.6, 2.7)
    ends: list[dict[str, tuple[float, float]]] = []
    for axes, (name, heading) in zip(all_axes, names.items(), strict=True):
        last: dict[str, tuple[float, float]] = {}
        for curves in read:
            if name not in curves.curves:
                continue
            curve = thinned(curves.over_tokens(name) if in_tokens else curves.curves[name])
            x = curve.x / 1e6 if in_tokens else curve.x
            look = appearance[curves.run.arm]
            marker = look.marker if len(x) == 1 else ""
            axes.plot(x, curve.y, look.line, color=look.color, lw=1.1, marker=marker, ms=4, clip_on=False)
            last[curves.run.arm] = (float(x[-1]), float(curve.y[-1]))
        ends.append(last)
        axes.set_title(heading)
        axes.set_xlabel("million tokens seen" if in_tokens else "optimizer steps")
    longest = max(axes.get_xlim()[1] for axes in all_axes)
    for axes in all_axes:
        axes.set(xlim=(0, longest), ylim=axes.get_ylim())
    figure.draw_without_rendering()
    for axes, last in zip(all_axes, ends, strict=True):
        name_ends(axes, last, appearance)
    over = "tokens seen" if in_tokens else "optimizer steps (these runs did not log their tokens)"
    caption = f"{title} over {over}; one line a seed, training curves as means over neighbouring points."
    return Drawing(slug, caption, figure)
