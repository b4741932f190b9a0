"""The scores and predictions of a run are those of its own data, and of all of it."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from distilkobert.synthetic.tasks import write_nsmc
from lightning_modules.run.own_data import refuse_other_data
from tests.integration.predict.wide import fit_and_test, records_of
from tests.integration.tasks.world import TaskWorld, make_task_world
from tests.world import Run, World, read_json


def test_another_place_of_the_same_data_and_other_data(tmp_path: Path) -> None:
    facts = {"data/dev_sha256": "d" * 64, "data/test_sha256": "a" * 64, "data/corpus_fingerprint": "c" * 16}
    refuse_other_data(tmp_path, "test", facts, None)  # the folder has no metrics yet
    (tmp_path / "metrics.json").write_text(json.dumps({"data/test_sha256": "a" * 64, "data/dev_sha256": "e" * 64}))
    for command in ("test", "fit", "predict"):
        refuse_other_data(tmp_path, command, facts, None)
    with pytest.raises(ValueError, match=r"validate reads other data .* dev file .*run eeeeeeeeeeee, now dddddddddddd"):
        refuse_other_data(tmp_path, "validate", facts, None)
    (tmp_path / "metrics.json").write_text(json.dumps({"data/corpus_fingerprint": "b" * 16}))
    with pytest.raises(ValueError, match=r"its corpus has other content .*: --ckpt_path=x\.ckpt --run\.arm=NAME"):
        refuse_other_data(tmp_path, "test", facts, "x.ckpt")


@pytest.fixture(scope="module")
def tested(world: World, tmp_path_factory: pytest.TempPathFactory) -> tuple[TaskWorld, Path]:
    """A fine-tuning of one step that was tested; tests must leave its scores as they are."""
    root = tmp_path_factory.mktemp("tested")
    tasks = make_task_world(world, root)
    return tasks, fit_and_test(tasks, "nsmc", root / "runs")


def scores(folder: Path) -> dict[str, Any]:
    return {name: value for name, value in read_json(folder / "metrics.json").items() if name.startswith("test/")}


def test_other_data_replace_nothing(
    tested: tuple[TaskWorld, Path], run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tasks, folder = tested
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    write_nsmc(tmp_path / "other", train=40, test=10, seed=9)
    last, other = folder / "checkpoints" / "last.ckpt", f"--data.data_dir={tmp_path / 'other'}"
    named = ["-c", str(folder / "config.yaml"), "--ckpt_path=last"]
    for options in ([*named, other], [f"--ckpt_path={last}", other]):
        with pytest.raises(ValueError, match=r"test file has other content .*last\.ckpt --run\.arm=NAME"):
            run("test", options)
    with pytest.raises(ValueError, match="validate reads other data than the run: its dev file has other content"):
        run("validate", [*named, other])
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    run("test", [f"--ckpt_path={last}", other, "--run.arm=elsewhere"])  # as the message says
    assert len(records_of(folder.parent / "elsewhere_seed42")) == 10
    shutil.copytree(tasks.root / "nsmc", tmp_path / "moved")
    (folder / "predictions.jsonl").unlink()
    run("test", [*named, f"--data.data_dir={tmp_path / 'moved'}"])
    assert (folder / "predictions.jsonl").read_bytes() == before[folder / "predictions.jsonl"]
    assert scores(folder) == {
        name: value
        for name, value in json.loads(before[folder / "metrics.json"]).items()
        if name.startswith("test/")
    }  # fmt: skip


def test_the_runs_own_test_file_is_known_before_its_first_test(
    tested: tuple[TaskWorld, Path], run: Run, tmp_path: Path
) -> None:
    tasks, _ = tested
    run("fit", tasks.options("nsmc", tmp_path, "--trainer.max_steps=1", "--trainer.val_check_interval=1"))
    other = shutil.copytree(tasks.root / "nsmc", tmp_path / "other")
    lines = (other / "ratings_test.txt").read_text(encoding="utf-8").splitlines(keepends=True)
    (other / "ratings_test.txt").write_text("".join(lines[:-5]), encoding="utf-8")
    folder = tmp_path / "nsmc" / "base_seed42"
    with pytest.raises(ValueError, match="test file has other content"):
        run("test", ["-c", str(folder / "config.yaml"), "--ckpt_path=last", f"--data.data_dir={other}"])
    assert not (folder / "predictions.jsonl").exists()
    assert not scores(folder)


def test_a_test_of_some_batches_keeps_those_of_the_whole_file(
    tested: tuple[TaskWorld, Path], run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    tasks, folder = tested
    before, stored = read_json(folder / "metrics.json"), records_of(folder)
    part = ["--data.eval_batch_size=2", "--trainer.limit_test_batches=2"]
    run("test", ["-c", str(folder / "config.yaml"), "--ckpt_path=last", *part])
    assert len(stored) == tasks.tests
    assert records_of(folder) == stored
    assert read_json(folder / "metrics.json") == before


def test_the_refusal_names_what_was_given(tested: tuple[TaskWorld, Path], run: Run) -> None:
    _, folder = tested
    own = ["-c", str(folder / "config.yaml")]
    with pytest.raises(ValueError, match=r"^--run\.resume=auto resumes a run .*data\.batch_size: checkpoint 8, now 4"):
        run("fit", [*own, "--run.resume=auto", "--data.batch_size=4"])
    with pytest.raises(FileNotFoundError, match=r"^--ckpt_path=last: .*base_seed7; .* seed_everything .*base_seed42"):
        run("fit", [*own, "--ckpt_path=last", "--seed_everything=7"])
    assert not (folder.parent / "base_seed7").exists()
