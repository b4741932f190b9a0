"""The best checkpoint is chosen among all weights that a run has measured, those of its end included."""

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import pytest
import torch

from distilkobert.models.checkpoints import read_checkpoint
from experiments.export.__main__ import export
from lightning_modules.callbacks.checkpoints import best as best_checkpoints
from tests.faults.trainings.chains import train as train_ranks
from tests.integration.tasks.world import TaskWorld, make_task_world
from tests.world import Run, World, read_json, scalars


@pytest.fixture(scope="module")
def tasks(world: World, tmp_path_factory: pytest.TempPathFactory) -> TaskWorld:
    return make_task_world(world, tmp_path_factory.mktemp("tasks"))


def steps_of(folder: Path) -> tuple[int, int]:
    """Optimizer steps of the best and of the last checkpoint."""
    best, last = (read_checkpoint(folder / "checkpoints" / name)["global_step"] for name in ("best.ckpt", "last.ckpt"))
    return best, last


def check_choice(folder: Path, monitor: str, choose: Callable[..., int]) -> None:
    """`best.ckpt` is the first step with the best value in TensorBoard, and `metrics.json` has that value."""
    curve = scalars(folder)[monitor]
    best = choose(sorted(curve), key=lambda step: curve[step])
    assert steps_of(folder)[0] == best
    assert read_json(folder / "metrics.json")[f"best/{monitor}"] == pytest.approx(curve[best], rel=1e-6)


@pytest.mark.parametrize("accumulate", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_run_shorter_than_its_interval_has_a_best_checkpoint_to_export(
    accumulate: int, world: World, run: Run, tmp_path: Path
) -> None:
    short = ["--trainer.max_steps=3", "--trainer.val_check_interval=500"]
    run("fit", world.distil(tmp_path, *short, f"--trainer.accumulate_grad_batches={accumulate}"))
    folder = tmp_path / "distilkobert" / "base_seed42"
    assert steps_of(folder) == (3, 3)
    check_choice(folder, "val/loss", min)
    assert (export(f"{folder}/checkpoints/best.ckpt", str(tmp_path / "out")) / "model.safetensors").is_file()


@pytest.mark.slow
def test_two_processes_choose_the_end_together(world: World, tmp_path: Path) -> None:
    options = ["--trainer.max_steps=3", "--trainer.val_check_interval=2", "--model.optimizer.lr=5e-3"]
    words = world.distil(tmp_path, *options, "-c", "configs/trainer/ddp_cpu.yaml")
    train_ranks(words, tmp_path / "log", processes=2)
    folder = tmp_path / "distilkobert" / "base_seed42"
    assert sorted(scalars(folder)["val/loss"]) == [2, 3]
    check_choice(folder, "val/loss", min)


@pytest.mark.parametrize(("rate", "expected"), [("5e-3", 5), ("0.3", 4)])
def test_the_end_takes_part_in_the_choice(rate: str, expected: int, world: World, run: Run, tmp_path: Path) -> None:
    schedule = [f"--model.optimizer.lr={rate}", "--model.optimizer.schedule=constant", "--model.optimizer.warmup=0"]
    run("fit", world.distil(tmp_path, *schedule, "--trainer.max_steps=5", "--trainer.val_check_interval=4"))
    folder = tmp_path / "distilkobert" / "base_seed42"
    assert sorted(scalars(folder)["val/loss"]) == [4, 5]
    assert steps_of(folder) == (expected, 5)
    check_choice(folder, "val/loss", min)


def test_a_run_that_goes_on_knows_the_score_to_beat(world: World, run: Run, tmp_path: Path) -> None:
    fast = ["--model.optimizer.lr=5e-3", "--model.optimizer.schedule=constant", "--model.optimizer.warmup=0"]
    run("fit", world.distil(tmp_path, *fast, "--trainer.max_steps=5", "--trainer.val_check_interval=4"))
    folder = tmp_path / "distilkobert" / "base_seed42"
    score = read_json(folder / "metrics.json")["best/val/loss"]
    states = [
        next(state for name, state in read_checkpoint(path)["callbacks"].items() if "ModelCheckpoint" in name)
        for path in sorted((folder / "checkpoints").iterdir())
    ]
    assert [float(state["best_model_score"]) for state in states] == [score, score]
    best = read_checkpoint(folder / "checkpoints" / "best.ckpt")["state_dict"]
    last = read_checkpoint(folder / "checkpoints" / "last.ckpt")["state_dict"]
    assert all(torch.equal(best[name], last[name]) for name in best)
    resume = ["-c", str(folder / "config.yaml"), f"--ckpt_path={folder}/checkpoints/last.ckpt"]
    run("fit", [*resume, "--trainer.max_steps=8"])
    assert sorted(scalars(folder)["train/loss/total"]) == list(range(1, 9))
    whole = tmp_path / "whole"
    run("fit", world.distil(whole, *fast, "--trainer.max_steps=8", "--trainer.val_check_interval=4"))
    ends = [read_checkpoint(root / "distilkobert/base_seed42/checkpoints/last.ckpt") for root in (tmp_path, whole)]
    for name, value in ends[1]["state_dict"].items():
        if name.startswith("network."):
            assert torch.equal(ends[0]["state_dict"][name], value), name


@pytest.mark.parametrize("task", ["nsmc", pytest.param("korquad", marks=pytest.mark.slow)])
def test_a_fine_tuning_maximises_its_score(task: str, tasks: TaskWorld, run: Run, tmp_path: Path) -> None:
    monitor = "val/accuracy" if task == "nsmc" else "val/f1"
    few = ["--trainer.max_steps=5", "--trainer.accumulate_grad_batches=2", "--model.optimizer.lr=3e-2"]
    run("fit", tasks.options(task, tmp_path, *few, "--trainer.val_check_interval=4"))
    folder = tmp_path / task / "base_seed42"
    assert sorted(scalars(folder)[monitor]) == [2, 4, 5]
    check_choice(folder, monitor, max)
    run("fit", tasks.options(task, tmp_path, "--run.arm=short", "--trainer.max_steps=1"))
    assert steps_of(tmp_path / task / "short_seed42") == (1, 1)
    check_choice(tmp_path / task / "short_seed42", monitor, max)


def test_the_best_checkpoint_of_steps_that_are_discarded_is_forgotten(
    world: World, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The highest loss counts as the best. The loaded checkpoint was written before the validation at its step."""
    monkeypatch.setattr(best_checkpoints, "wrong_mode", lambda *_: "")
    options = ["--best_checkpoint.mode=max", "--trainer.val_check_interval=1", "--model.optimizer.lr=0.01"]
    run("fit", world.pretrain(tmp_path, *options, "--last_checkpoint.keep_every_n_steps=1"))
    folder = tmp_path / "pretrain" / "base_seed42"
    best, second, last = (folder / "checkpoints" / f"{name}.ckpt" for name in ("best", "step00000002", "step00000004"))
    assert read_checkpoint(best)["global_step"] == 1
    # As if step 4 had been the best: its file has taken the place of that of step 1, whose score step 2 has.
    best.write_bytes(last.read_bytes())
    run("fit", ["-c", str(folder / "config.yaml"), f"--ckpt_path={second}", "--trainer.max_steps=3"])
    assert read_checkpoint(best)["global_step"] == 2
    assert read_json(folder / "metrics.json")["best/val/loss"] == pytest.approx(scalars(folder)["val/loss"][2])


@pytest.mark.parametrize(
    ("options", "mode"),
    [
        (["--best_checkpoint.mode=max"], "min"),
        (["--best_checkpoint.monitor=val/agreement"], "max"),
        (["--best_checkpoint.monitor=val/objective/total", "--best_checkpoint.mode=max"], "min"),
        (["--best_checkpoint.monitor=val/agreement", "--best_checkpoint.mode=max"], ""),
        (["--best_checkpoint.monitor=val/objective/total"], ""),
    ],
)
def test_a_choice_of_the_worst_is_refused(
    options: list[str], mode: str, world: World, run: Run, tmp_path: Path
) -> None:
    says = rf"^best_checkpoint\.mode=\w+: .* so the worst checkpoint would be kept; set mode to {mode}$"
    with pytest.raises(ValueError, match=says) if mode else nullcontext():
        run("fit", world.distil(tmp_path, *options, "--trainer.max_steps=1"))
    assert (tmp_path / "distilkobert" / "base_seed42" / "config.yaml").exists() is not bool(mode)


def test_a_run_that_has_begun_with_the_worst_can_be_resumed(
    world: World, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Older versions only warned."""
    with monkeypatch.context() as older:
        older.setattr(best_checkpoints, "wrong_mode", lambda *_: "")
        run("fit", world.pretrain(tmp_path, "--best_checkpoint.mode=max", "--trainer.max_steps=1"))
    words = ["-c", str(tmp_path / "pretrain" / "base_seed42" / "config.yaml"), "--ckpt_path=last"]
    run("fit", [*words, "--trainer.max_steps=2"])
    assert read_json(tmp_path / "pretrain" / "base_seed42" / "metrics.json")["steps"] == 2


def test_the_advice_of_an_export_can_be_followed(
    world: World, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("fit", world.distil(tmp_path, "--trainer.max_steps=5", "--trainer.val_check_interval=4"))
    folder = tmp_path / "distilkobert" / "base_seed42"
    best, last = (folder / "checkpoints" / name for name in ("best.ckpt", "last.ckpt"))
    best.write_bytes(last.read_bytes())
    content = torch.load(best, weights_only=True)
    content["global_step"] = 4
    torch.save(content, best)
    run("validate", ["-c", str(folder / "config.yaml"), f"--ckpt_path={best}"])
    assert read_json(folder / "metrics.json")["val/step"] == 4
    capsys.readouterr()
    export(str(last), str(tmp_path / "first"))
    advice = capsys.readouterr().err
    assert "its last step was not validated; run: python -m experiments.train validate" in advice
    args = advice[advice.index("validate -c") :].split(";")[0].split()
    run("validate", args[1:])
    metrics = read_json(folder / "metrics.json")
    assert metrics["val/step"] == metrics["steps"] == 5
    capsys.readouterr()
    export(str(last), str(tmp_path / "second"))
    assert capsys.readouterr().err == ""
