"""Figures of a classification task from stored predictions: what is taken for what, and what a probability means."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from distilkobert.io.prediction_files import read_records
from experiments.report.figures.style import Drawing, looks, panels
from experiments.report.reading.runs import Study
from experiments.report.reading.tasks import Metric

_BINS = 10


@dataclass(frozen=True)
class Labelled:
    """Predictions of one arm, all seeds together.

    Args:
        gold: true labels, (N,).
        predicted: predicted labels, (N,).
        probability: of the predicted label, 0 to 1, (N,).
    """

    gold: NDArray[np.str_]
    predicted: NDArray[np.str_]
    probability: NDArray[np.float64]


@dataclass(frozen=True)
class Reliability:
    """Accuracy by confidence.

    Args:
        confidence: mean probability of each filled bin, (bins,).
        accuracy: share of right labels in it, (bins,).
        counts: predictions in it, (bins,).
        error: expected calibration error, 0 to 1: mean gap of the two, weighted by count (Guo et al. 2017,
            arXiv:1706.04599).
    """

    confidence: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    counts: NDArray[np.int64]
    error: float


def reliability(labelled: Labelled, lowest: float, bins: int = _BINS) -> Reliability:
    """Sort predictions into equal bins of confidence from `lowest` to 1 and compare confidence with accuracy."""
    right = (labelled.gold == labelled.predicted).astype(np.float64)
    place = np.clip(((labelled.probability - lowest) / (1 - lowest) * bins).astype(np.int64), 0, bins - 1)
    counts = np.bincount(place, minlength=bins)
    filled = counts > 0
    confidence = np.bincount(place, labelled.probability, bins)[filled] / counts[filled]
    accuracy = np.bincount(place, right, bins)[filled] / counts[filled]
    error = float((counts[filled] / counts.sum() * np.abs(confidence - accuracy)).sum())
    return Reliability(confidence, accuracy, counts[filled], error)


def confusion(labelled: Labelled, labels: Sequence[str]) -> NDArray[np.int64]:
    """Counts of true label (rows) against predicted label (columns)."""
    places = {label: place for place, label in enumerate(labels)}
    counts = np.zeros((len(labels), len(labels)), dtype=np.int64)
    np.add.at(counts, ([places[g] for g in labelled.gold], [places[p] for p in labelled.predicted]), 1)
    return counts


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
    labels = sorted(
        {str(label) for one in shown.values() for label in (*np.unique(one.gold), *np.unique(one.predicted))}
    )
    task = metric.task
    return [
        _reliability_figure(study, metric, shown, len(labels), task),
        _confusion_figure(metric, shown, labels, task),
    ]


def _labelled(study: Study, stage: str, arm: str, notes: list[str]) -> Labelled | None:
    gold: list[str] = []
    predicted: list[str] = []
    probability: list[float] = []
    for run in study.of(stage, arm):
        if not run.metrics:
            continue
        try:
            records = read_records(run.folder)
            columns = [[record[name] for record in records] for name in ("gold", "predicted", "probability")]
            if not all(isinstance(label, str) for label in (*columns[0], *columns[1])):
                raise ValueError("its predictions are not one class for each text")
            values = np.array(columns[2], dtype=np.float64)
            if not (np.isfinite(values) & (values >= 0) & (values <= 1)).all():
                raise ValueError("a probability is not between 0 and 1")
        except (OSError, ValueError, KeyError, TypeError) as error:
            notes.append(f"{run.label} is not in the reliability and confusion figures: {error}.")
            continue
        gold += columns[0]
        predicted += columns[1]
        probability += columns[2]
    if not gold:
        return None
    return Labelled(np.array(gold, dtype=np.str_), np.array(predicted, dtype=np.str_), np.array(probability))


def _reliability_figure(
    study: Study, metric: Metric, shown: Mapping[str, Labelled], classes: int, task: str
) -> Drawing:
    lowest = 1 / max(classes, 2)
    appearance = looks(study.arms)
    figure, all_axes = panels(len(shown), 4, 2.3, 2.3)
    for axes, (arm, labelled) in zip(all_axes, shown.items(), strict=True):
        found = reliability(labelled, lowest)
        axes.plot([100 * lowest, 100], [100 * lowest, 100], color="#BBBBBB", lw=0.8)
        look = appearance[arm]
        confidence, accuracy = 100 * found.confidence, 100 * found.accuracy
        axes.plot(confidence, accuracy, color=look.color, lw=1.0)
        sizes = 6 + 90 * found.counts / found.counts.sum()
        axes.scatter(confidence, accuracy, s=sizes, color=look.color, lw=0, alpha=0.8)
        axes.set(xlim=(100 * lowest - 2, 102), ylim=(0, 104), aspect="auto")
        axes.set_title(arm, color=look.ink)
        axes.text(0.97, 0.06, f"ECE {100 * found.error:.1f} %", transform=axes.transAxes, ha="right")
    figure.supxlabel("probability of the label, per cent", fontsize="medium")
    figure.supylabel("right, per cent", fontsize="medium")
    caption = (
        f"{task} reliability: share of right labels against the probability given to them, all seeds together. On the "
        "grey line a probability is what it says. Dots grow with the number of texts; ECE is the expected calibration "
        "error."
    )
    return Drawing(f"reliability_{metric.stage}", caption, figure)


def _confusion_figure(metric: Metric, shown: Mapping[str, Labelled], labels: Sequence[str], task: str) -> Drawing:
    side = max(2.1, 0.9 + 0.5 * len(labels))
    figure, all_axes = panels(len(shown), 4, side + 0.3, side)
    for axes, (arm, labelled) in zip(all_axes, shown.items(), strict=True):
        counts = confusion(labelled, labels)
        shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        for (row, column), share in np.ndenumerate(shares):
            text = f"{100 * share:.1f} %\n{counts[row, column]:,}"
            axes.text(column, row, text, ha="center", va="center", color="white" if share > 0.55 else "black")
        axes.set_xticks(range(len(labels)), labels, rotation=45 if len(labels) > 2 else 0)
        axes.set_yticks(range(len(labels)), labels, rotation=90, va="center")
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        axes.set_title(arm)
    figure.supxlabel("predicted", fontsize="medium")
    figure.supylabel("true", fontsize="medium")
    caption = (
        f"{task} confusion: share of each true label (rows add up to 100 %) and number of texts, all seeds together."
    )
    return Drawing(f"confusion_{metric.stage}", caption, figure)
