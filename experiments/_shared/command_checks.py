"""What is refused in a command as it was parsed, before its folder is looked at: numbers, seeds, a missing `test`."""

import re
from collections.abc import Iterable
from dataclasses import asdict, is_dataclass
from inspect import signature
from pkgutil import resolve_name
from typing import Any, Final

from jsonargparse import Namespace
from pytorch_lightning import LightningModule

from distilkobert.io.run_files import CONFIG_FILE
from distilkobert.tasks.probe import ProbeSpec
from experiments._shared.parsing.config_files import RECIPE_PARTS, ConfigFile
from experiments._shared.parsing.words import option_values

_LARGEST_SEED = 2**32 - 1
"""The largest seed that NumPy accepts."""

FIXED_BEST: Final = {"dirpath": None, "filename": "best", "save_weights_only": False}
"""Settings of `best_checkpoint` that no run changes."""

_SAMPLER: Final = "trainer.use_distributed_sampler"

_OTHER_SEED: Final = re.compile(r"--(data|model)(\.init_args)?\.seed(=|$)")


def check_command(config: Namespace, words: Iterable[Any], files: Iterable[ConfigFile]) -> None:
    """Check a command before anything is read; raises as the checks below.

    Args:
        config: all that was parsed.
        words: of the command line.
        files: that it names.
    """
    own = config[config.subcommand]
    refuse_other_seeds(words, files)
    if own.trainer.use_distributed_sampler:
        refuse_sampler(words, files)
    for part in RECIPE_PARTS:
        check_groups(part, own[part], words, files)
    check_numbers(own)
    if config.subcommand == "test":
        refuse_without_test(own.model.class_path)


def check_groups(part: str, asked: Namespace, words: Iterable[Any], files: Iterable[ConfigFile]) -> None:
    """Check that groups of settings are groups, which the parser takes for granted.

    Args:
        part: `model` or `data`.
        asked: its class, and the settings of that.
        words: of the command line.
        files: that it names.

    Raises:
        ValueError: one is a number, a list or nothing; names the option, or file and line.
    """
    own = asked.get("init_args") or {}
    options = [
        option
        for kind in resolve_name(asked.class_path).__mro__
        for option in signature(kind.__init__).parameters.values()
        if is_dataclass(option.annotation)
    ]
    for option in options:
        key, value = f"{part}.{option.name}", own.get(option.name, {})
        if not isinstance(value, Namespace | dict) and not is_dataclass(value):
            named = next(iter(_asked(key, words, files)), f"--{key}")
            raise ValueError(
                f"{named}: expected settings, each with its name, got {'null' if value is None else value}"
            )


def _asked(key: str, words: Iterable[Any], files: Iterable[ConfigFile]) -> list[str]:
    """Where a command sets an option, the one that counts first: on its command line, or in a file and its line."""
    typed = option_values([str(word) for word in words], f"--{key}")
    places = [f"{file.place(key)}: {key}" for file in files if key in file.lines]
    return [*([f"--{key}"] if typed else []), *reversed(places)]


def refuse_other_seeds(words: Iterable[Any], files: Iterable[ConfigFile]) -> None:
    """Refuse a seed of data or module, which that of the run would replace.

    Args:
        words: of the command line.
        files: that it names.

    Raises:
        ValueError: there is one; names the option, or file and line.
    """
    found = [str(word) for word in words if _OTHER_SEED.match(str(word))]
    found += [f"{file.place(key)}: {key}" for file in files for key in ("data.seed", "model.seed") if key in file.lines]
    if found:
        raise ValueError(f"{found[0]}: a run has one seed for data, model and training; set --seed_everything")


def refuse_sampler(words: Iterable[Any], files: Iterable[ConfigFile]) -> None:
    """Refuse Lightning's distributed sampler, which no run has. Runs keep Lightning's default in their config.yaml.

    Args:
        words: of a command line whose settings have the sampler.
        files: that it names.

    Raises:
        ValueError: the command asks for it; names the option, or file and line.
    """
    found = _asked(_SAMPLER, words, (file for file in files if file.path.name != CONFIG_FILE))
    if found:
        raise ValueError(
            f"{found[0]}: has no effect; the data modules divide the batches among the processes. Leave it out"
        )


def refuse_without_test(class_path: str) -> None:
    """Refuse `test` of a module that has none.

    Raises:
        ValueError: the module of this class path is one.
    """
    if resolve_name(class_path).test_step is LightningModule.test_step:
        raise ValueError(
            f"{class_path.rpartition('.')[2]} has no test: a corpus has no test split, and its held-out part selects "
            "the checkpoint. Run `validate` with the same options"
        )


def check_numbers(config: Namespace) -> None:
    """Check what has no check of its own, or one that comes late and does not say which option is meant.

    Args:
        config: settings of a command.

    Raises:
        ValueError: a number is out of range, an option has no effect, or the best checkpoint would not be best.ckpt.
    """
    if config.get("weights_only") is False:
        raise ValueError("--weights_only=false: checkpoints are always loaded without executing code; leave it out")
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
    for name, fixed in FIXED_BEST.items():
        if kept[name] != fixed:
            raise ValueError(
                f"--best_checkpoint.{name}={kept[name]}: a run's best checkpoint is checkpoints/best.ckpt, "
                "from which training can be resumed; leave the option out"
            )
    if kept.mode not in ("min", "max"):
        raise ValueError(f"--best_checkpoint.mode={kept.mode}: expected min or max")
    for name in ("accumulate_grad_batches", "log_every_n_steps", "check_val_every_n_epoch"):
        number = config.trainer[name]
        if number is not None and number < 1:
            raise ValueError(f"--trainer.{name}={number}: expected 1 or more")
    if (tried := config.trainer.num_sanity_val_steps) is not None and tried < -1:
        raise ValueError(f"--trainer.num_sanity_val_steps={tried}: expected 0 or more, or -1 for all batches")
    interval = config.trainer.val_check_interval
    if isinstance(interval, (int, float)) and not (0 < interval <= 1 if isinstance(interval, float) else interval > 0):
        raise ValueError(
            f"--trainer.val_check_interval={interval}: expected a number of batches, 1 or more, or a share of the "
            "epoch, above 0.0 and up to 1.0; --trainer.limit_val_batches=0 switches validation off"
        )
