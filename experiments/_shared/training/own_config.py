"""The configuration of a checkpoint's own run, for a command line that names the checkpoint alone."""

import sys
from collections.abc import Sequence
from pathlib import Path

from distilkobert.io.run_files import CONFIG_FILE, no_checkpoint
from experiments._shared.resuming import is_first_process


def with_own_config(words: Sequence[str]) -> list[str]:
    """The words of a command line; where they name a checkpoint and no file of settings, with that of its run.

    Args:
        words: the command, and its options.

    Raises:
        FileNotFoundError: there is no such checkpoint, or no configuration of its run.
        ValueError: `last` or `best` names none without a run.
    """
    named = _value(words, "--ckpt_path")
    if not named or _value(words, "-c") or _value(words, "--config"):
        return list(words)
    if named in ("last", "best"):
        raise ValueError(f"--ckpt_path={named} is of a run; name the run with -c RUN/{CONFIG_FILE}, or the file itself")
    checkpoint = Path(named)
    config = checkpoint.parent.parent / CONFIG_FILE
    if not checkpoint.is_file():
        raise no_checkpoint(checkpoint)
    if not config.is_file():
        raise FileNotFoundError(f"--ckpt_path={named}: {config} is not there; name the settings with -c")
    if is_first_process():
        print(f"settings of the checkpoint's run: -c {config}", file=sys.stderr)
    return [words[0], "-c", str(config), *words[1:]]


def _value(words: Sequence[str], option: str) -> str:
    """What follows an option, after `=` or as the next word; empty where it is not there."""
    for word, following in zip(words, [*words[1:], ""], strict=True):
        if word == option:
            return following
        if word.startswith(f"{option}="):
            return word.partition("=")[2]
    return ""
