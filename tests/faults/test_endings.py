"""How a training has ended: said by `fit`, kept in metrics.json, and heeded by those who read it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from experiments.export.__main__ import export
from tests.world import World, read_json

Run = Callable[..., Any]
STOPPING = (
    "--trainer.callbacks+=EarlyStopping", "--trainer.callbacks.monitor=val/loss", "--trainer.callbacks.patience=1",
    "--trainer.callbacks.min_delta=99", "--trainer.val_check_interval=1", "--trainer.max_steps=9",
)  # fmt: skip


@pytest.mark.parametrize(
    ("options", "status", "reason", "steps", "said"),
    [
        (["--trainer.max_steps=2"], "finished", None, 2, "`max_steps=2` reached"),
        (["--trainer.max_steps=0"], "finished", None, 0, ""),
        (STOPPING, "stopped", "early_stopping", 2, "ended by early stopping after optimizer step 2"),
        (
            ["--trainer.max_time=00:00:00:00", "--trainer.max_steps=9"],
            "stopped",
            "max_time",
            0,
            "stopped by max_time after optimizer step 0, before the run's end; resume with --ckpt_path=last and a long",
        ),
    ],
)
def test_the_ending_is_said_and_kept(
    options: list[str],
    status: str,
    reason: str | None,
    steps: int,
    said: str,
    world: World,
    run: Run,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO", "pytorch_lightning")
    folder = tmp_path / "pretrain" / "base_seed42"
    run("fit", world.pretrain(tmp_path, *options))
    metrics = read_json(folder / "metrics.json")
    assert (metrics["status"], metrics.get("stopped_by"), metrics["steps"]) == (status, reason, steps)
    assert said in caplog.text
    checkpoint = folder / "checkpoints" / "last.ckpt"
    if reason == "early_stopping" or status == "finished":
        export(str(checkpoint), str(tmp_path / "exported"))


def test_an_epoch_that_was_broken_off_is_no_end(world: World, run: Run, tmp_path: Path) -> None:
    """The only epoch counts as processed, though its first validation has ended it."""
    epoch = ("--trainer.max_epochs=1", "--trainer.max_steps=-1", "--trainer.val_check_interval=2")
    run("fit", world.pretrain(tmp_path, *STOPPING, *epoch))
    metrics = read_json(tmp_path / "pretrain" / "base_seed42" / "metrics.json")
    assert (metrics["status"], metrics["stopped_by"], metrics["steps"]) == ("stopped", "early_stopping", 4)


def test_a_run_that_goes_on_is_not_finished_any_more(
    world: World, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options, folder = world.pretrain(tmp_path, "--trainer.max_steps=2"), tmp_path / "pretrain" / "base_seed42"
    run("fit", options)

    def broken(*_: Any) -> None:
        raise PowerCutError

    monkeypatch.setattr("lightning_modules.callbacks.gradients.GradientWatch.on_before_optimizer_step", broken)
    with pytest.raises(PowerCutError):
        run("fit", [*options, "--trainer.max_steps=4", "--ckpt_path=last"])
    metrics = read_json(folder / "metrics.json")
    assert (metrics["status"], metrics["steps"]) == ("running", 2)
    checkpoint, output = str(folder / "checkpoints" / "last.ckpt"), tmp_path / "exported"
    message = rf"base_seed42: training has not ended; resume with: .*{checkpoint}, or .*--allow_unfinished=true"
    with pytest.raises(ValueError, match=message):
        export(checkpoint, str(output))
    assert not output.exists()
    export(checkpoint, str(output), allow_unfinished=True)
    assert (output / "model.safetensors").is_file()


class PowerCutError(Exception):
    """Stands for whatever ends a process."""


def test_a_trial_of_one_batch_writes_nothing(
    world: World, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = [
        Path(word).absolute().as_posix() if word.startswith("configs/") else word for word in world.pretrain(tmp_path)
    ]
    fast = Path("configs/debug/fast.yaml").absolute().as_posix()
    monkeypatch.chdir(tmp_path)
    run("fit", [*options, "-c", fast])
    run("validate", [*options, "-c", fast])
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (["--model.teacher=nowhere/at-all"], FileNotFoundError),
        (["--trainer.overfit_batches=2"], ValueError),
        (["--best_checkpoint.monitor=val/f1"], ValueError),
    ],
)
def test_a_start_that_is_refused_leaves_no_folder(
    options: list[str], error: type[Exception], world: World, run: Run, tmp_path: Path
) -> None:
    args = world.distil(tmp_path, *options) if "teacher" in options[0] else world.pretrain(tmp_path, *options)
    with pytest.raises(error):
        run("fit", args)
    assert not any(tmp_path.iterdir())
