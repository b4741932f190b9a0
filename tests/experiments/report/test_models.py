"""Size and latency whatever an arm started from, what the arms are, and the seeds behind a share of the teacher's."""

import csv
import io
import json
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from experiments._shared.exported.forms import weights_mb, weights_precision
from experiments._shared.exported.latency_file import Latencies, write_latencies
from experiments._shared.plan_file import Arm
from experiments.report.document import compose
from experiments.report.figures.style import style
from experiments.report.model_tables import axes_table, deployment_table
from experiments.report.provenance import data_table
from experiments.report.reading.deployment import Deployment, read_deployment
from experiments.report.reading.runs import Run, Study
from experiments.report.reading.scan import open_runs
from experiments.report.rendering import latex_text
from experiments.report.score_tables import scores_table
from experiments.report.scores import score_study
from experiments.report.statistics import Ratio, Seeds, Spread, mean_ratio, ratio_of
from experiments.report.tables import COMPUTED, Table, to_csv
from tests.support.report_world import ARMS, fabricate

TEACHER = Arm("teacher", "teacher")


def with_config(folder: Path, **settings: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    lines = "".join(f"    {name}: {value}\n" for name, value in settings.items())
    (folder / "config.yaml").write_text(f"model:\n  init_args:\n{lines}", encoding="utf-8")
    return folder


def started_from(folder: Path, source: str, **metrics: float) -> Study:
    """A study whose teacher was fine-tuned once, from `source`."""
    content: dict[str, Any] = {"test/accuracy": 0.9, **metrics}
    run = Run("nsmc", "teacher", 1, with_config(folder / "nsmc/teacher_seed1", init_from=source), content)
    return Study("s", "", folder, (TEACHER,), None, ("nsmc",), (), (run,))


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """A cache of the hub's client with one model in it; what asks the network is in the list."""
    home = tmp_path / "cache/models--monologg--kobert-lm"
    (home / "snapshots/abc").mkdir(parents=True)
    (home / "refs").mkdir()
    (home / "refs/main").write_text("abc")
    (home / "blobs").mkdir()
    (home / "blobs/0").write_bytes(bytes(3 * 2**20))
    (home / "snapshots/abc/pytorch_model.bin").symlink_to("../../blobs/0")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    asked: list[Any] = []

    def ask(*address: Any, **_: Any) -> None:
        asked.append(address)
        raise OSError("no network in a test")

    monkeypatch.setattr(socket, "getaddrinfo", ask)
    return asked


def test_a_model_of_the_hub_is_weighed_in_the_local_cache(tmp_path: Path, hub: list[Any]) -> None:
    notes: list[str] = []
    found = read_deployment(started_from(tmp_path, "monologg/kobert-lm", parameters=100), notes)
    assert (found.sizes, found.computed, hub) == ({"teacher": 3.0}, frozenset(), [])
    write_latencies(tmp_path / "latency.json", Latencies("x", 1, {}, "none"))
    notes = []
    assert read_deployment(started_from(tmp_path, "monologg/kobert-lm"), notes).latencies == {}
    assert notes == [
        f"{tmp_path}/latency.json has no metrics of teacher (monologg/kobert-lm, not a local folder), so their "
        "latency is missing; `experiments.bench latency` measures folders of models only."
    ]


@pytest.mark.parametrize("source", ["monologg/not-here", "/home/somebody/gone/teacher.ckpt"])
def test_a_model_that_is_not_here_has_its_size_from_its_parameters(tmp_path: Path, hub: list[Any], source: str) -> None:
    notes: list[str] = []
    study = started_from(tmp_path, source, parameters=92 * 2**18)
    found = read_deployment(study, notes)
    assert found == Deployment({"teacher": 92.0}, {}, "", frozenset({"teacher"}))
    shown = source if "not-here" in source else "teacher.ckpt"
    assert notes[0] == (
        f"No weights were found for teacher ({shown}, not a local folder); its size is computed from 24,117,248 "
        "parameters of nsmc/teacher_seed1, which has its task's head instead of the masked-LM head, 4 bytes each."
    )
    assert hub == []
    table = scores_table(study, score_study(study, []), found)
    assert table.rows[0][2].text == "≈ 92.0"
    assert COMPUTED in table.notes
    assert deployment_table(study, found).notes == (COMPUTED,)
    assert latex_text("≈ 92.0") == r"$\approx$ 92.0"


def test_without_any_record_the_size_is_missing_and_said_so(tmp_path: Path, hub: list[Any]) -> None:
    notes: list[str] = []
    assert read_deployment(started_from(tmp_path, "a/b"), notes).sizes == {}
    assert notes[0] == (
        "No exported weights were found for teacher (a/b, not a local folder), so their size is missing."
    )


def test_the_run_that_exports_tells_the_parameters_of_an_export_that_is_gone(tmp_path: Path) -> None:
    tuned = Run("nsmc", "base", 1, tmp_path, {"parameters": 2**18, "test/accuracy": 0.5})
    distilled = Run("distil", "base", 1, tmp_path, {"parameters": 2**19, "val/loss": 1.0}, tmp_path / "gone")
    study = Study("s", "", tmp_path, (Arm("base"),), "base", ("nsmc",), ("distil",), (tuned, distilled))
    notes: list[str] = []
    assert read_deployment(study, notes).sizes == {"base": 2.0}
    assert notes[0].endswith("is computed from 524,288 parameters of distil/base_seed1, 4 bytes each.")


def test_a_teacher_that_was_never_fine_tuned_is_the_one_distilled_from(tmp_path: Path) -> None:
    (tmp_path / "teacher").mkdir()
    (tmp_path / "teacher/model.safetensors").write_bytes(bytes(2**20))
    run = Run("distil", "base", 1, with_config(tmp_path / "distil/base_seed1", teacher=str(tmp_path / "teacher")))
    study = Study("s", "", tmp_path, (TEACHER, Arm("base")), "base", (), ("distil",), (run,))
    assert read_deployment(study, []).sizes == {"teacher": 1.0}


def test_an_older_folder_is_weighed_and_none_is_counted_twice(tmp_path: Path) -> None:
    assert weights_mb(tmp_path) is None
    (tmp_path / "pytorch_model.bin").write_bytes(bytes(2**20))
    (tmp_path / "training_args.bin").write_bytes(bytes(2**20))
    assert weights_mb(tmp_path) == 1.0
    (tmp_path / "model.safetensors").write_bytes(bytes(2**19))
    assert weights_mb(tmp_path) == 0.5


@pytest.mark.parametrize(("dtypes", "shown"), [
    (("float32", "int64"), None), (("float16",), "float16"), (("float32", "float16"), "float32, float16"),
])  # fmt: skip
def test_weights_that_are_not_float32_are_marked(tmp_path: Path, dtypes: tuple[str, ...], shown: str | None) -> None:
    study = started_from(tmp_path, str(tmp_path))
    save_file({name: np.zeros(2**18, name) for name in dtypes}, tmp_path / "model.safetensors")
    found = read_deployment(study, [])
    assert found.precisions == ({} if shown is None else {"teacher": shown})
    megabytes = (tmp_path / "model.safetensors").stat().st_size / 2**20
    cell = scores_table(study, score_study(study, []), found).rows[0][2].text
    assert cell == (f"{megabytes:.2f}" + (f" ({shown})" if shown else ""))


def test_the_precision_of_a_damaged_file_is_unknown(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(bytes(2**20))
    assert weights_precision(tmp_path) is None


TEMPERATURE = "model.objectives.soft_target.temperature"


def test_what_the_arms_are(tmp_path: Path) -> None:
    folder = fabricate(tmp_path / "study", ARMS[:2], seeds=(1,), examples=4, events=False)
    plan = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
    plan["arms"].append({"arm": "search-000", "kind": "student", "axes": {TEMPERATURE: "2.5"}})
    (folder / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
    table = axes_table(open_runs(folder, []))
    assert table is not None
    assert list(csv.reader(io.StringIO(to_csv(table)))) == [
        ["arm", "layers", TEMPERATURE],
        ["base", "1-5-9", "–"],
        ["search-000", "–", "2.5"],
    ]
    assert axes_table(replace(open_runs(folder, []), arms=(TEACHER,))) is None
    plan |= {"metric": "distil/val/agreement", "trials": 2, "points": 1}
    (folder / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
    table = axes_table(open_runs(folder, []))
    assert table is not None
    agreement = json.loads((folder / "distil/base_seed1/metrics.json").read_text(encoding="utf-8"))["val/agreement"]
    assert [row[-1].text for row in table.rows] == [f"{agreement:.4f}", "–"]
    assert table.caption.endswith("Seeds: n=1; one seed says nothing about the spread over seeds.")
    with style([]):
        lack = compose(open_runs(folder, []), []).lack
    assert lack == "Not complete: 1 of 2 points of the search are proposed, and 8 of 8 planned runs have their results."


def tables_of(folder: Path) -> dict[str, Table]:
    with style([]):
        return {table.slug: table for table in compose(open_runs(folder, []), []).tables}


def test_a_study_without_tasks_shows_size_and_latency(tmp_path: Path) -> None:
    folder = fabricate(tmp_path / "study", ARMS[:2], seeds=(1,), examples=4, events=False)
    plan = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
    plan["runs"] = [run for run in plan["runs"] if run["stage"] == "distil"]
    (folder / "plan.json").write_text(json.dumps({**plan, "tasks": []}), encoding="utf-8")
    tables = tables_of(folder)
    assert "scores" not in tables
    times = ["5.50 [5.50, 5.50]", "1.25, 1.50", "–", "55.00 [55.00, 55.00]", "581.8", "1.00"]
    assert [cell.text for cell in tables["deployment"].rows[1]] == ["base", "0.11", "28,160", *times]
    (folder / "latency.json").unlink()
    assert [[cell.text for cell in row] for row in tables_of(folder)["deployment"].rows] == [
        ["teacher", "missing"], ["base", "0.11"],
    ]  # fmt: skip


def test_the_data_of_the_tasks(tmp_path: Path) -> None:
    facts = {"data/train_examples": 3979, "data/dev_examples": 533, "data/test_examples": 488, "data/split": "one file"}
    other = {**facts, "data/train_examples": 1234}
    runs = [Run("klue_ner", "base", seed, tmp_path, of) for seed, of in enumerate((facts, facts, other))]
    runs += [Run("klue_ner", "lost", 1, tmp_path), Run("mine", "base", 1, tmp_path, {"test/accuracy": 0.5})]
    study = Study("s", "", tmp_path, (Arm("base"),), "base", ("klue_ner", "mine"), (), tuple(runs))
    table = data_table(study)
    assert table is not None
    (row,) = table.rows
    assert [cell.text for cell in row] == ["KLUE-NER", "1,234; 3,979", "533", "488", "one file"]
    assert data_table(replace(study, tasks=("mine",))) is None


def test_a_share_counts_the_seeds_of_the_side_that_has_fewer() -> None:
    teacher = Spread((80.0, 80.0, 80.0), Seeds(3, 3, 3))
    two_of_one = ratio_of(Spread((70.0, 90.0), Seeds(2, 1, 2)), teacher)
    assert two_of_one == Ratio(100.0, Seeds(2, 1, 2))
    one_of_teacher = ratio_of(Spread((20.0, 60.0, 40.0), Seeds(3, 3, 3)), Spread((80.0,), Seeds(1, 1, 2)))
    assert one_of_teacher == Ratio(50.0, Seeds(1, 1, 1, partial=True))
    assert mean_ratio([two_of_one, one_of_teacher]) == Ratio(75.0, Seeds(1, 1, 1, partial=True))
