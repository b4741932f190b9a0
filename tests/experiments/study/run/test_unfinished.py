"""What is left of a run, case by case of what its folder holds."""

import json
import os
from pathlib import Path

import pytest

from experiments._shared.exported.latency_file import Latencies, write_latencies
from experiments._shared.plan_file import Command, PlannedRun
from experiments.study.plan.expand import expand
from experiments.study.run.unfinished import unfinished_work
from tests.support.latencies import measured_latency
from tests.support.studies.texts import FULL, declare


@pytest.fixture
def runs(tmp_path: Path) -> dict[str, PlannedRun]:
    return {run.label: run for run in expand(declare(tmp_path, FULL)).all_runs}


ENDED = {"steps": 4, "val/step": 4}
STOPPED = ENDED | {"status": "stopped"}
CASES = [
    # files that are there, metrics.json, what is left, whether the training resumes
    ([], None, ["fit", "export"], False),
    (["config.yaml"], None, ["fit", "export"], False),
    (["config.yaml", "checkpoints/last.ckpt"], None, ["fit", "export"], True),
    (["config.yaml", "checkpoints/last.ckpt"], {"val/loss": 1.0, "val/step": 2}, ["fit", "export"], True),
    (["config.yaml", "checkpoints/last.ckpt"], {"steps": 4, "val/step": 2}, ["fit", "export"], True),
    (["config.yaml", "checkpoints/last.ckpt"], {"steps": 4, "val/step": 4}, ["export"], None),
    (["config.yaml", "checkpoints/last.ckpt"], ENDED | {"status": "finished"}, ["export"], None),
    (["config.yaml", "checkpoints/last.ckpt"], ENDED | {"status": "running"}, ["fit", "export"], True),
    (["config.yaml", "checkpoints/last.ckpt"], STOPPED | {"stopped_by": "SIGTERM"}, ["fit", "export"], True),
    (["config.yaml", "checkpoints/last.ckpt"], STOPPED | {"stopped_by": "max_time"}, ["fit", "export"], True),
    (["config.yaml", "checkpoints/last.ckpt"], STOPPED | {"stopped_by": "early_stopping"}, ["export"], None),
    (["config.yaml", "checkpoints/last.ckpt", "EXPORT"], {"steps": 4}, ["fit"], True),
    (["config.yaml", "checkpoints/last.ckpt", "EXPORT"], {"steps": 4, "val/step": 4}, [], None),
    (["config.yaml", "checkpoints/last.ckpt", "EXPORT"], None, ["fit"], True),
    (["config.yaml", "checkpoints/last.ckpt", "EXPORT"], "{", ["fit"], True),
    (["config.yaml", "EXPORT"], None, ["fit", "export"], False),
    (["config.yaml"], ENDED | {"status": "finished"}, ["fit", "export"], False),  # a copy without weights
    (["config.yaml", "EXPORT"], ENDED | {"status": "finished"}, [], None),
]


@pytest.mark.parametrize(("files", "metrics", "left", "resumes"), CASES)
def test_a_distillation(
    files: list[str],
    metrics: object,
    left: list[str],
    resumes: bool | None,
    runs: dict[str, PlannedRun],
    tmp_path: Path,
) -> None:
    run, study = runs["distil/copied_seed1"], tmp_path / "runs" / "s"
    folder = study / run.label
    for file in files:
        path = study / "exported" / "copied_seed1" / "x" if file == "EXPORT" else folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    if metrics is not None:
        text = metrics if isinstance(metrics, str) else json.dumps(metrics)
        (folder / "metrics.json").write_text(text, encoding="utf-8")
    found = unfinished_work(run, study)
    assert [(c[1] if c[0] == "experiments.train" else "export") for c in found.commands] == left
    if resumes is not None:
        resume = (
            "experiments.train",
            "fit",
            "-c",
            f"{folder}/config.yaml",
            f"--ckpt_path={folder}/checkpoints/last.ckpt",
        )
        assert found.commands[0] == (resume if resumes else run.commands[0])
    found.clear()
    assert folder.exists() == (bool(files) and (resumes is not False))
    lacks_weights = isinstance(metrics, dict) and resumes is False
    assert bool(found.notes) == (isinstance(metrics, str) or lacks_weights)
    if lacks_weights:
        assert found.notes == (f"{folder}/checkpoints/last.ckpt is missing, which `experiments.export` reads",)
    if isinstance(metrics, str):
        assert not (folder / "metrics.json").exists()


LINE = json.dumps({"row": 1, "gold": 0, "predicted": 1})
TESTED = {"steps": 4, "test/loss": 1.0}


@pytest.mark.parametrize(
    ("metrics", "predictions", "left", "note"),
    [
        ({"steps": 4, "val/loss": 1.0}, None, ["test"], ""),
        ({"steps": 4, "val/loss": 1.0}, LINE, ["test"], ""),
        (TESTED, None, ["test"], "predictions.jsonl does not exist"),
        (TESTED, "", ["test"], "predictions.jsonl is empty"),
        (TESTED, f"{LINE}\nnot json\n", ["test"], "predictions.jsonl, line 2: expected a JSON object"),
        (
            {**TESTED, "test/accuracy": "0.9"},
            LINE,
            ["test"],
            "test/accuracy in its metrics.json is not a number ('0.9')",
        ),
        (
            {**TESTED, "test/accuracy": None},
            LINE,
            ["test"],
            "test/accuracy in its metrics.json is not a number (None)",
        ),
        ({**TESTED, "recipe": "nsmc", "arm": "copied", "seed": 2}, LINE, ["fit", "test"], "arm='copied', seed=2"),
        ({**TESTED, "recipe": "korquad", "arm": "teacher", "seed": 1}, LINE, ["fit", "test"], "recipe='korquad'"),
        ({**TESTED, "recipe": "nsmc", "arm": "teacher", "seed": 1}, LINE, [], ""),
        (
            {**TESTED, "test/accuracy": float("nan")},
            LINE,
            [],
            "",
        ),  # what the test wrote; another would write it too
    ],
)
def test_a_fine_tuning(
    metrics: dict[str, object],
    predictions: str | None,
    left: list[str],
    note: str,
    runs: dict[str, PlannedRun],
    tmp_path: Path,
) -> None:
    run, study = runs["nsmc/teacher_seed1"], tmp_path / "runs" / "s"
    (study / run.label / "checkpoints").mkdir(parents=True)
    for file in ("config.yaml", "checkpoints/best.ckpt", "checkpoints/last.ckpt"):
        (study / run.label / file).touch()
    if predictions is not None:
        (study / run.label / "predictions.jsonl").write_text(predictions, encoding="utf-8")
    (study / run.label / "metrics.json").write_text(json.dumps(metrics), encoding="utf-8")
    found = unfinished_work(run, study)
    assert [command[1] for command in found.commands] == left
    assert note in "; ".join(found.notes)
    assert bool(found.notes) == bool(note)
    assert found.remove == ((study / run.label,) if left == ["fit", "test"] else ())
    if left == ["fit", "test"]:
        assert found.commands == run.commands  # from the start: the checkpoint is another run's as well


@pytest.mark.parametrize(
    ("config", "left"),
    [
        ("", ["test"]),
        ("trainer: {limit_test_batches: null}", ["test"]),
        ("trainer: {limit_test_batches: 1.0}", ["test"]),
        ("trainer: {limit_test_batches: 1}", []),
        ("trainer: {limit_test_batches: 0.1}", []),
    ],
)
def test_a_look_at_a_part_of_the_test_is_not_the_test(
    config: str, left: list[str], runs: dict[str, PlannedRun], tmp_path: Path
) -> None:
    """Unless the run's own settings ask for a part."""
    run, study = runs["nsmc/teacher_seed1"], tmp_path / "runs" / "s"
    folder = study / run.label
    (folder / "checkpoints").mkdir(parents=True)
    for file in ("checkpoints/best.ckpt", "checkpoints/last.ckpt"):
        (folder / file).touch()
    (folder / "config.yaml").write_text(config, encoding="utf-8")
    (folder / "predictions.jsonl").write_text(LINE, encoding="utf-8")
    metrics = TESTED | {"limited/test": "20 of 782 batches"}
    (folder / "metrics.json").write_text(json.dumps(metrics), encoding="utf-8")
    found = unfinished_work(run, study)
    assert [command[1] for command in found.commands] == left
    assert found.notes == (("tested on 20 of 782 batches only, by another command",) if left else ())
    assert found.remove == ()


def test_a_distillation_whose_figure_is_no_number_is_measured_again(
    runs: dict[str, PlannedRun], tmp_path: Path
) -> None:
    run, study = runs["distil/copied_seed1"], tmp_path / "runs" / "s"
    for file in (f"{run.label}/checkpoints/last.ckpt", f"{run.label}/config.yaml", f"{run.export}/x"):
        (study / file).parent.mkdir(parents=True, exist_ok=True)
        (study / file).touch()
    metrics = {"steps": 4, "val/step": 4, "val/loss": "2.0"}
    (study / run.label / "metrics.json").write_text(json.dumps(metrics), encoding="utf-8")
    found = unfinished_work(run, study)
    assert found.notes == ("val/loss in its metrics.json is not a number ('2.0')",)
    assert [command[:2] for command in found.commands] == [("experiments.train", "fit")]
    assert found.commands[0][-1].startswith("--ckpt_path=")


def test_corpus_and_latency(runs: dict[str, PlannedRun], tmp_path: Path) -> None:
    study = tmp_path / "runs" / "s"
    corpus, latency = runs["corpus/corpus_seed1"], runs["latency/exports_seed1"]
    assert unfinished_work(corpus, study).commands == corpus.commands
    (study / corpus.label).mkdir(parents=True)
    (study / corpus.label / "manifest.json").touch()
    assert unfinished_work(corpus, study).commands == ()
    args = latency.commands[0][3:5]
    keys = [str(Path(arg).relative_to(study) if Path(arg).is_relative_to(study) else Path(arg)) for arg in args]

    def left(*models: str) -> tuple[Command, ...]:
        write_latencies(study / "latency.json", Latencies("none", 1, dict.fromkeys(models, measured_latency()), "none"))
        return unfinished_work(latency, study).commands

    assert left() == (), "nothing is there that could be measured"
    for arg in args:
        Path(arg).mkdir(parents=True)
        (Path(arg) / "model.safetensors").touch()
    assert left(keys[0]) == latency.commands
    assert left(*keys) == ()
    assert left(*keys, "exported/dropped_seed1") == latency.commands
    (study / "latency.json").write_text("{", encoding="utf-8")
    assert unfinished_work(latency, study).commands == latency.commands
    assert left(*keys) == ()
    later = (study / "latency.json").stat().st_mtime_ns + 1
    os.utime(Path(args[1]) / "model.safetensors", ns=(later, later))
    assert unfinished_work(latency, study).commands == latency.commands, "this model was made again since"
