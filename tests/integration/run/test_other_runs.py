"""A run's folder holds what its own weights and its own data gave: what comes of others is refused or goes beside."""

import shutil
from pathlib import Path

import pytest
import torch

from distilkobert.models.teachers import load_teacher, weights_sum
from tests.integration.predict.wide import export_of, fit_and_test, records_of
from tests.integration.tasks.world import TaskWorld, make_task_world
from tests.world import Run, World, read_json


@pytest.fixture(scope="module")
def runs(world: World, run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two distillations of one step, arms `base` and `other`; tests must leave them as they are."""
    root = tmp_path_factory.mktemp("runs")
    for arm in ("base", "other"):
        short = ("--trainer.max_steps=1", "--trainer.val_check_interval=1")
        run("fit", world.distil(root, *short, f"--run.arm={arm}"))
    return root / "distilkobert"


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("command", ["fit", "validate", "predict"])
def test_the_checkpoint_of_another_run_is_not_written_over_this_one(
    command: str, runs: Path, world: World, run: Run, tmp_path: Path
) -> None:
    other, before = runs / "other_seed42" / "checkpoints" / "last.ckpt", content(runs)
    options = ["-c", str(runs / "base_seed42" / "config.yaml"), f"--ckpt_path={other}", "--trainer.max_steps=2"]
    with pytest.raises(
        ValueError, match=r"last\.ckpt does not belong to the run in \S+base_seed42, .*other_seed42/config\.yaml"
    ):
        run(command, options)
    assert content(runs) == before
    if command == "validate":
        run(command, [*options, f"--run.root={tmp_path}"])
        assert "val/loss" in read_json(tmp_path / "distilkobert" / "base_seed42" / "metrics.json")


def test_other_data_are_measured_beside_the_run(runs: Path, run: Run) -> None:
    folder = runs / "base_seed42"
    options = ["-c", str(folder / "config.yaml"), f"--ckpt_path={folder / 'checkpoints' / 'last.ckpt'}"]
    before = content(folder)
    with pytest.raises(ValueError, match=r"data\.masking\.probability: checkpoint 0\.15, now 0\.6.*another --run\.arm"):
        run("validate", [*options, "--data.masking.probability=0.6"])
    assert content(folder) == before
    run("validate", [*options, "--data.masking.probability=0.6", "--run.arm=denser"])
    beside = read_json(runs / "denser_seed42" / "metrics.json")
    assert beside["val/loss"] != read_json(folder / "metrics.json")["val/loss"]


def test_a_student_keeps_its_teacher(runs: Path, world: World, run: Run, tmp_path: Path) -> None:
    model = load_teacher(world.teacher)
    with torch.no_grad():
        next(model.parameters())[0, 0] += 1
    model.save_pretrained(tmp_path / "changed")
    checkpoint = runs / "base_seed42" / "checkpoints" / "last.ckpt"
    options = [f"--ckpt_path={checkpoint}", "--trainer.max_steps=2", f"--run.root={tmp_path / 'runs'}"]
    moved = shutil.copytree(world.teacher, tmp_path / "moved")
    assert read_json(runs / "base_seed42" / "metrics.json")["teacher_sha256"] == weights_sum(load_teacher(moved))
    assert weights_sum(load_teacher(moved)) == weights_sum(load_teacher(world.teacher)) != weights_sum(model)
    with pytest.raises(ValueError, match=r"last\.ckpt: its student was trained with another teacher than .*changed"):
        run("validate", world.distil(tmp_path, *options, f"--model.teacher={tmp_path / 'changed'}"))
    run("validate", world.distil(tmp_path, *options, f"--model.teacher={moved}"))


def test_the_start_is_not_measured_over_a_run_whose_checkpoints_are_gone(runs: Path, run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "distilkobert" / "base_seed42"
    shutil.copytree(runs / "base_seed42", folder, ignore=shutil.ignore_patterns("checkpoints"))
    before = content(folder)
    with pytest.raises(
        ValueError, match=r"without --ckpt_path validate .* It has no checkpoint; to evaluate untrained"
    ):
        run("validate", ["-c", str(folder / "config.yaml"), f"--run.root={tmp_path}"])
    assert content(folder) == before


@pytest.mark.slow
def test_training_takes_back_the_scores_of_its_start(
    world: World, run: Run, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    tasks: TaskWorld = make_task_world(world, tmp_path_factory.mktemp("tasks"))
    tuned = export_of(fit_and_test(tasks, "nsmc", tmp_path / "before"), tmp_path / "exported")
    options = tasks.options("nsmc", tmp_path, "--trainer.max_steps=1", f"--model.init_from={tuned}")
    folder = tmp_path / "nsmc" / "base_seed42"
    run("test", options)
    assert "test/accuracy" in read_json(folder / "metrics.json")
    assert records_of(folder)
    run("fit", options)
    metrics = read_json(folder / "metrics.json")
    assert metrics["steps"] == 1
    assert not [name for name in metrics if name.startswith("test/")]
    assert not list(folder.glob("predictions.*"))
