"""The demo's table and its last line, from files written by hand."""

import json
from pathlib import Path

import pytest
from rich.console import Console

from experiments._shared.exported.latency_file import Latencies, write_latencies
from experiments.demo.results import read_results, table, verdict
from tests.support.latencies import measured_latency

SCORES = {"teacher": (0.9, 0.8, 70.0), "distilled": (0.8, 0.7, 66.0), "undistilled": (0.7, 0.6, 50.0)}


def write(root: Path, scores: dict[str, tuple[float, float, float]]) -> tuple[Path, Path]:
    """A study's files and the folder of a teacher, with seed 5."""
    study, teacher = root / "study", root / "teacher"
    exports = {arm: study / "exported" / f"{arm}_seed5" for arm in ("distilled", "undistilled")}
    exports["teacher"] = teacher
    for arm, folder in exports.items():
        folder.mkdir(parents=True)
        config = (
            {"model_type": "bert", "num_hidden_layers": 6}
            if arm == "teacher"
            else {"model_type": "distilbert", "n_layers": 3}
        )
        (folder / "config.json").write_text(json.dumps(config))
        for task, key, score in zip(
            ("nsmc", "naver_ner", "korquad"), ("accuracy", "f1", "f1"), scores[arm], strict=True
        ):
            metrics(study / task / f"{arm}_seed5", {f"test/{key}": score})
    metrics(study / "distil" / "distilled_seed5", {"val/loss": 2.0, "val/teacher_loss": 1.5, "val/agreement": 0.75})
    metrics(study / "distil" / "undistilled_seed5", {"val/loss": 4.0, "val/teacher_loss": 1.5, "val/agreement": 0.25})
    speed = {"teacher": 100.0, "distilled": 400.0, "undistilled": 401.0}
    models = {
        str(folder) if arm == "teacher" else f"exported/{folder.name}": measured_latency(
            1.0, 2.0, speed[arm], 1000, 2.5
        )
        for arm, folder in exports.items()
    }
    write_latencies(study / "latency.json", Latencies("processor", 1, models, "none"))
    return study, teacher


def metrics(folder: Path, values: dict[str, float]) -> None:
    """A run's metrics.json."""
    folder.mkdir(parents=True)
    (folder / "metrics.json").write_text(json.dumps({"status": "finished", **values}))


def test_the_table_has_each_number_in_its_place(tmp_path: Path) -> None:
    study, teacher = write(tmp_path, SCORES)
    console = Console(width=160, record=True, file=None)
    console.print(table(read_results(study, 5, teacher)))
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in console.export_text().splitlines()]
    assert [row for row in rows if row] == [
        ["teacher", "6", "1,000", "2.50", "100", "1.500", "", "90.0", "80.0", "70.0", "80.0"],
        ["student, distilled", "3", "1,000", "2.50", "400", "2.000", "75.0%", "80.0", "70.0", "66.0", "72.0"],
        ["student, undistilled", "3", "1,000", "2.50", "401", "4.000", "25.0%", "70.0", "60.0", "50.0", "60.0"],
    ]


def test_the_last_line_says_what_is_kept(tmp_path: Path) -> None:
    assert verdict(read_results(*write(tmp_path, SCORES)[:1], 5, tmp_path / "teacher")) == (
        "The student keeps 90.0% of the teacher's mean score with 3 of 6 layers; undistilled 75.0%."
    )


@pytest.mark.parametrize(
    "order", [("distilled", "teacher", "undistilled"), ("teacher", "undistilled", "distilled")], ids="-".join
)
def test_another_order_is_said_plainly(tmp_path: Path, order: tuple[str, str, str]) -> None:
    study, teacher = write(tmp_path, dict(zip(order, SCORES.values(), strict=True)))
    assert "NOT the expected order" in verdict(read_results(study, 5, teacher))
