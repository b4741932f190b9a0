"""Let the trainer's own classes refuse the values of a command. No data is read, no network built."""

import logging
import warnings
from functools import cache
from pkgutil import resolve_name
from typing import Any, Final

import pytorch_lightning as pl
from jsonargparse import ArgumentParser, Namespace
from lightning_fabric.plugins.environments.lightning import LightningEnvironment
from lightning_fabric.utilities.exceptions import MisconfigurationException
from pytorch_lightning.callbacks import ModelCheckpoint

from distilkobert.tasks.modes import wrong_mode
from experiments._shared.command_checks import check_numbers, refuse_without_test
from experiments._shared.commandline import plain_cause
from experiments._shared.quiet import only_from
from experiments._shared.run_callbacks import CALLBACKS, SETTINGS
from experiments._shared.training.objective_errors import named_objective
from experiments._shared.training.trainer_checks import check_trainer
from lightning_modules.callbacks import Length

_LEFT_OUT: Final = (
    "accelerator", "strategy", "devices", "num_nodes", "precision", "plugins",  # only the run's machine can check them
    "deterministic", "benchmark",  # they would hold in this process
    "logger", "callbacks", "profiler", "default_root_dir",  # made where the run writes
)  # fmt: skip
"""Options of Lightning's trainer that are not checked."""

_LOGGER: Final = "pytorch_lightning.utilities.rank_zero"


def check_values(config: Namespace) -> None:
    """Check the values of a command by making what is cheap: groups of settings, objectives, Lightning's trainer.

    Modules and data of this project check their own settings (`check_settings`), other classes none.

    Args:
        config: the settings of `fit`, as parsed.

    Raises:
        ValueError: the command would refuse a value, or values that contradict each other; in its words.
    """
    try:
        with only_from(logging.ERROR, _LOGGER), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            check_numbers(config)
            check_trainer(config.trainer)
            Length.asked(config.trainer).total(1)  # whether it has an end
            for name, group in {**SETTINGS, **CALLBACKS}.items():
                group(**_made(group, config[name]))
            for part in (config.data, config.model):
                kind = resolve_name(part.class_path)
                if (check := getattr(kind, "check_settings", None)) is not None:
                    check(_made(kind, part.init_args))
                if (check := getattr(kind, "check_trainer", None)) is not None:
                    check(config.trainer)
            _check_modes(config)
            _check_lightning(config.trainer)
    except MisconfigurationException as error:
        raise ValueError(str(error)) from error
    except ValueError as error:
        named = named_objective(plain_cause(error), config.model.init_args.get("objectives"))
        raise ValueError(str(named)) from error


def check_tested(config: Namespace) -> None:
    """Refuse a fine-tuning whose `test` would fail: it has no test, or leaves no best.ckpt, which also teaches.

    Args:
        config: the settings of `fit`, as parsed.

    Raises:
        ValueError: names the option, or the module.
    """
    refuse_without_test(config.model.class_path)
    found = (
        "best_checkpoint.save_top_k=0" if config.best_checkpoint.save_top_k == 0
        else "best_checkpoint.monitor=null" if config.best_checkpoint.monitor is None
        else "trainer.limit_val_batches=0" if config.trainer.limit_val_batches == 0
        else ""
    )  # fmt: skip
    if found:
        raise ValueError(f"--{found}: leaves no best.ckpt, which the study tests; leave the option out")


def _check_modes(config: Namespace) -> None:
    """Refuse a choice of the worst checkpoint, and an early stop where the metric gets better."""
    asked = config.trainer.callbacks
    callbacks = [one for one in (asked if isinstance(asked, list) else [asked]) if isinstance(one, Namespace)]
    stopping = [one.init_args for one in callbacks if one.class_path.rpartition(".")[2] == "EarlyStopping"]
    for option, own in (("best_checkpoint", config.best_checkpoint), *(("EarlyStopping", own) for own in stopping)):
        if wrong := wrong_mode(option, own.monitor, own.mode):
            raise ValueError(wrong)


def _check_lightning(trainer: Namespace) -> None:
    if trainer.fast_dev_run:
        raise ValueError("--trainer.fast_dev_run: leaves no checkpoint, which the study needs; leave the option out")
    options = {name: value for name, value in vars(trainer).items() if name not in _LEFT_OUT}
    here = LightningEnvironment()  # a cluster's job may have several tasks
    pl.Trainer(**options, accelerator="cpu", devices=1, plugins=here, logger=False, callbacks=[ModelCheckpoint()])


def _made(kind: type, settings: Namespace) -> dict[str, Any]:
    """Settings of a class as its constructor takes them: groups and classes among them are made."""
    own = Namespace(own=settings.clone())  # type: ignore[no-untyped-call]
    return dict(vars(_parser_of(kind).instantiate(own).own))


@cache
def _parser_of(kind: type) -> ArgumentParser:
    parser = ArgumentParser(exit_on_error=False)
    parser.add_class_arguments(kind, "own", instantiate=False, fail_untyped=False)
    return parser
