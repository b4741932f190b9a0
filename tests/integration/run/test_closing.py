"""What `fit` says last: why it has ended, where the run is, its best checkpoint, and a command that can be pasted."""

import functools
import shlex
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
import pytorch_lightning as pl

from distilkobert.stop_signals import StoppedBySignal
from experiments.export.__main__ import export
from tests.integration.tasks.world import make_task_world
from tests.world import Run, World, read_json

EARLY = (
    "--trainer.callbacks+=EarlyStopping", "--trainer.callbacks.monitor=val/loss", "--trainer.callbacks.patience=1",
    "--trainer.callbacks.min_delta=99", "--trainer.val_check_interval=1", "--trainer.max_steps=9",
)  # fmt: skip


@pytest.fixture
def last_words(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    caplog.set_level("INFO", "pytorch_lightning")
    return lambda: caplog.messages[-1].splitlines()


def words_of(line: str) -> list[str]:
    """The arguments of the command that a line names."""
    assert line.startswith("next: python -m experiments.")
    return shlex.split(line.removeprefix("next: python -m experiments."))


def test_a_fine_tuning_is_followed_by_its_test(
    world: World, run: Run, tmp_path: Path, last_words: Callable[[], list[str]]
) -> None:
    tasks = make_task_world(world, tmp_path / "tasks")
    run("fit", tasks.options("nsmc", tmp_path / "my runs"))
    why, place, best, following = last_words()
    folder = tmp_path / "my runs" / "nsmc" / "base_seed42"
    metrics = read_json(folder / "metrics.json")
    assert why == "finished after optimizer step 4 (trainer.max_steps=4)"
    assert place == f"run folder: {folder}"
    assert (
        best
        == f"best checkpoint: {folder / 'checkpoints' / 'best.ckpt'} (val/accuracy {metrics['best/val/accuracy']:.4g})"
    )
    command, *words = words_of(following)
    assert command == "train"
    run(words[0], words[1:])
    assert "test/accuracy" in read_json(folder / "metrics.json")


def test_a_distillation_is_followed_by_its_export(
    world: World, run: Run, tmp_path: Path, last_words: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    run("fit", world.distil(tmp_path, *EARLY))
    why, _, best, following = last_words()
    assert why.startswith("ended by early stopping after optimizer step 2: Monitored metric val/loss did not improve")
    assert "best.ckpt (val/loss " in best
    command, first, checkpoint, second, output = words_of(following)
    assert (command, first, second) == ("export", "--checkpoint", "--output")
    monkeypatch.chdir(tmp_path)
    export(checkpoint, output)
    assert (tmp_path / "exported" / "distilkobert_base_seed42" / "config.json").is_file()


def test_a_training_that_is_not_over_is_followed_by_what_goes_on(
    world: World, run: Run, tmp_path: Path, last_words: Callable[[], list[str]]
) -> None:
    run("fit", world.distil(tmp_path, "--trainer.max_time=00:00:00:01", "--trainer.limit_val_batches=0",
                            "--trainer.max_steps=99999", "--last_checkpoint.every_n_steps=1"))  # fmt: skip
    why, _, best, following = last_words()
    folder = tmp_path / "distilkobert" / "base_seed42"
    step = read_json(folder / "metrics.json")["steps"]
    assert why.startswith(f"stopped by max_time after optimizer step {step}, before the run's end")
    assert best == f"no best checkpoint was chosen; the last one: {folder / 'checkpoints' / 'last.ckpt'}"
    _, *words = words_of(following)
    assert words[-1] == "--trainer.max_time=DD:HH:MM:SS"
    run(words[0], [*words[1:-1], "--trainer.max_time=00:01:00:00", f"--trainer.max_steps={step + 1}"])
    assert read_json(folder / "metrics.json")["steps"] == step + 1


def test_a_training_without_a_step_has_nothing_to_go_on_from(
    world: World, run: Run, tmp_path: Path, last_words: Callable[[], list[str]]
) -> None:
    run("fit", world.distil(tmp_path, "--trainer.max_time=00:00:00:00", "--trainer.limit_val_batches=0"))
    assert last_words()[-1].startswith("no checkpoint: training ended before its first step")


def test_a_signal_is_followed_by_what_goes_on(
    world: World, run: Run, tmp_path: Path, last_words: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    run("fit", world.distil(tmp_path, "--trainer.max_steps=1"))
    folder = tmp_path / "distilkobert" / "base_seed42"

    @functools.wraps(pl.Trainer.fit)
    def stopped(trainer: pl.Trainer, **options: object) -> None:
        raise StoppedBySignal(signal.SIGTERM, in_training=True)

    monkeypatch.setattr(pl.Trainer, "fit", stopped)
    with pytest.raises(StoppedBySignal):
        run("fit", [f"--ckpt_path={folder / 'checkpoints' / 'last.ckpt'}", "--trainer.max_steps=2"])
    assert words_of(last_words()[-1]) == ["train", "fit", "-c", str(folder / "config.yaml"), "--ckpt_path=last"]


def test_the_last_checkpoint_is_named_where_the_best_one_was_removed(
    world: World, run: Run, tmp_path: Path, last_words: Callable[[], list[str]]
) -> None:
    run("fit", world.distil(tmp_path, "--trainer.max_steps=1"))
    checkpoints = tmp_path / "distilkobert" / "base_seed42" / "checkpoints"
    (checkpoints / "best.ckpt").unlink()
    run("fit", [f"--ckpt_path={checkpoints / 'last.ckpt'}", "--trainer.max_steps=2", "--trainer.limit_val_batches=0"])
    _, _, best, following = last_words()
    assert best == f"no best checkpoint was chosen; the last one: {checkpoints / 'last.ckpt'}"
    assert str(checkpoints / "last.ckpt") in words_of(following)
