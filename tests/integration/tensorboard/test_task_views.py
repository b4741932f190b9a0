"""What a fine-tuning run shows in TensorBoard: confusion matrix, samples, settings and scores."""

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.faults.trainings.chains import train as train_ranks
from tests.integration.tasks.world import TASKS, TaskWorld, make_task_world
from tests.integration.tensorboard.event_files import hparams, images, read_events, texts
from tests.world import Run, World, read_json, scalars


@pytest.fixture(scope="module")
def tasks(world: World, tmp_path_factory: pytest.TempPathFactory) -> TaskWorld:
    return make_task_world(world, tmp_path_factory.mktemp("tasks"))


SLOW = {task: [pytest.mark.slow] for task in ("naver_ner", "klue_ner", "korquad")}


@pytest.fixture(scope="module", params=[pytest.param(task, id=task, marks=SLOW.get(task, [])) for task in TASKS])
def finished(
    request: pytest.FixtureRequest, tasks: TaskWorld, run: Run, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A run folder after `fit` with two validations, and `test` of its last checkpoint."""
    runs, task = tmp_path_factory.mktemp("runs"), str(request.param)
    run("fit", tasks.options(task, runs, "--trainer.val_check_interval=2"))
    run("test", checkpoint_of(runs / task / "base_seed42"))
    return runs / task / "base_seed42"


def checkpoint_of(folder: Path) -> list[str]:
    return ["-c", str(folder / "config.yaml"), f"--ckpt_path={folder / 'checkpoints' / 'last.ckpt'}"]


def stored(folder: Path) -> list[dict[str, Any]]:
    lines = (folder / "predictions.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_pictures_and_pages_stand_at_the_steps_of_the_weights(finished: Path) -> None:
    steps = {"val": [2, 4], "test": [4]}
    for stage, expected in steps.items():
        assert sorted(texts(finished, f"{stage}/samples")) == expected
        if finished.parent.name == "korquad":
            assert not read_events(finished).Tags()["images"]
        else:
            assert sorted(images(finished, f"{stage}/confusion")) == expected
            assert all(image.startswith(b"\x89PNG") for image in images(finished, f"{stage}/confusion").values())
        assert sorted(scalars(finished)[f"{stage}/loss"]) == expected
    assert sorted(scalars(finished)["train/tokens_seen"]) == [1, 2, 3, 4]


def test_test_scores_are_scalars_of_the_run_and_its_settings_are_written_once(finished: Path) -> None:
    metrics, curves = read_json(finished / "metrics.json"), scalars(finished)
    tests = [name for name in metrics if name.startswith("test/")]
    assert tests
    for name in tests:
        assert curves[name] == {4: pytest.approx(metrics[name], rel=1e-6)}
    settings = hparams(finished)
    assert (settings["recipe"], settings["arm"], settings["seed"]) == (finished.parent.name, "base", 42)
    assert settings["batch_size"] == 8
    assert settings["max_steps"] == 4
    assert "lr" in settings
    assert not [name for name in settings if "." in name]


def test_samples_are_the_first_rows_and_the_most_confident_errors(finished: Path, tasks: TaskWorld) -> None:
    page = texts(finished, "test/samples")[4]
    first, wrong = page.split("**Wrong answers, most confident first**")
    records = stored(finished)
    pattern = re.compile(r"^\| \*\*(\d+)\*\* (.*) \| .* \| .* \(\d\.\d{3}\)( ✗)? \|$", flags=re.MULTILINE)
    assert [row for row, _, _ in pattern.findall(first)] == ["0", "1", "2", "3", "4"]
    assert any("가" <= character <= "힣" for character in pattern.findall(first)[0][1]), "the text is there"
    listed = pattern.findall(wrong)
    assert 0 < len(listed) <= 15
    assert all(mark for _, _, mark in listed)
    if finished.parent.name == "nsmc":
        errors = sorted(
            (r for r in records if r["gold"] != r["predicted"]), key=lambda r: (-r["probability"], r["row"])
        )
        assert [int(row) for row, _, _ in listed] == [r["row"] for r in errors[:15]]
        line = (tasks.root / "nsmc" / "ratings_test.txt").read_text(encoding="utf-8").splitlines()[1]
        assert pattern.findall(first)[0][1].split()[0] == line.split("\t")[1].split()[0], "the review of the file"


def test_without_matplotlib_the_picture_is_left_out_with_one_warning(
    tasks: TaskWorld, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recwarn: pytest.WarningsRecorder
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    run("fit", tasks.options("nsmc", tmp_path, "--trainer.val_check_interval=2"))
    messages = [str(w.message) for w in recwarn if "no confusion matrix in TensorBoard" in str(w.message)]
    assert len(messages) == 1
    assert "pip install 'distilkobert[report]'" in messages[0]
    assert not read_events(tmp_path / "nsmc" / "base_seed42").Tags()["images"]
    assert read_json(tmp_path / "nsmc" / "base_seed42" / "metrics.json")["status"] == "finished"


@pytest.mark.slow
def test_two_processes_show_what_one_does(tasks: TaskWorld, run: Run, tmp_path: Path) -> None:
    run("fit", tasks.options("klue_ner", tmp_path))
    one = tmp_path / "klue_ner" / "base_seed42"
    run("test", checkpoint_of(one))
    words = [*checkpoint_of(one), f"--run.root={tmp_path / 'two'}", "-c", "configs/trainer/ddp_cpu.yaml"]
    train_ranks(words, tmp_path / "log", processes=2, command="test")
    two = tmp_path / "two" / "klue_ner" / "base_seed42"
    assert images(two, "test/confusion") == images(one, "test/confusion")
    pages = [texts(folder, "test/samples")[4] for folder in (one, two)]
    assert pages[0].split("**Wrong")[0] == pages[1].split("**Wrong")[0]
