"""Scores that say what they are not: constant answers, parts of a file, classes one by one; Korean class names."""

import csv
import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sklearn import metrics

from experiments._shared.plan_file import Arm
from experiments.report.__main__ import report
from experiments.report.document import compose, texts_of
from experiments.report.figures.style import style
from experiments.report.reading.deployment import Deployment
from experiments.report.reading.runs import Run, Study
from experiments.report.rendering import to_latex
from experiments.report.score_tables import class_table, delta_table, retention_table, scores_table
from experiments.report.scores import score_study
from experiments.report.tables import SECTION, to_csv
from tests.support.report_world import write_run

GOLD = ["긍정"] * 6 + ["부정"] * 3 + ["중립"]
ANSWERS = {
    "teacher": ["긍정"] * 5 + ["부정"] * 4 + ["중립"],
    "student": ["긍정"] * 7 + ["부정"] * 2 + ["중립"],
    "lazy": ["긍정"] * 10,
}


def records(predicted: list[str]) -> list[dict[str, Any]]:
    pairs = enumerate(zip(GOLD, predicted, strict=True))
    return [{"row": row, "gold": gold, "predicted": guess, "probability": 0.9} for row, (gold, guess) in pairs]


@pytest.fixture
def study(tmp_path: Path) -> Study:
    runs = []
    for arm, predicted in ANSWERS.items():
        found = {
            "recipe": "emotions", "arm": arm, "seed": 1,
            "test/accuracy": metrics.accuracy_score(GOLD, predicted),
            "test/macro_f1": metrics.f1_score(GOLD, predicted, average="macro", zero_division=0),
            "test/mcc": metrics.matthews_corrcoef(GOLD, predicted), "best/val/macro_f1": 0.5,
        }  # fmt: skip
        labels = sorted(set(GOLD))
        each = metrics.f1_score(GOLD, predicted, average=None, labels=labels, zero_division=0)
        found |= {f"test/f1_{label}": float(value) for label, value in zip(labels, each, strict=True)}
        if arm == "student":
            found["limited/test"] = "3 of 10 batches"
        runs.append(Run("emotions", arm, 1, write_run(tmp_path, found, records(predicted)), found))
    arms = (Arm("teacher", "teacher"), Arm("student"), Arm("lazy"))
    return Study("own", "", tmp_path, arms, "student", ("emotions",), (), tuple(runs))


def cells(table: Any, row: str) -> list[str]:
    return next([cell.text for cell in cells] for cells in table.rows if cells[0].text == row)


def test_a_constant_answer_has_a_line_of_its_own(study: Study) -> None:
    scores = score_study(study, [])
    table = scores_table(study, scores, Deployment({}, {}, ""))
    constant = ["긍정"] * 10
    expected = [
        f"{100 * metrics.accuracy_score(GOLD, constant):.2f}",
        f"{100 * metrics.f1_score(GOLD, constant, average='macro', zero_division=0):.2f}",
    ]
    assert cells(table, "majority class")[3:] == expected
    assert [column.heading for column in table.columns][3:] == ["emotions accuracy", "emotions macro F1"]
    retained = cells(retention_table(study, scores), "majority class")
    assert retained[1] == f"{100 * 0.6 / 0.9:.1f}"
    assert any("most frequent answer of the test file (emotions accuracy: 긍정" in note for note in table.notes)


def test_a_run_that_answers_one_class_is_named(study: Study) -> None:
    scores = score_study(study, [])
    assert scores.alike == ("emotions/lazy_seed1 answers '긍정' to all of its 10 test examples.",)
    for table in (scores_table(study, scores, Deployment({}, {}, "")), retention_table(study, scores)):
        assert scores.alike[0] in table.notes


def test_what_was_tested_in_part_is_marked_everywhere(study: Study) -> None:
    scores = score_study(study, [])
    table, retained = scores_table(study, scores, Deployment({}, {}, "")), retention_table(study, scores)
    differences, classes = delta_table(study, scores), class_table(study, scores.metrics[0])
    assert classes is not None
    for one, row in ((table, "student"), (retained, "student"), (differences, "lazy"), (classes, "student")):
        assert "§" in cells(one, row)[-1], one.slug
        assert SECTION in one.notes
        assert r"\S{}" in to_latex(one)
        read = list(csv.reader(io.StringIO(to_csv(one))))
        places = [place for place, heading in enumerate(read[0]) if heading.endswith("in part")]
        found = next(line for line in read if line[0] == row)
        assert [found[place] for place in places] == ["1"] * len(places)
    assert "§" not in cells(table, "teacher")[-1]


def test_the_constant_answer_of_a_part_is_marked(study: Study) -> None:
    whole = next(run for run in study.runs if run.arm == "lazy")
    runs = [replace(run, metrics={**run.metrics, "limited/test": "3 of 10 batches"}) for run in study.runs]
    for chosen, marked in ((runs, True), ([*runs[:-1], whole], False)):
        scores = score_study(replace(study, runs=tuple(chosen)), [])
        table, retained = scores_table(study, scores, Deployment({}, {}, "")), retention_table(study, scores)
        where = "of the tested part of the test file (" if marked else "of the test file ("
        for one in (table, retained):
            assert any(where in note for note in one.notes if note.startswith("majority class"))
        assert [cell.endswith(" §") for cell in cells(table, "majority class")[3:]] == [marked] * 2
        assert cells(retained, "majority class")[1].endswith(" §"), "the teacher was tested in part in both"
        read = list(csv.DictReader(io.StringIO(to_csv(table))))
        assert [value for name, value in read[-1].items() if name.endswith("in part")] == ["1" if marked else ""] * 2


def test_every_class_has_its_score(study: Study) -> None:
    scores = score_study(study, [])
    table = class_table(study, scores.metrics[0])
    assert table is not None
    headings = [column.heading for column in table.columns]
    assert headings == ["arm", "accuracy", "macro F1", "MCC", "긍정", "부정", "중립"]
    expected = metrics.f1_score(GOLD, ANSWERS["student"], average=None, labels=["긍정", "부정", "중립"])
    assert [cell.split()[0] for cell in cells(table, "student")[4:]] == [f"{100 * value:.2f}" for value in expected]


def test_the_score_that_chose_the_checkpoints_is_the_main_one(study: Study) -> None:
    assert [(metric.score.key, metric.main) for metric in score_study(study, []).metrics] == [
        ("accuracy", False), ("macro_f1", True),
    ]  # fmt: skip


@pytest.mark.filterwarnings("error:.*Glyph.*")
def test_korean_classes_are_drawn_with_a_font_that_has_them(study: Study) -> None:
    assert {"긍정", "부정", "중립"} <= set(texts_of(study))
    with style(texts_of(study)):
        slugs = {drawing.slug for drawing in compose(study, []).drawings}
    assert "confusion_emotions" in slugs


def test_a_report_of_folders_of_runs_has_all_of_it(study: Study, tmp_path: Path) -> None:
    written = report(str(study.folder), output=str(tmp_path / "out"), teacher="teacher", baseline="student")
    text = (written / "report.md").read_text(encoding="utf-8")
    assert "majority class" in text
    assert "emotions by class" in text
