"""Tables in all formats, and the tables of a report from scores with known answers."""

import csv
import io
import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from distilkobert.tasks.kinds import SEQUENCE_CLASSIFICATION, TOKEN_CLASSIFICATION
from experiments._shared.exported.latency_file import ModelLatency
from experiments._shared.plan_file import Arm
from experiments.report.model_tables import deployment_table
from experiments.report.published import published_table
from experiments.report.reading.deployment import Deployment, read_deployment
from experiments.report.reading.runs import Run, Study
from experiments.report.reading.tasks import Metric
from experiments.report.score_tables import (
    class_names,
    class_table,
    delta_table,
    distillation_table,
    retention_table,
    scores_table,
)
from experiments.report.scores import score_study
from experiments.report.tables import ASTERISK, DAGGER, DOUBLE_DAGGER, Table, to_csv
from tests.support.latencies import measured_latency
from tests.support.report_world import label_records, write_run


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """Teacher with two seeds, base with two planned and one there, another arm with none, a control not planned."""
    runs = []
    for arm, seed, right in (("teacher", 1, 8), ("teacher", 2, 10), ("base", 1, 6)):
        metrics = {"recipe": "nsmc", "arm": arm, "seed": seed, "test/accuracy": right / 10, "test/f1_PS": 0.5}
        place = write_run(tmp_path, metrics, label_records([place < right for place in range(10)]))
        runs.append(Run("nsmc", arm, seed, place, metrics))
    runs += [Run("nsmc", arm, seed, tmp_path / "gone") for arm, seed in (("base", 2), ("lost", 1))]
    totals = {"val/loss": 5.5, "val/agreement": 0.25, "val/teacher_loss": 6.0, "tokens_seen": 3000, "wall_time_s": 20.0}
    untrained = {"val/loss": 8.0, "val/agreement": 0.4, "val/teacher_loss": 6.0}
    runs += [
        Run("distil", "base", 1, tmp_path, totals, tmp_path / "exported/base_seed1"),
        Run("distil", "lost", 1, tmp_path),
        Run("distil", "undistilled", 1, tmp_path, untrained),
    ]
    (tmp_path / "exported/base_seed1").mkdir(parents=True)
    (tmp_path / "exported/base_seed1/model.safetensors").write_bytes(bytes(3 * 2**19))
    arms = (Arm("teacher", "teacher"), Arm("base"), Arm("lost"), Arm("undistilled", "control"))
    return Study("s", "", tmp_path, arms, "base", ("nsmc",), ("distil",), tuple(runs))


def texts(table: Table) -> list[list[str]]:
    return [[cell.text for cell in row] for row in table.rows]


def test_the_tables_say_what_is_there_and_what_is_not(study: Study) -> None:
    notes: list[str] = []
    scores, deployment = score_study(study, notes), read_deployment(study, notes)
    table = scores_table(study, scores, deployment)
    assert not any("options of their own" in note for note in table.notes)
    own = [replace(arm, fine_tuning=("--lr=2",)) if arm.name != "base" else arm for arm in study.arms]
    expected = "Fine-tuned with options of their own: teacher, lost, undistilled: lr=2."
    assert expected in scores_table(replace(study, arms=tuple(own)), scores, deployment).notes
    assert texts(table) == [
        ["teacher", "teacher", "missing", "90.00 ± 14.14"],
        ["base", "student", "1.50", "60.00 † (n=1 of 2)"],
        ["lost", "student", "missing", "missing"],
        ["undistilled", "control", "missing", "–"],
        ["majority class", "no model", "–", "50.00"],
    ]
    assert DAGGER in table.notes
    assert table.caption.endswith("over n seeds. Seeds: n=2 unless a cell says otherwise.")
    assert table.rows[0][3].values == (pytest.approx(90.0), pytest.approx(200**0.5), 2, 2, 0)
    assert texts(retention_table(study, scores)) == [
        ["teacher", "100.0", "100.0"],
        ["base", "66.7 †* (n=1)", "66.7 †* (n=1)"],  # one of its two seeds
        ["lost", "missing", "missing"],
        ["undistilled", "–", "–"],
        ["majority class", "55.6", "–"],
    ]
    assert {ASTERISK, DAGGER} <= set(retention_table(study, scores).notes)
    rows = list(csv.reader(io.StringIO(to_csv(retention_table(study, scores)))))
    assert rows[0][1:4] == ["NSMC accuracy", "NSMC accuracy n", "NSMC accuracy starting models"]
    assert rows[2][2:4] == ["1", "1"]
    assert rows[5] == ["majority class", str(500 / 9), "", "", "", "", "", "", ""]
    assert "The last column is the mean over the tasks. Seeds" in retention_table(study, scores).caption
    two_scores = retention_table(study, score_study(replace(study, tasks=("nsmc", "korquad")), []))
    assert "mean over the tasks, with KorQuAD F1 for a task of several scores." in two_scores.caption
    differences = texts(delta_table(study, scores))
    assert differences[0][1].startswith("+20.00 [")
    assert delta_table(study, scores).caption.endswith(  # base has one seed of two
        "Seeds: n=1 of 2; one seed says nothing about the spread over seeds; planned seeds are missing, of the arm or "
        "of the one it is compared with."
    )
    assert [row[1] for row in differences[1:]] == ["base", "missing", "–"]
    assert "No exported weights were found for teacher, lost, undistilled, so their size is missing." in notes
    assert any(note.startswith("Latency was not measured") for note in notes)


def test_another_reference_of_retention_has_taught_nobody(study: Study) -> None:
    taught = replace(study, arms=(*study.arms, Arm("base+task_distil", taught_from="base")))
    expected = scores_table(taught, score_study(taught, []), Deployment({}, {}, "")).notes[0]
    assert "fine-tuned with teacher, itself fine-tuned on the task, as teacher" in expected
    other = replace(taught, reference_arm="base")
    scores = score_study(other, [])
    assert scores_table(other, scores, Deployment({}, {}, "")).notes[0] == expected
    retained = retention_table(other, scores)
    assert retained.title.startswith("Retention: per cent of the score of base,")
    assert [row[1].split()[0] for row in texts(retained)[:2]] == ["150.0", "100.0"]


def test_distillation(study: Study) -> None:
    assert texts(distillation_table(study, "distil")) == [
        ["base", "5.500", "6.000", "25.00", "3,000", "20.0", "150"],
        ["lost", *["missing"] * 6],
        ["undistilled", "8.000", "6.000", "40.00", "–", "–", "–"],
    ]


def test_a_head_that_nothing_trained_has_no_loss_and_no_agreement(study: Study) -> None:
    attention = {"val/loss": 9.0, "val/agreement": 0.01, "val/teacher_loss": 6.0, "best/val/objective/total": 0.4}
    runs = (*study.runs, *(Run("distil", name, 1, study.folder, attention) for name in ("attention", "relations")))
    arms = (*study.arms, Arm("attention"), Arm("relations"))
    table = distillation_table(replace(study, runs=runs, arms=arms), "distil")
    assert [row[:4] for row in texts(table)] == [
        ["base", "5.500", "6.000", "25.00"],
        ["lost", *["missing"] * 3],
        ["undistilled", "8.000", "6.000", "40.00"],
        ["attention", "–", "6.000", "–"],
        ["relations", "–", "6.000", "–"],
    ]
    assert table.notes[0].startswith("No objective trains the masked-LM head of attention, relations, so ")
    assert not any("head" in note for note in distillation_table(study, "distil").notes)


def test_only_scores_of_held_out_text_are_marked_as_those_of_a_part(study: Study) -> None:
    runs = [
        replace(run, metrics={**run.metrics, "limited/val": "1 of 9 batches"}) if run.arm == "base" else run
        for run in study.runs
    ]
    table = texts(distillation_table(replace(study, runs=tuple(runs)), "distil"))
    assert table[0] == ["base", "5.500 §", "6.000 §", "25.00 §", "3,000", "20.0", "150"]


def test_entities(study: Study) -> None:
    metric = Metric("nsmc", TOKEN_CLASSIFICATION, TOKEN_CLASSIFICATION.main_score)
    table = class_table(study, metric)
    assert table is not None
    assert (table.slug, table.title) == ("entities_nsmc", "NSMC F1 by entity type, in per cent")
    assert texts(table)[0] == ["teacher", "50.00 ± 0.00"]
    assert class_table(study, replace(metric, stage="distil")) is None


def test_scores_that_are_no_entity_types_have_no_column() -> None:
    runs = [Run("x", "a", 1, Path(), {"test/f1_kept": 0.1, "test/f1_PS": 0.1})]
    assert class_names(runs, TOKEN_CLASSIFICATION) == ["PS"]
    assert class_names(runs, SEQUENCE_CLASSIFICATION) == ["PS", "kept"]


def test_deployment(study: Study) -> None:
    latencies = {
        "teacher": ModelLatency(20.0, 200.0, (19.5, 21.0), (199.0, 202.0), 160.0, 92_000_000, 351.0, (22, 23), None),
        "base": measured_latency(5.0, 50.0, 640.0, 28_000_000, 106.1, (6.0, 7.0)),
    }
    forms = {
        ("base", "ONNX int8"): measured_latency(2.0, 25.0, 1280.0, 28_000_000, 26.6, (2.5, 4.0), (0.5, 9.0)),
    }
    table = deployment_table(study, Deployment({"base": 106.1}, latencies, "a machine, threads: 1", forms=forms))
    assert texts(table)[:4] == [
        [
            "teacher",
            "missing",
            "92,000,000",
            "20.00 [19.50, 21.00]",
            "22.00, 23.00",
            "–",
            "200.00 [199.00, 202.00]",
            "160.0",
            "1.00",
        ],
        ["base", "106.1", "28,000,000", "5.00 [5.00, 5.00]", "6.00, 7.00", "–", "50.00 [50.00, 50.00]",
         "640.0", "4.00"],
        ["base, ONNX int8", "26.6", "28,000,000", "2.00 [2.00, 2.00]", "2.50, 4.00", "0.50", "25.00 [25.00, 25.00]",
         "1,280.0", "10.00"],
        ["lost", *["missing"] * 8],
    ]  # fmt: skip
    assert "a machine, threads: 1" in table.caption
    headings, teacher, base, *_ = csv.reader(io.StringIO(to_csv(table)))
    assert headings[3:6] == ["batch 1 ms", "batch 1 ms first quartile", "batch 1 ms third quartile"]
    assert teacher[3:6] == ["20.0", "19.5", "21.0"]
    assert base[3:6] == ["5.0", "5.0", "5.0"]


@pytest.mark.parametrize(
    "change",
    [None, {"mb": "large"}, {"batch_1_ms": None}, {"batch_1_quartiles_ms": [1, 2, 3]}, {"batch_1_tail_ms": None}],
)
def test_a_broken_latency_file_is_noted(study: Study, change: dict[str, object] | None) -> None:
    entry = {**asdict(measured_latency()), **(change or {})}
    content = json.dumps({"hardware": "x", "threads": 1, "instructions": "", "models": {"a": entry}})
    (study.folder / "latency.json").write_text(content[:-9] if change is None else content, encoding="utf-8")
    notes: list[str] = []
    assert read_deployment(study, notes).latencies == {}
    assert "latency.json is not what `experiments.bench latency` writes" in notes[-1]


def test_exports_of_different_size_and_models_from_elsewhere(study: Study, tmp_path: Path) -> None:
    for name, size in (("more", 2**20), ("hub", 2**21)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "model.safetensors").write_bytes(bytes(size))
    config = f"model:\n  init_args:\n    init_from: {tmp_path / 'hub'}\n"
    (tmp_path / "nsmc/teacher_seed1/config.yaml").write_text(config, encoding="utf-8")
    more = Run("distil", "base", 2, tmp_path, {"val/loss": 1.0}, tmp_path / "more")
    notes: list[str] = []
    changed = Study("s", "", tmp_path, study.arms, "base", study.tasks, study.distil_stages, (*study.runs, more))
    assert read_deployment(changed, notes).sizes == {"teacher": 2.0, "base": 1.5}
    assert notes[0] == "The exports of base differ in size (1.5, 1.0 MB); the first one is shown."


def test_published_figures_say_whose_they_are() -> None:
    table = published_table()
    assert texts(table)[1] == ["DistilKoBERT", "108", "88.41", "84.13", "54.12 / 77.80"]
    assert "not measured here" in table.title
    assert "monologg/DistilKoBERT" in table.notes[0]


def test_fine_tunings_of_one_distillation_are_no_seeds_of_it(study: Study, tmp_path: Path) -> None:
    """Two distillations, fine-tuned twice and once; the other arm's three seeds are three distillations."""
    runs = []
    for arm, sources in (("base", ("a", "b", "a")), ("lost", ("c", "d", "e"))):
        for seed, source in enumerate(sources, 1):
            metrics = {"recipe": "nsmc", "arm": arm, "seed": seed, "test/accuracy": seed / 10}
            place = write_run(tmp_path / "more", metrics, label_records([place < seed for place in range(10)]))
            runs.append(Run("nsmc", arm, seed, place, metrics, source=source))
    study = replace(study, runs=tuple(runs))
    scores = score_study(study, [])
    table = scores_table(study, scores, Deployment({}, {}, ""))
    assert [row[3] for row in texts(table)[1:3]] == ["20.00 ± 10.00 ‡ (n=3, 2 starting models)", "20.00 ± 10.00"]
    assert DOUBLE_DAGGER in table.notes
    assert table.rows[1][3].values == (pytest.approx(20.0), pytest.approx(10.0), 3, 2, 0)
    assert texts(delta_table(study, scores))[2][1] == "+0.00 [+0.00, +0.00]"
    assert "n=3, 2 starting models; the spread leaves out" in delta_table(study, scores).caption
