"""Which checkpoint a command loads: the one it names, `last` or `best` of its run, or what `--run.resume=auto` finds."""

import os
from pathlib import Path

import yaml
from jsonargparse import Namespace

from distilkobert.io.run_files import CONFIG_FILE, METRICS_FILE, read_metrics, why_unfinished
from experiments._shared.start_checks import refuse_used_folder

_LENGTH = ("max_steps", "max_epochs", "min_steps", "min_epochs", "max_time", "limit_train_batches")
"""Settings of the trainer that say when a run is finished."""


class AlreadyFinished(Exception):  # noqa: N818 - no error: the command has nothing left to do
    """`--run.resume=auto` has found a run that is finished."""


def named_checkpoint(value: str | None, folder: Path) -> str | None:
    """The file that `--ckpt_path` names: `last` and `best` are those of the run's folder.

    Args:
        value: of the option.
        folder: the run's.
    """
    return str(folder / "checkpoints" / f"{value}.ckpt") if value in ("last", "best") else value


def settle_checkpoint(config: Namespace, folder: Path, *, first: bool) -> str:
    """Fill in `ckpt_path` of a `fit` with `--run.resume=auto`, where the folder has a run.

    Args:
        config: its settings.
        folder: the run's.
        first: whether this process writes the run's files.

    Returns:
        What was decided, in a line; empty where the folder has no run.

    Raises:
        ValueError: the run is finished, and kept no checkpoint to compare settings with.
    """
    if not (folder / CONFIG_FILE).is_file():
        return ""
    kept = (folder / "checkpoints" / f"{name}.ckpt" for name in ("last", "best"))
    found = next((path for path in kept if path.is_file()), None)
    if found is not None:
        config.ckpt_path = str(found)
        return f"{folder}: going on from {found}"
    if not why_unfinished(read_metrics(folder)):
        refuse_used_folder(folder)
    if first:
        _forget_start(folder)
    return f"{folder}: the run had no checkpoint yet, and starts again"


def check_unfinished(config: Namespace, folder: Path) -> None:
    """Check that there is something left to do in a run that has a checkpoint.

    Args:
        config: the command's settings, found to be those of the run as far as a resume compares them.
        folder: the run's.

    Raises:
        AlreadyFinished: the run is finished, as this command asks for it.
        ValueError: it is finished, but this command asks for another length.
    """
    metrics = read_metrics(folder)
    if why_unfinished(metrics):
        return
    before = yaml.safe_load((folder / CONFIG_FILE).read_text(encoding="utf-8"))["trainer"]
    now = config.trainer.as_dict()
    changes = [name for name in _LENGTH if str(before.get(name)) != str(now.get(name))]
    if changes:
        named = "; ".join(f"trainer.{name}: run {before.get(name)!r}, now {now.get(name)!r}" for name in changes)
        raise ValueError(
            f"{folder}: the run is finished after optimizer step {metrics['steps']}, but this command asks for another "
            f"length ({named}). To train on, name --ckpt_path=last; --run.resume=auto only ends what was begun"
        )
    raise AlreadyFinished(f"{folder}: finished after optimizer step {metrics['steps']}; nothing to do")


def is_first_process() -> bool:
    """Whether this process writes the run's files: the first of all that launchers number, or the only one."""
    names = ("RANK",) if "RANK" in os.environ else ("SLURM_PROCID", "NODE_RANK", "LOCAL_RANK")
    return all(int(os.environ.get(name) or 0) == 0 for name in names)


def _forget_start(folder: Path) -> None:
    """Remove what a run that was killed before its first checkpoint has left.

    Curves of both starts in one folder would be read as one.
    """
    for path in (folder / CONFIG_FILE, folder / METRICS_FILE, *folder.glob("events.out.tfevents.*")):
        path.unlink(missing_ok=True)
