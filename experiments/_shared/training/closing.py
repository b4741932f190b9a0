"""What `fit` says when it ends: why, the run's folder, its best checkpoint, and the next command."""

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytorch_lightning as pl
from pytorch_lightning.callbacks import EarlyStopping, ModelCheckpoint
from pytorch_lightning.utilities import rank_zero_info

from distilkobert.io.run_files import CONFIG_FILE, EARLY_STOPPING
from distilkobert.stop_signals import StoppedBySignal
from lightning_modules.callbacks import GracefulStop
from lightning_modules.run.ending import ending_line
from lightning_modules.task_module import TaskModule

_TRAIN = "python -m experiments.train"


def resume_command(folder: Path, *options: str) -> str:
    """The command that resumes a run, ready to paste.

    Args:
        folder: of the run.
        options: further ones.
    """
    return (
        f"{_TRAIN} fit -c {shlex.quote(str(folder / CONFIG_FILE))} --ckpt_path=last{''.join(f' {o}' for o in options)}"
    )


@contextmanager
def resumable(trainer: pl.Trainer, folder: Path) -> Iterator[None]:
    """Say how a run that a signal stops is resumed, and put its job back into the queue, where it has a checkpoint.

    Args:
        trainer: of the run.
        folder: of the run.

    Raises:
        StoppedBySignal: a signal has come in the block.
    """
    try:
        yield
    except StoppedBySignal as stop:
        if (folder / "checkpoints" / "last.ckpt").is_file() and not trainer.fast_dev_run:  # type: ignore[attr-defined]
            callbacks: list[pl.Callback] = trainer.callbacks  # type: ignore[attr-defined]
            for callback in () if stop.in_training else callbacks:  # within training it has been put back
                if isinstance(callback, GracefulStop):
                    callback.requeue_after(trainer, stop.number)
            rank_zero_info(f"next: {resume_command(folder)}")
        raise


def closing_lines(trainer: pl.Trainer, pl_module: pl.LightningModule, folder: Path, reason: str) -> list[str]:
    """The lines of a training that has come to its end, or was stopped before.

    Args:
        trainer: after `fit` and the validation of its last step.
        pl_module: what was trained.
        folder: of the run.
        reason: what has stopped it, from `stopped_by`; empty at its end.
    """
    last = folder / "checkpoints" / "last.ckpt"
    best, shown = _best(trainer)
    chosen = best or last
    if not chosen.is_file():
        return [
            _why(trainer, reason).partition("; resume")[0],
            f"run folder: {folder}",
            "no checkpoint: training ended before its first step; remove the folder and start again",
        ]
    if reason not in ("", EARLY_STOPPING):
        following = resume_command(folder, *(["--trainer.max_time=DD:HH:MM:SS"] if reason == "max_time" else []))
    elif isinstance(pl_module, TaskModule):
        following = f"{_TRAIN} test --ckpt_path={shlex.quote(str(chosen))}"
    else:
        output = Path("exported") / f"{folder.parent.name}_{folder.name}"
        following = (
            f"python -m experiments.export --checkpoint {shlex.quote(str(chosen))} --output {shlex.quote(str(output))}"
        )
    return [
        _why(trainer, reason),
        f"run folder: {folder}",
        f"best checkpoint: {best} ({shown})" if best else f"no best checkpoint was chosen; the last one: {last}",
        f"next: {following}",
    ]


def _why(trainer: pl.Trainer, reason: str) -> str:
    """Why training has ended, in a line."""
    if reason:
        callbacks: list[pl.Callback] = trainer.callbacks  # type: ignore[attr-defined]
        found = [c.stopping_reason_message for c in callbacks if isinstance(c, EarlyStopping)]
        detail = next((message for message in found if message), "") if reason == EARLY_STOPPING else ""
        return ending_line(reason, trainer.global_step) + (f": {' '.join(detail.split())}" if detail else "")
    steps = trainer.max_steps != -1 and trainer.global_step >= trainer.max_steps
    limit = f"trainer.max_steps={trainer.max_steps}" if steps else f"trainer.max_epochs={trainer.max_epochs}"
    return f"finished after optimizer step {trainer.global_step:,} ({limit})"


def _best(trainer: pl.Trainer) -> tuple[Path | None, str]:
    """The best checkpoint, unless it was removed by hand, and the metric by which it was chosen."""
    for callback in trainer.checkpoint_callbacks:
        if isinstance(callback, ModelCheckpoint) and callback.best_model_path and callback.best_model_score is not None:
            path = Path(callback.best_model_path)
            return (path if path.is_file() else None), f"{callback.monitor} {float(callback.best_model_score):.4g}"
    return None, ""
