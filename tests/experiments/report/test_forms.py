"""Forms of exported models in reports: their scores by arm, and their times and sizes."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from experiments._shared.exported.forms import note_scores
from experiments._shared.exported.latency_file import Latencies, write_latencies
from experiments._shared.plan_file import Arm
from experiments.report.model_tables import axes_table, deployment_table, forms_table
from experiments.report.reading.deployment import read_deployment
from experiments.report.reading.runs import Run, Study
from experiments.report.reading.tasks import metrics_of
from experiments.report.tables import SECTION
from tests.support.latencies import measured_latency


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """Two seeds of one arm, with an export."""
    runs = [Run("nsmc", "base", seed, tmp_path, {"test/accuracy": 0.9 + seed / 100}) for seed in (1, 2)]
    exporting = Run("distil", "base", 1, tmp_path, {"val/loss": 1.0}, export=tmp_path / "exported")
    return Study("s", "", tmp_path, (Arm("base"),), "base", ("nsmc",), ("distil",), (*runs, exporting))


def test_scores_are_means_over_seeds_by_form(study: Study) -> None:
    assert forms_table(study, metrics_of(study)) is None
    runs = [
        replace(run, metrics={**run.metrics, "torch/test/accuracy": 0.9, "int8/test/accuracy": 0.88 + run.seed / 100})
        if run.stage == "nsmc" else run
        for run in study.runs
    ]  # fmt: skip
    table = forms_table(replace(study, runs=tuple(runs)), metrics_of(study))
    assert table is not None
    assert [[cell.text for cell in row] for row in table.rows] == [
        ["base", "PyTorch", "90.00 ± 0.00"],
        ["base", "ONNX int8", "89.50 ± 0.71"],
    ]


def test_forms_are_scored_on_the_whole_file_whatever_the_test_has_read(study: Study) -> None:
    part = {"limited/test": "20 of 782 batches", "torch/test/accuracy": 0.9}
    runs = [replace(run, metrics={**run.metrics, **part}) if run.stage == "nsmc" else run for run in study.runs]
    table = forms_table(replace(study, runs=tuple(runs)), metrics_of(study))
    assert table is not None
    assert [cell.text for cell in table.rows[0]] == ["base", "PyTorch", "90.00 ± 0.00"]


@pytest.mark.parametrize(
    ("metric", "mark"),
    [
        ("nsmc/best/val/accuracy", "limited/val"),
        ("nsmc/test/accuracy", "limited/test"),
        ("distil/val/loss", "limited/val"),
    ],
)
def test_the_deciding_metric_is_marked_where_it_is_that_of_a_part(metric: str, mark: str, study: Study) -> None:
    stage, _, key = metric.partition("/")
    arms = (replace(study.arms[0], axes={"layers": "1-5-9"}),)
    for limited in ("limited/val", "limited/test"):
        runs = tuple(replace(run, metrics={key: 0.5, limited: "2 of 9 batches"}) for run in study.of(stage))
        table = axes_table(replace(study, arms=arms, runs=runs, metric=metric))
        assert table is not None
        assert ("§" in table.rows[0][-1].text or SECTION in table.notes) == (limited == mark)


def test_scores_of_forms_stay_with_their_step(tmp_path: Path) -> None:
    def noted() -> dict[str, float]:
        content: dict[str, float] = json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8"))
        return content

    note_scores(tmp_path, {"torch": {"test/f1": 1.0}}, 5)
    assert not (tmp_path / "metrics.json").exists()
    (tmp_path / "metrics.json").write_text('{"test/f1": 0.5, "torch/test/f1": 0.4}', encoding="utf-8")
    note_scores(tmp_path, {"torch": {"test/f1": 0.5}, "int8": {"test/f1": 0.25}}, 5)
    note_scores(tmp_path, {"torch": {"val/f1": 0.75}}, 5)
    tested = {"test/f1": 0.5, "torch/test/f1": 0.5, "int8/test/f1": 0.25}
    assert noted() == {**tested, "torch/val/f1": 0.75, "torch/step": 5}
    note_scores(tmp_path, {"torch": {"val/f1": 1.0}}, 6)
    assert noted() == {"test/f1": 0.5, "torch/val/f1": 1.0, "torch/step": 6}


def test_latencies_of_onnx_files_belong_to_their_arm(study: Study) -> None:
    models = {
        "exported": measured_latency(),
        "exported/model_int8.onnx": measured_latency(0.5, 2, 3, 4, 5, tail=(0.6, 0.7)),
    }
    write_latencies(study.folder / "latency.json", Latencies("x", 1, models, "avx2"))
    found = read_deployment(study, [])
    assert found.conditions == "x, threads: 1, instructions for int8: avx2"
    assert {name: one.batch_1_ms for name, one in found.forms.items()} == {("base", "ONNX int8"): 0.5}
    texts = [[cell.text for cell in row] for row in deployment_table(study, found).rows]
    times = ["0.50 [0.50, 0.50]", "0.60, 0.70", "–", "2.00 [2.00, 2.00]", "3.0", "2.00"]
    assert texts[1] == ["base, ONNX int8", "5.00", "4", *times]
