"""The configuration that a run keeps, named by a command: of a checkpoint's own run, and of a run that has moved."""

import sys
from collections.abc import Sequence
from pathlib import Path

from jsonargparse import Namespace

from distilkobert.io.run_files import CONFIG_FILE, no_checkpoint
from experiments._shared.parsing.parsers import StrictParser
from experiments._shared.parsing.words import CONFIG_OPTIONS, option_values
from experiments._shared.run.checkpoint_names import CHECKPOINT_NAMES, check_checkpoint_name
from experiments._shared.run.folder import RunSpec, read_config
from experiments._shared.run.launching import is_first_process


def with_own_config(words: Sequence[str]) -> list[str]:
    """The words of a command line; where they name a checkpoint and no file of settings, with that of its run.

    Args:
        words: the command, and its options.

    Raises:
        FileNotFoundError: there is no such checkpoint, or no configuration of its run.
        ValueError: `last` or `best` names none without a run.
    """
    checkpoints = option_values(words, "--ckpt_path")
    if not checkpoints or option_values(words, *CONFIG_OPTIONS):
        return list(words)
    named = checkpoints[-1]
    check_checkpoint_name(named)
    if named in CHECKPOINT_NAMES:
        raise ValueError(
            f"--ckpt_path={named} needs a run: give it with -c RUN/{CONFIG_FILE}, or give the path of the checkpoint"
        )
    checkpoint = Path(named).expanduser()
    config = checkpoint.parent.parent / CONFIG_FILE
    if not checkpoint.is_file():
        raise no_checkpoint(checkpoint)
    if not config.is_file():
        raise FileNotFoundError(f"--ckpt_path={named}: {config} does not exist; give the settings with -c")
    if is_first_process():
        print(f"settings of the checkpoint's run: -c {config}", file=sys.stderr)
    return [words[0], "-c", str(config), *words[1:]]


def place_by_own_config(config: Namespace, parser: StrictParser) -> None:
    """Take the place of a run from that of its own configuration, where a command names that and no other place.

    Args:
        config: the settings of a command; `run.root` is changed where the run has moved, or the command runs in another
            folder than the one that began it.
        parser: has read it.

    Raises:
        ValueError: the run's folder has another name than its settings say, and the command names no place.
    """
    named = [file.path for file in parser.config_files if "run.root" in file.lines]
    if option_values(parser.arguments, "--run.root") or not named or named[-1].name != CONFIG_FILE:
        return
    home = named[-1].resolve().parent
    saved = read_config(named[-1])
    own = RunSpec(**{**saved["run"], "root": str(home.parent.parent)})
    own_place = own.folder(int(saved["seed_everything"]))
    place = RunSpec(config.run.root, config.run.recipe, config.run.arm).folder(config.seed_everything)
    if own_place == home:
        if str(Path(config.run.root).resolve()) != own.root:
            config.run.root = own.root
    elif place.parts[-2:] == own_place.parts[-2:] and place.resolve() != home and (home / "checkpoints").is_dir():
        raise ValueError(
            f"{named[-1]}: the run is in {home}, but its settings name {place}, where this command would write. Rename "
            f"its folder to ROOT/{'/'.join(own_place.parts[-2:])}, or name it with --run.root, --run.recipe and "
            "--run.arm (ROOT/RECIPE/ARM_seedSEED)"
        )
