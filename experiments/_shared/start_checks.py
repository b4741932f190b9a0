"""What is refused before anything is made: a folder that is taken, a checkpoint that does not fit, odd numbers."""

import re
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from jsonargparse import Namespace

from distilkobert.io.run_files import CONFIG_FILE, run_of
from distilkobert.tasks.probe import ProbeSpec

_LARGEST_SEED = 2**32 - 1
"""The largest seed that NumPy accepts."""

_BEST: Final = {"dirpath": None, "filename": "best", "save_weights_only": False}
"""Settings of `best_checkpoint` that no run changes."""

_OTHER_SEED: Final = re.compile(r"--(data|model)(\.init_args)?\.seed(=|$)")


def check_numbers(config: Namespace, words: Iterable[Any] = ()) -> None:
    """Check what has no check of its own, or one that comes late and does not say which option is meant.

    Args:
        config: settings of a command.
        words: of its command line.

    Raises:
        ValueError: a number is out of range, there is a second seed, or the best checkpoint would not be best.ckpt.
    """
    if config.get("weights_only") is False:
        raise ValueError("--weights_only=false: checkpoints are always loaded without executing code; leave it out")
    for word in words:
        if _OTHER_SEED.match(str(word)):
            raise ValueError(f"{word}: a run has one seed for data, model and training; set --seed_everything")
    if not 0 <= config.seed_everything <= _LARGEST_SEED:
        raise ValueError(f"--seed_everything={config.seed_everything}: expected 0 to {_LARGEST_SEED}")
    probe = config.get("probe")
    for name, usual in asdict(ProbeSpec()).items():
        if probe is not None and not probe.data_dir and probe[name] != usual:
            raise ValueError(f"--probe.{name}={probe[name]}: there is no probe without --probe.data_dir; set that too")
    kept = config.best_checkpoint
    if kept.save_top_k not in (0, 1) or kept.save_last:
        raise ValueError(
            f"--best_checkpoint.save_top_k={kept.save_top_k}, save_last={kept.save_last}: best.ckpt is one file, and "
            "last.ckpt is written by last_checkpoint; expected save_top_k 0 or 1, and no save_last. "
            "--last_checkpoint.keep_every_n_steps keeps more"
        )
    for name, fixed in _BEST.items():
        if kept[name] != fixed:
            raise ValueError(
                f"--best_checkpoint.{name}={kept[name]}: a run's best checkpoint is checkpoints/best.ckpt, "
                "from which training can be resumed; leave the option out"
            )
    for name in ("accumulate_grad_batches", "log_every_n_steps"):
        number = config.trainer[name]
        if number is not None and number < 1:
            raise ValueError(f"--trainer.{name}={number}: expected 1 or more")


def refuse_used_folder(folder: Path) -> None:
    """Refuse a run folder in which a run was started before.

    Raises:
        ValueError: the folder has a configuration; says how to resume it or to start another run.
    """
    if not (folder / CONFIG_FILE).is_file():
        kept = sorted((folder / "checkpoints").glob("*.ckpt"))
        if kept:
            raise ValueError(
                f"{folder} has checkpoints ({kept[0].name}) and no {CONFIG_FILE}, so their settings are unknown; "
                "move them away, or start the run with another --run.arm"
            )
        return
    last, without = folder / "checkpoints" / "last.ckpt", ", without a checkpoint"
    resume = f"Resume it with -c {folder / CONFIG_FILE} --ckpt_path={last}, start" if last.is_file() else "Start"
    raise ValueError(
        f"{folder} already contains a run{'' if last.is_file() else without}. {resume} a new run with "
        "another --run.arm or --seed_everything, or remove the folder"
    )


def refuse_another_run(folder: Path, checkpoint: Path) -> None:
    """Refuse to write the output of one run's checkpoint into the folder of another run.

    Raises:
        ValueError: the folder holds a run, and the checkpoint is not in it.
    """
    home = run_of(checkpoint)
    if (folder / CONFIG_FILE).is_file() and home != folder.resolve():
        own = f" ({checkpoint.parent.parent / CONFIG_FILE})" if (home / CONFIG_FILE).is_file() else ""
        raise ValueError(
            f"--ckpt_path={checkpoint} does not belong to the run in {folder}, where this command would write. Use the "
            f"configuration of the checkpoint's run{own}, or another --run.arm"
        )


def refuse_evaluating_the_start(folder: Path, command: str) -> None:
    """Refuse to put metrics of untrained weights into the folder of a run that has trained ones.

    Raises:
        ValueError: the folder has a run's configuration or checkpoints; names these.
    """
    kept = sorted((folder / "checkpoints").glob("*.ckpt"))
    if not kept and not (folder / CONFIG_FILE).is_file():
        return
    usual = [path for path in kept if path.name in ("best.ckpt", "last.ckpt")]
    named = (
        f"Name the weights: --ckpt_path={' or '.join(map(str, usual or kept[:1]))}" if kept else "It has no checkpoint"
    )
    raise ValueError(
        f"{folder} contains a run; without --ckpt_path {command} would overwrite its metrics by untrained ones. "
        f"{named}; to evaluate untrained weights, use another --run.arm"
    )
