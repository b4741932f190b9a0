"""What is refused before anything is made: a folder that is taken, a checkpoint that does not fit."""

from pathlib import Path

from distilkobert.io.run_files import CONFIG_FILE, run_of


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
