"""Figures of the labels that were predicted: reliability and confusion."""

from pathlib import Path

import pandas as pd
import pytest

from experiments.report.figures.labels import confusion, label_figures, reliability
from experiments.report.reading.runs import Study
from experiments.report.reading.scan import open_runs
from experiments.report.scores import Scores, score_study
from tests.experiments.report.figures.test_figures import NAMES, written
from tests.support.report_world import ARMS, fabricate, write_records


def labelled(gold: str, predicted: str, probability: list[float]) -> pd.DataFrame:
    return pd.DataFrame({"gold": [*gold], "predicted": [*predicted], "probability": probability})


def test_reliability_worked_by_hand() -> None:
    # Two bins of [0.5, 1]: 0.6 and 0.7, one right; 0.8, 0.9 and 1.0, two right.
    found, error = reliability(labelled("aabbb", "abbba", [0.6, 0.7, 0.8, 0.9, 1.0]), 0.5, bins=2)
    assert found["confidence"].tolist() == pytest.approx([0.65, 0.9])
    assert found["accuracy"].tolist() == pytest.approx([0.5, 2 / 3])
    assert found["count"].tolist() == [2, 3]
    assert error == pytest.approx(2 / 5 * 0.15 + 3 / 5 * (0.9 - 2 / 3))


def test_confusion_worked_by_hand() -> None:
    counts = confusion(labelled("aabbb", "abbba", [1.0] * 5), ["a", "b", "never"])
    assert counts.to_numpy().tolist() == [[1, 1, 0], [1, 2, 0], [0, 0, 0]]


def test_label_figures(study: Study, scores: Scores) -> None:
    drawings = label_figures(study, scores.metrics[0], [])
    assert [drawing.slug for drawing in drawings] == ["reliability_nsmc", "confusion_nsmc"]
    for drawing in drawings:
        assert [axes.get_title(loc="left") for axes in drawing.figure.axes] == NAMES
    assert {"negative", "positive", "true", "predicted"} <= written(drawings[1])
    teacher = study.of("nsmc", "teacher")
    right = sum(run.metrics["test/accuracy"] * 30 for run in teacher)
    counts = [int(text.get_text().split("\n")[1]) for text in drawings[1].figure.axes[0].texts]
    assert counts[0] + counts[3] == pytest.approx(right)
    assert sum(counts) == 60


def test_predictions_without_a_probability_are_in_no_label_figure(tmp_path: Path) -> None:
    folder = fabricate(tmp_path / "study", ARMS[:1], seeds=(1,), examples=4, events=False)
    write_records(folder / "nsmc/teacher_seed1", [{"row": 0, "gold": "a", "predicted": "a", "probability": 1.5}])
    notes: list[str] = []
    study = open_runs(folder, [])
    assert label_figures(study, score_study(study, []).metrics[0], notes) == []
    assert notes == [
        "nsmc/teacher_seed1 is not in the reliability and confusion figures: a probability is not between 0 and 1."
    ]
