"""The folder and the checkpoint that a command begins with: the one it names, or what `--run.resume=auto` finds."""

from collections.abc import Collection
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from jsonargparse import Namespace

from distilkobert.io.locks import LOCK_FILE, only_process
from distilkobert.io.run_files import CONFIG_FILE, LOGGERS_FILE, METRICS_FILE, read_metrics, why_unfinished
from experiments._shared.run.checkpoint_names import CHECKPOINT_NAMES, check_checkpoint_name, check_run_of_name
from experiments._shared.run.checkpoint_settings import check_checkpoint
from experiments._shared.run.folder import read_config
from experiments._shared.run.launching import is_first_process
from experiments._shared.settings import MODEL_SOURCES, PATHS, flatten
from experiments._shared.start_checks import refuse_used_folder
from experiments._shared.training.saved_paths import with_absolute_paths
from lightning_modules.loggers.run_csv import CSV_FILE

_LENGTH = ("max_steps", "max_epochs", "min_steps", "min_epochs", "limit_train_batches")
"""Settings of the trainer that end a run; one that `max_time` stopped continues with another value."""

_PROCESSES = ("devices", "num_nodes", "strategy", "accelerator", "accumulate_grad_batches", "val_check_interval")
"""Settings of the trainer that a job which comes back with other devices changes."""

_FREE = (
    "ckpt_path", "run", "progress", "trainer.logger", "trainer.max_time", "trainer.enable_progress_bar",
    "trainer.enable_model_summary", *(f"model.{option}" for option in MODEL_SOURCES),
)  # fmt: skip
"""Settings, or groups of them, that a finished run's result does not depend on; of models, `check_checkpoint` has
compared the content."""


class AlreadyFinished(Exception):  # noqa: N818 - no error: the command has nothing left to do
    """`--run.resume=auto` has found a run that is finished."""


def take_folder(folder: Path, held: ExitStack) -> None:
    """Let no other process write into a run's folder until the command ends.

    Args:
        folder: the run's.
        held: what ends with the command.

    Raises:
        InUseError: another process has it; names it.
    """
    if is_first_process():
        held.enter_context(only_process(folder / LOCK_FILE, f"the run folder {folder}"))


def settle_checkpoint(config: Namespace, folder: Path, linked: Collection[str], *, fit: bool) -> int | None:
    """Fill in which checkpoint a command loads, and check it.

    Args:
        config: the command's settings; `ckpt_path` becomes the name of a file where it is `last` or `best`, or where
            `--run.resume=auto` finds one.
        folder: the run's, which no other process writes into.
        linked: settings that the module takes from the data.
        fit: whether the command trains.

    Returns:
        Optimizer steps of the checkpoint; None without one.

    Raises:
        AlreadyFinished: `--run.resume=auto` has nothing left to do.
        FileNotFoundError, ValueError: see `check_checkpoint`; or a finished run is asked to become longer by
            `--run.resume=auto`.
    """
    asked = config.get("ckpt_path")
    if asked:
        check_checkpoint_name(asked)
    if asked in CHECKPOINT_NAMES:
        check_run_of_name(asked, folder, config.run.arm)
        config.ckpt_path = str(folder / "checkpoints" / f"{asked}.ckpt")
    automatic = fit and config.run.resume == "auto" and not asked and not config.trainer.fast_dev_run
    said = _find_checkpoint(config, folder) if automatic else ""
    step = None
    if config.ckpt_path:
        given = "--run.resume=auto" if automatic else "--ckpt_path"
        step = check_checkpoint(config, folder, linked, fit=fit, given=given)
        if automatic:
            _check_unfinished(config, folder)
    if said and is_first_process():
        print(said)
    return step


def _find_checkpoint(config: Namespace, folder: Path) -> str:
    """What `--run.resume=auto` does in a folder, in a line; empty where it has no run."""
    if not (folder / CONFIG_FILE).is_file():
        refuse_used_folder(folder)
        return ""
    kept = (folder / "checkpoints" / f"{name}.ckpt" for name in ("last", "best"))
    found = next((path for path in kept if path.is_file()), None)
    if found is not None:
        config.ckpt_path = str(found)
        return f"{folder}: resuming from {found}"
    if not why_unfinished(read_metrics(folder)):
        refuse_used_folder(folder)
    if is_first_process():
        _forget_start(folder)
    return f"{folder}: the run had no checkpoint yet and starts again"


def _check_unfinished(config: Namespace, folder: Path) -> None:
    """Check that the command is the one that began the run, and that there is something left to do."""
    metrics = read_metrics(folder)
    before, now = (_as_text(side) for side in (read_config(folder / CONFIG_FILE), config.as_dict()))
    changes = {name for name in before.keys() & now.keys() if before[name] != now[name] and not _is_free(name)}
    if "trainer.devices" in changes:
        changes -= {f"trainer.{name}" for name in _PROCESSES}
    finished = not why_unfinished(metrics)
    unlike = sorted(changes if finished else changes & {f"trainer.{name}" for name in _LENGTH})
    if unlike:
        named = "; ".join(f"{name}: run {before[name]}, now {now[name]}" for name in unlike)
        state = f"finished after optimizer step {metrics['steps']}" if finished else "not finished"
        raise ValueError(
            f"{folder}: the run is {state}, but this command differs from the one that started it ({named}). "
            "--run.resume=auto only finishes a run: to train longer, give --ckpt_path=last; for another variant, "
            "another --run.arm"
        )
    if finished:
        raise AlreadyFinished(f"{folder}: finished after optimizer step {metrics['steps']}; nothing to do")


def _as_text(config: dict[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in with_absolute_paths(flatten(config)).items()}


def _is_free(name: str) -> bool:
    last = name.rpartition(".")[2]
    return last in (*PATHS, "num_workers") or any(name == free or name.startswith(f"{free}.") for free in _FREE)


def _forget_start(folder: Path) -> None:
    """Remove what a run that was killed before its first checkpoint has left.

    Curves of both starts in one folder would be read as one.
    """
    names = (CONFIG_FILE, METRICS_FILE, LOGGERS_FILE, CSV_FILE)
    for path in (*(folder / name for name in names), *folder.glob("events.out.tfevents.*")):
        path.unlink(missing_ok=True)
