"""Figures of task scores: retention against cost, differences to the base arm, entity types."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from experiments.reports.cells import seeds_mark, signed
from experiments.reports.content import entity_keys, percent_of_type
from experiments.reports.names import name_points
from experiments.reports.runs import Study
from experiments.reports.scores import Scores, spread_of
from experiments.reports.style import Drawing, looks, new_figure, panels
from experiments.reports.tasks import Metric

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def retention_figure(
    study: Study, scores: Scores, costs: Mapping[str, float], *, slug: str, title: str, axis: str
) -> Drawing | None:
    """Per cent of the teacher's score against a cost of the model, one panel a task; None without enough points.

    Args:
        study: its arms.
        scores: their retention.
        costs: size or latency by arm.
        slug: name of the files.
        title: of the figure.
        axis: what the cost is, with its unit.
    """
    metrics = [
        metric
        for metric in scores.metrics
        if metric.main and sum((arm, metric.heading) in scores.retention for arm in costs) > 1
    ]
    if not metrics:
        return None
    figure, all_axes = panels(len(metrics), 3, 4.0, 3.3)
    appearance = looks(study.arms)
    shown = []
    for axes, metric in zip(all_axes, metrics, strict=True):
        names = [arm.name for arm in study.arms if arm.name in costs and (arm.name, metric.heading) in scores.retention]
        points = {name: (costs[name], scores.retention[name, metric.heading]) for name in names}
        shown.append(points)
        axes.axhline(100, color="#BBBBBB", lw=0.8)
        for name, (x, y) in points.items():
            axes.plot(x, y, appearance[name].marker, color=appearance[name].color, ms=5)
        _margins(axes, list(points.values()))
        axes.set_title(metric.heading)
        axes.set_xlabel(axis)
    all_axes[0].set_ylabel(f"per cent of {study.teacher}")
    figure.draw_without_rendering()  # settles the sizes that names are placed by
    for axes, points in zip(all_axes, shown, strict=True):
        name_points(axes, points, appearance)
    return Drawing(slug, f"{title}. Means over seeds; the grey line is the teacher's score.", figure)


def _margins(axes: "Axes", points: Sequence[tuple[float, float]]) -> None:
    """Limits from 0 along the cost, and room above and below the points."""
    ys = [y for _, y in points] + [100.0]
    room = max(0.12 * (max(ys) - min(ys)), 1.0)
    axes.set_xlim(0, 1.12 * max(x for x, _ in points))
    axes.set_ylim(min(ys) - room, max(ys) + room)


def difference_figure(study: Study, scores: Scores) -> Drawing | None:
    """Bars of the differences to the base arm with their intervals, one panel a score; None where there are none."""
    metrics = [metric for metric in scores.metrics if any(key[1] == metric.heading for key in scores.deltas)]
    arms = [arm.name for arm in study.arms if any(key[0] == arm.name for key in scores.deltas)]
    if not metrics:
        return None
    appearance = looks(study.arms)
    figure = new_figure(1.4 + 2.5 * len(metrics), 1.1 + 0.3 * len(arms))
    all_axes = figure.subplots(1, len(metrics), sharey=True, squeeze=False)[0]
    for axes, metric in zip(all_axes, metrics, strict=True):
        for place, arm in enumerate(arms):
            delta = scores.deltas.get((arm, metric.heading))
            if delta is None:
                axes.text(0, place, "  missing", va="center", color="#767676")
                continue
            axes.barh(place, delta.value, height=0.6, color=appearance[arm].color, alpha=0.45, lw=0)
            axes.plot([delta.low, delta.high], [place, place], color=appearance[arm].color, lw=1.6)
            end, side = (delta.high, "left") if delta.value >= 0 else (delta.low, "right")
            mark = seeds_mark(delta.n, delta.distillations)
            text = f" {signed(delta.value)}{mark} "
            axes.text(end, place, text, va="center", ha=side, color="#333333", fontsize="small")
        axes.axvline(0, color="#333333", lw=0.8)
        axes.margins(x=0.3)
        axes.set_title(metric.heading)
        axes.set_xlabel(f"points against {study.base_arm}")
        axes.spines["left"].set_visible(False)
        axes.tick_params(axis="y", length=0)
    all_axes[0].set_yticks(range(len(arms)), arms)
    all_axes[0].set_ylim(len(arms) - 0.5, -0.5)
    caption = (
        f"Difference to {study.base_arm} in percentage points: bars are the differences, lines their 95 % intervals "
        "over test examples. † one seed; ‡ several fine-tunings of one distillation."
    )
    return Drawing("differences", caption, figure)


def entity_figure(study: Study, metric: Metric) -> Drawing | None:
    """F1 of every entity type, one marker an arm; None where no run has any."""
    runs = study.of(metric.stage)
    types = [name.removeprefix("test/f1_") for name in entity_keys(runs)]
    arms = [arm.name for arm in study.arms if entity_keys(study.of(metric.stage, arm.name))]
    if not types:
        return None
    appearance = looks(study.arms)
    rows_of_legend = -(-len(arms) // 4)
    figure = new_figure(6.4, 0.9 + 0.34 * len(types) + 0.2 * rows_of_legend)
    axes = figure.subplots()
    for place, kind in enumerate(types):
        axes.axhline(place, color="#EEEEEE", lw=0.8, zorder=0)
        for number, arm in enumerate(arms):
            spread = spread_of(study.of(metric.stage, arm), partial(percent_of_type, kind))
            if spread is not None:
                offset = 0.5 * (number / max(len(arms) - 1, 1) - 0.5)
                look = appearance[arm]
                label = arm if place == 0 else None
                axes.plot(spread.mean, place + offset, look.marker, color=look.color, ms=4.5, label=label)
    axes.set_yticks(range(len(types)), [_named(kind) for kind in types])
    axes.set_ylim(len(types) - 0.5, -0.5)
    axes.set_xlabel(f"{metric.heading}, per cent, mean over seeds")
    axes.tick_params(axis="y", length=0)
    figure.legend(loc="outside upper left", ncols=4, handletextpad=0.2, columnspacing=1.2)
    title = f"{metric.heading} by entity type"
    return Drawing(f"entities_{metric.stage}", f"{title}, per cent, mean over seeds.", figure)


_TYPE_NAMES = {
    "PER": "person", "FLD": "field", "AFW": "artefact", "ORG": "organisation", "LOC": "place", "CVL": "civilisation",
    "DAT": "date", "TIM": "time", "NUM": "number", "EVT": "event", "ANM": "animal", "PLT": "plant", "MAT": "material",
    "TRM": "term", "PS": "person", "LC": "place", "OG": "organisation", "DT": "date", "TI": "time", "QT": "quantity",
}  # fmt: skip


def _named(kind: str) -> str:
    return f"{_TYPE_NAMES[kind]} {kind}" if kind in _TYPE_NAMES else kind
