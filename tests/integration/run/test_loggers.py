"""Loggers beside TensorBoard: in the run's folder, under its name, continued by the commands that go on with it."""

import csv
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonargparse import Namespace
from pytorch_lightning.loggers import Logger
from pytorch_lightning.utilities import rank_zero_only

from experiments._shared.training import loggers
from lightning_modules.loggers.late_logger import LateLogger
from lightning_modules.loggers.mlflow_names import mlflow_name
from lightning_modules.loggers.run_csv import RunCSV
from tests.world import Run, World, read_json, scalars

CALLS: list[tuple[Any, ...]] = []


class MLFlowLogger(Logger):
    """Speaks Lightning's interface of a logger, with the options of MLflow's, and notes what it hears."""

    def __init__(self, experiment_name: str = "lightning_logs", run_name: str | None = None,
                 tracking_uri: str | None = None, run_id: str | None = None) -> None:  # fmt: skip
        super().__init__()
        self.version = run_id or "run-1"  # type: ignore[misc, assignment]
        CALLS.append(("made", experiment_name, run_name, tracking_uri, run_id))

    name = "fake"  # type: ignore[assignment]
    version = None  # type: ignore[assignment]

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        CALLS.append(("metrics", step, dict(metrics)))

    def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:
        CALLS.append(("settings", dict(params)))

    def finalize(self, status: str) -> None:
        CALLS.append(("end", status))


class Plain(MLFlowLogger):
    """A logger of another name, which takes any."""


FAKE = "--trainer.logger+=tests.integration.run.test_loggers.MLFlowLogger"


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    monkeypatch.setattr(loggers, "find_spec", lambda package: package)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    CALLS.clear()
    return CALLS


def rows_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "metrics.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def curve(rows: list[dict[str, str]], name: str) -> dict[int, float]:
    return {int(row["step"]): float(row[name]) for row in rows if row.get(name)}


def test_csv_has_what_tensorboard_has_and_goes_on(world: World, run: Run, tmp_path: Path) -> None:
    overlay = ["-c", "configs/logger/csv.yaml"]
    run("fit", world.distil(tmp_path, *overlay, "--trainer.max_steps=3", "--trainer.val_check_interval=3"))
    folder = tmp_path / "distilkobert" / "base_seed42"
    names = list(rows_of(folder)[0])
    with (folder / "metrics.csv").open("a", encoding="utf-8") as stream:  # an interrupted run had gone on to step 5
        stream.write(",".join("5" if name == "step" else "9.0" for name in names) + "\n")
    run("fit", ["--ckpt_path=" + str(folder / "checkpoints" / "last.ckpt"), "--trainer.max_steps=4"])
    run("validate", [f"--ckpt_path={folder / 'checkpoints' / 'best.ckpt'}"])
    rows, events = rows_of(folder), scalars(folder)
    for name in ("train/loss/total", "train/lr", "val/loss", "val/objective/total"):
        assert curve(rows, name) == pytest.approx(events[name], rel=1e-5), name
    assert sorted(curve(rows, "train/loss/total")) == [1, 2, 3, 4]
    assert 9.0 not in curve(rows, "val/loss").values()


@pytest.mark.parametrize("torn", ["0.5", "0.5,", "0.5,3", "0.5,3,", "0.5,3,1.2"])
@pytest.mark.parametrize("step", [None, 3])
def test_a_row_that_a_kill_has_cut_off_is_removed(torn: str, step: int | None, tmp_path: Path) -> None:
    folder = tmp_path / "recipe" / "base_seed1"
    folder.mkdir(parents=True)
    path = folder / "metrics.csv"
    path.write_text(f"lr,step,train/loss/total\r\n0.1,1,2.5\r\n0.2,3,\r\n{torn}", encoding="utf-8")
    logger = RunCSV(folder, step)
    logger.log_metrics({"lr": 0.4}, 4)
    logger.save()
    assert path.read_text(encoding="utf-8").split() == ["lr,step,train/loss/total", "0.1,1,2.5", "0.2,3,", "0.4,4,"]


def test_names_with_commas_and_quotes_stay_one_column(tmp_path: Path) -> None:
    folder, name = tmp_path / "recipe" / "base_seed1", 'test/f1_"정치", 사회'
    for step, resumed in ((1, None), (2, None), (3, 1), (4, None)):
        logger = RunCSV(folder, resumed)
        logger.log_metrics({name: step / 4, "val/loss": 1.0}, step)
        logger.save()
    kept = [(row["step"], row[name]) for row in pd.read_csv(folder / "metrics.csv").to_dict("records")]
    assert kept == [(1, 0.25), (3, 0.75), (4, 1.0)], "step 2 came after the one that training resumed from"


def test_a_tracking_service_gets_one_run(world: World, run: Run, tmp_path: Path, calls: list[Any]) -> None:
    run("fit", world.distil(tmp_path, FAKE, "--trainer.max_steps=2", "--trainer.val_check_interval=2"))
    folder = tmp_path / "distilkobert" / "base_seed42"
    place = f"sqlite:///{tmp_path}/mlflow.db"
    assert calls[0] == ("made", "distilkobert", "base_seed42", place, None)
    assert [call[1]["layers"] for call in calls if call[0] == "settings"] == ["[0, 4, 8]"]
    logged = [call[1:] for call in calls if call[0] == "metrics" and "train/loss/total" in call[2]]
    losses = {step: values["train/loss/total"] for step, values in logged}
    assert losses == pytest.approx(scalars(folder)["train/loss/total"], rel=1e-5)
    assert ("end", "success") in calls
    assert read_json(folder / "loggers.json") == {"MLFlowLogger": "run-1"}
    calls.clear()
    run("fit", [f"--ckpt_path={folder / 'checkpoints' / 'last.ckpt'}", "--trainer.max_steps=3"])
    assert calls[0] == ("made", "distilkobert", "base_seed42", place, "run-1")
    assert not [call for call in calls if call[0] == "settings"]


LIGHTNING_DELETES = "[^a-zA-Z0-9_/. -]+"  # loggers/mlflow.py of Lightning 2.6.6, before it logs


@pytest.mark.parametrize(("kind", "first"), [("MLFlowLogger", "test/f1_-uae0d--uc815-"), ("Plain", "test/f1_긍정")])
def test_metrics_of_korean_labels_keep_different_names_in_mlflow(
    kind: str, first: str, tmp_path: Path, calls: list[Any]
) -> None:
    asked = Namespace(class_path=f"tests.integration.run.test_loggers.{kind}", init_args=Namespace())
    (logger,) = loggers.make_loggers(asked, tmp_path / "recipe" / "base_seed1", None)
    logger.log_metrics({"test/f1_긍정": 0.5, "test/f1_부정": 0.25, "val/loss": 1.0}, 3)
    names = list(calls[-1][2])
    assert (names[0], names[2]) == (first, "val/loss")
    assert kind == "Plain" or len({re.sub(LIGHTNING_DELETES, "", name) for name in names}) == 3


@given(st.text(st.sampled_from("-u0aeF긍/👍%_")))
def test_names_for_mlflow_can_be_read_back(name: str) -> None:
    written = mlflow_name(name)
    assert re.sub(LIGHTNING_DELETES, "", written) == written
    assert re.sub("-u([0-9a-f]+)-", lambda code: chr(int(code[1], 16)), written) == name


def test_other_processes_log_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str | None] = []

    def make(run_id: str | None) -> Logger:
        made.append(run_id)
        return MLFlowLogger(run_id=run_id)

    def use() -> None:
        logger = LateLogger(make, "MLFlowLogger", tmp_path / "recipe" / "base_seed1")
        logger.log_hyperparams({"a": 1})
        logger.log_metrics({"loss": 1.0}, 1)
        logger.save()
        logger.finalize("success")

    with monkeypatch.context() as patch:
        patch.setattr(rank_zero_only, "rank", 1)
        use()
    assert (made, list(tmp_path.iterdir())) == ([], [])
    use()
    use()
    assert made == [None, "run-1"]


def test_a_refused_start_begins_no_run(world: World, run: Run, tmp_path: Path, calls: list[Any]) -> None:
    with pytest.raises(FileNotFoundError):
        run("fit", world.distil(tmp_path, FAKE, f"--model.teacher={tmp_path / 'gone'}"))
    assert calls == []


def test_a_command_wins_over_what_the_run_gives(world: World, run: Run, tmp_path: Path, calls: list[Any]) -> None:
    asked = {
        "class_path": "tests.integration.run.test_loggers.MLFlowLogger",
        "init_args": {"experiment_name": "mine"},
    }
    options = ["--trainer.logger=" + json.dumps(asked), "--trainer.max_steps=1", "--trainer.limit_val_batches=0"]
    run("fit", world.distil(tmp_path, *options))
    assert calls[0][1:3] == ("mine", "base_seed42")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--trainer.logger=false", "runs always log to TensorBoard"),
        ("--trainer.logger+=TensorBoardLogger", "runs always log to TensorBoard"),
        ("--trainer.logger+=CSVLogger --trainer.logger.prefix=a", "CSVLogger .* leave out its options: prefix$"),
        ("--trainer.logger+=WandbLogger", "WandbLogger needs a package that is not installed: pip install wandb"),
    ],
)
def test_loggers_that_cannot_be(
    options: str, message: str, world: World, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loggers, "find_spec", lambda package: None)
    with pytest.raises(ValueError, match=message):
        run("fit", world.distil(tmp_path, *options.split()))
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--trainer.logger+=CSVLoger"], "or WandbLogger, got CSVLoger; did you mean CSVLogger?\nAll"),
        (
            ["--trainer.logger+=pytorch_lightning.loggers.MLFlowLogger", "--trainer.logger.run_nam=x"],
            "Option 'run_nam' is not accepted; did you mean",
        ),
    ],
)
def test_mistyped_loggers(
    words: list[str], message: str, world: World, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        run("fit", world.distil(tmp_path, *words))
    said = capsys.readouterr().err
    assert message in said
    assert "LateLogger" not in said


def test_mlflow_itself(world: World, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tracking = pytest.importorskip("mlflow.tracking", reason="needs mlflow, which no extra of the project installs")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    overlay = ["-c", "configs/logger/mlflow.yaml", "--trainer.max_steps=2"]
    run("fit", world.distil(tmp_path, *overlay))
    folder = tmp_path / "distilkobert" / "base_seed42"
    run("fit", [f"--ckpt_path={folder / 'checkpoints' / 'last.ckpt'}", "--trainer.max_steps=3"])
    client = tracking.MlflowClient(f"sqlite:///{tmp_path / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("distilkobert")
    (found,) = client.search_runs([experiment.experiment_id])
    history = client.get_metric_history(found.info.run_id, "train/loss/total")
    assert {point.step: point.value for point in history} == pytest.approx(
        scalars(folder)["train/loss/total"], rel=1e-5
    )
    assert (found.info.run_name, found.data.params["layers"]) == ("base_seed42", "[0, 4, 8]")
