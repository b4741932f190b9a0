"""Figures of task scores: retention against cost, differences to the base arm, entity types."""

from collections.abc import Collection, Mapping
from functools import partial

from experiments.report.figures.style import Drawing, legend, looks, new_figure, panels
from experiments.report.reading.runs import Study
from experiments.report.reading.tasks import Metric
from experiments.report.score_tables import class_names, class_score
from experiments.report.scores import Scores, spread_of
from experiments.report.tables import MISSING, NONE, marks_in, marks_of, signed

_ROW_FILLED = 0.75
"""Share of an entity type's row that its markers spread over, so that none covers another and the rows stay apart."""


def retention_figure(
    study: Study,
    scores: Scores,
    costs: Mapping[str, float],
    cost: str,
    axis: str,
    computed: Collection[str] = (),
) -> Drawing | None:
    """Per cent of the reference's score against a cost of the model, one panel per task; None without enough points.

    Args:
        study: its arms.
        scores: their retention.
        costs: size or latency by arm.
        cost: which of the two; also in the name of the files.
        axis: what is shown of it, with its unit.
        computed: arms whose cost was not measured, which is marked.
    """
    headings = [
        metric.heading
        for metric in scores.metrics
        if metric.main and sum((arm, metric.heading) in scores.retention for arm in costs) > 1
    ]
    if not headings:
        return None
    names = [arm.name for arm in study.arms if arm.name in costs]
    ratios = {key: ratio for key, ratio in scores.retention.items() if key[0] in costs and key[1] in headings}
    everywhere = {ratio.seeds.n for ratio in ratios.values()}
    figure, all_axes = panels(headings, 3, 3.4, 2.9)
    appearance = looks(study.arms)
    signs = {
        key: marks_of(ratio.seeds) + "≈" * (key[0] in computed) + f" n={ratio.seeds.n}" * (len(everywhere) > 1)
        for key, ratio in ratios.items()
    }
    of_all = next(iter(signs.values())) if len(set(signs.values())) == 1 else None
    for axes, heading in zip(all_axes, headings, strict=True):
        points = {name: ratios[name, heading] for name in names if (name, heading) in ratios}
        for name, ratio in points.items():
            look, place = appearance[name], (costs[name], ratio.percent)
            axes.plot(*place, look.marker, color=look.color, ms=5.5, mfc="none")  # hollow: it hides none of equal cost
            if of_all is None:
                axes.annotate(
                    signs[name, heading].strip(), place, xytext=(5, 0), textcoords="offset points",
                    color="#333333", va="center", fontsize="small",
                )  # fmt: skip
        axes.axhline(100, color="#BBBBBB", lw=0.8, zorder=0)
        ys = [100.0, *(ratio.percent for ratio in points.values())]
        margin = max(0.12 * (max(ys) - min(ys)), 1.0)
        axes.set_xlim(0, 1.12 * max(costs[name] for name in points))
        axes.set_ylim(min(ys) - margin, max(ys) + margin)
        axes.set_xlabel(axis)
    seeds = f", n={min(everywhere)}" if len(everywhere) == 1 else ""
    all_axes[0].set_ylabel(f"per cent of {study.reference}{seeds} {of_all or ''}".rstrip())
    retained = {arm for arm, _ in ratios}
    legend(figure, {name: appearance[name] for name in names if name in retained}, hollow=True)
    absent = [name for name in dict.fromkeys(arm for arm, _ in scores.retention) if name not in costs]
    parts = (
        f"Retention against {cost}. Means over n seeds, of the arm or of the one it is compared with, whichever has "
        f"fewer; the grey line is the score of {study.reference}.",
        *marks_in(signs.values()),
        *([f"Not shown, because their {cost} is unknown: {', '.join(absent)}."] if absent else []),
    )
    return Drawing(f"retention_{cost}", " ".join(parts), figure)


def difference_figure(study: Study, scores: Scores) -> Drawing | None:
    """Bars of the differences to the base arm with their intervals, one panel per score; None where there are none."""
    metrics = [metric for metric in scores.metrics if any(key[1] == metric.heading for key in scores.deltas)]
    arms = [arm.name for arm in study.arms if any(key[0] == arm.name for key in scores.deltas)]
    if not metrics:
        return None
    appearance = looks(study.arms)
    marked: list[str] = []
    figure = new_figure(1.4 + 2.5 * len(metrics), 1.1 + 0.3 * len(arms))
    all_axes = figure.subplots(1, len(metrics), sharey=True, squeeze=False)[0]
    for axes, metric in zip(all_axes, metrics, strict=True):
        for place, arm in enumerate(arms):
            delta = scores.deltas.get((arm, metric.heading))
            if delta is None:
                absent = MISSING if study.of(metric.stage, arm) else NONE
                axes.text(0, place, f"  {absent}", va="center", color="#767676")
                continue
            axes.barh(place, delta.value, height=0.6, color=appearance[arm].color, alpha=0.45, lw=0)
            axes.plot([delta.low, delta.high], [place, place], color=appearance[arm].color, lw=1.6)
            end, side = (delta.high, "left") if delta.value >= 0 else (delta.low, "right")
            text = f" {signed(delta.value)}{marks_of(delta.seeds)} "
            marked.append(text)
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
        "over test examples."
    )
    return Drawing("differences", " ".join((caption, *marks_in(marked))), figure)


def entity_figure(study: Study, metric: Metric) -> Drawing | None:
    """F1 of every entity type, one marker an arm; None where no run has any."""
    types = class_names(study.of(metric.stage), metric.kind)
    arms = [arm.name for arm in study.arms if class_names(study.of(metric.stage, arm.name), metric.kind)]
    if not types:
        return None
    appearance = {name: look for name, look in looks(study.arms).items() if name in arms}
    figure = new_figure(6.4, 0.9 + max(0.34, 0.09 * len(arms)) * len(types) + 0.2 * -(-len(arms) // 4))
    axes = figure.subplots()
    for place, kind in enumerate(types):
        if place % 2:
            axes.axhspan(place - 0.5, place + 0.5, color="#F3F3F3", lw=0, zorder=0)
        for number, (arm, look) in enumerate(appearance.items()):
            spread = spread_of(study.of(metric.stage, arm), partial(class_score, name=kind))
            if spread is not None:
                offset = _ROW_FILLED * (number - (len(arms) - 1) / 2) / max(len(arms) - 1, 1)
                axes.plot(spread.mean, place + offset, look.marker, color=look.color, ms=4.5)
    axes.set_yticks(range(len(types)), [_named(kind) for kind in types])
    axes.set_ylim(len(types) - 0.5, -0.5)
    axes.set_xlabel(f"{metric.heading}, per cent, mean over seeds")
    axes.tick_params(axis="y", length=0)
    legend(figure, appearance)
    return Drawing(f"entities_{metric.stage}", f"{metric.heading} by entity type, per cent, mean over seeds.", figure)


_TYPE_NAMES = {
    "PER": "person", "FLD": "field", "AFW": "artefact", "ORG": "organisation", "LOC": "place", "CVL": "civilisation",
    "DAT": "date", "TIM": "time", "NUM": "number", "EVT": "event", "ANM": "animal", "PLT": "plant", "MAT": "material",
    "TRM": "term", "PS": "person", "LC": "place", "OG": "organisation", "DT": "date", "TI": "time", "QT": "quantity",
}  # fmt: skip


def _named(kind: str) -> str:
    return f"{_TYPE_NAMES[kind]} {kind}" if kind in _TYPE_NAMES else kind
