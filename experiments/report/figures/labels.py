"""Figures of a classification task from stored predictions: what is taken for what, and what a probability means."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from distilkobert.io.prediction_files import read_records
from experiments.report.figures.style import Drawing, looks, panels
from experiments.report.reading.runs import Study
from experiments.report.reading.tasks import Metric

if TYPE_CHECKING:
    import pandas as pd


def reliability(labelled: "pd.DataFrame", lowest: float, bins: int = 10) -> "tuple[pd.DataFrame, float]":
    """Accuracy by confidence, in equal bins of the predicted label's probability from `lowest` to 1.

    Args:
        labelled: `gold`, `predicted` and `probability`, a row per prediction.
        lowest: probability at which the first bin begins.
        bins: how many.

    Returns:
        Mean `confidence`, `accuracy` and `count` of the filled bins; and the expected calibration error, 0 to 1: mean
        gap of the two, weighted by count (Guo et al. 2017, arXiv:1706.04599).
    """
    place = ((labelled["probability"] - lowest) / (1 - lowest) * bins).astype(int).clip(0, bins - 1)
    found = (
        labelled.assign(right=labelled["gold"] == labelled["predicted"])
        .groupby(place)
        .agg(confidence=("probability", "mean"), accuracy=("right", "mean"), count=("right", "size"))
    )
    gaps = (found["confidence"] - found["accuracy"]).abs()
    return found, float(np.average(gaps, weights=found["count"]))


def confusion(labelled: "pd.DataFrame", labels: Sequence[str]) -> "pd.DataFrame":
    """Counts of true label (rows) against predicted label (columns)."""
    import pandas as pd

    counts = pd.crosstab(labelled["gold"], labelled["predicted"])
    return counts.reindex(index=labels, columns=labels, fill_value=0)


def label_figures(study: Study, metric: Metric, notes: list[str]) -> list[Drawing]:
    """Reliability diagram and confusion matrices of a classification task; none where no prediction can be read.

    Args:
        study: its runs of the task are read.
        metric: the task's score.
        notes: predictions that cannot be shown are named here.
    """
    arms = {arm.name: _labelled(study, metric.stage, arm.name, notes) for arm in study.arms}
    shown = {name: labelled for name, labelled in arms.items() if labelled is not None}
    if not shown:
        return []
    labels = sorted({label for one in shown.values() for label in (*one["gold"], *one["predicted"])})
    return [_reliability_figure(study, metric, shown, len(labels)), _confusion_figure(metric, shown, labels)]


def _labelled(study: Study, stage: str, arm: str, notes: list[str]) -> "pd.DataFrame | None":
    """Predictions of one arm, all seeds together."""
    import pandas as pd

    frames = []
    for run in study.of(stage, arm):
        if not run.metrics:
            continue
        try:
            frame = pd.DataFrame(read_records(run.folder), columns=["gold", "predicted", "probability"])
            if not all(isinstance(label, str) for label in (*frame["gold"], *frame["predicted"])):
                raise ValueError("its predictions are not one class for each text")
            if not frame["probability"].between(0, 1).all():
                raise ValueError("a probability is not between 0 and 1")
        except (OSError, ValueError, TypeError) as error:
            notes.append(f"{run.label} is not in the reliability and confusion figures: {error}.")
            continue
        frames.append(frame)
    return pd.concat(frames, ignore_index=True) if frames else None


def _reliability_figure(study: Study, metric: Metric, shown: "Mapping[str, pd.DataFrame]", classes: int) -> Drawing:
    lowest = 1 / max(classes, 2)
    appearance = looks(study.arms)
    figure, all_axes = panels([*shown], 4, 2.3, 2.3)
    for axes, (arm, labelled) in zip(all_axes, shown.items(), strict=True):
        found, error = reliability(labelled, lowest)
        axes.plot([100 * lowest, 100], [100 * lowest, 100], color="#BBBBBB", lw=0.8)
        look = appearance[arm]
        confidence, accuracy = 100 * found["confidence"], 100 * found["accuracy"]
        axes.plot(confidence, accuracy, color=look.color, lw=1.0)
        sizes = 6 + 90 * found["count"] / found["count"].sum()
        axes.scatter(confidence, accuracy, s=sizes, color=look.color, lw=0, alpha=0.8)
        axes.set(xlim=(100 * lowest - 2, 102), ylim=(0, 104), aspect="auto")
        axes.text(0.97, 0.06, f"ECE {100 * error:.1f} %", transform=axes.transAxes, ha="right")
    figure.supxlabel("probability of the label, per cent", fontsize="medium")
    figure.supylabel("correct, per cent", fontsize="medium")
    caption = (
        f"{metric.task} reliability: share of correct labels against their predicted probability, all seeds together. "
        "On the grey line the model is calibrated. The size of a dot shows the number of texts; ECE is the expected "
        "calibration error."
    )
    return Drawing(f"reliability_{metric.stage}", caption, figure)


def _confusion_figure(metric: Metric, shown: "Mapping[str, pd.DataFrame]", labels: Sequence[str]) -> Drawing:
    side = max(2.1, 0.9 + 0.5 * len(labels))
    figure, all_axes = panels([*shown], 4, side + 0.3, side)
    for axes, labelled in zip(all_axes, shown.values(), strict=True):
        counts = confusion(labelled, labels).to_numpy()
        shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        for (row, column), share in np.ndenumerate(shares):
            text = f"{100 * share:.1f} %\n{counts[row, column]:,}"
            axes.text(column, row, text, ha="center", va="center", color="white" if share > 0.55 else "black")
        axes.set_xticks(range(len(labels)), labels, rotation=45 if len(labels) > 2 else 0)
        axes.set_yticks(range(len(labels)), labels, rotation=90, va="center")
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
    figure.supxlabel("predicted", fontsize="medium")
    figure.supylabel("true", fontsize="medium")
    caption = (
        f"{metric.task} confusion: share of each true label (rows add up to 100 %) and number of texts, all seeds "
        "together."
    )
    return Drawing(f"confusion_{metric.stage}", caption, figure)
