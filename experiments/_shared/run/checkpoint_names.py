"""What `--ckpt_path` may be other than a file: `last` or `best`, of a run that is there."""

from pathlib import Path

from distilkobert.io.run_files import CONFIG_FILE
from experiments._shared.parsing.mistakes import did_you_mean

CHECKPOINT_NAMES = ("last", "best")
"""What names a checkpoint in the run's folder."""


def check_checkpoint_name(named: str) -> None:
    """Refuse a word that is neither a file nor the name of a checkpoint.

    Raises:
        FileNotFoundError: names those that there are.
    """
    if named not in CHECKPOINT_NAMES and len(Path(named).parts) == 1 and not Path(named).suffix:
        question = did_you_mean(named, CHECKPOINT_NAMES)
        raise FileNotFoundError(
            f"--ckpt_path={named}: expected best, last, or the path of a .ckpt file{question and f'; {question}'}"
        )


def check_run_of_name(asked: str, folder: Path, arm: str) -> None:
    """Refuse `last` and `best` where the folder has no run, maybe because another seed names another folder.

    Args:
        asked: `last` or `best`.
        folder: the run's.
        arm: its arm.

    Raises:
        FileNotFoundError: names the folders of the same arm, or of the same recipe where it has none.
    """
    if (folder / CONFIG_FILE).is_file() or (folder / "checkpoints").is_dir():
        return
    runs = sorted(path.parent.name for path in folder.parent.glob(f"*/{CONFIG_FILE}"))
    same = [name for name in runs if name.rpartition("_seed")[0] == arm] or runs
    there = f"{folder.parent} has {', '.join(same[:8])}" if same else f"{folder.parent} has no runs"
    raise FileNotFoundError(
        f"--ckpt_path={asked}: there is no run in {folder}; run.root, run.recipe, run.arm and seed_everything give "
        f"its name. {there}"
    )
