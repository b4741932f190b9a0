"""A run taken up again from its folder to be measured: module, weights of a checkpoint, data; nothing is written."""

import warnings
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from distilkobert.io.run_files import CONFIG_FILE

_ALONE = (
    "--trainer.fast_dev_run=true", "--trainer.accelerator=cpu", "--trainer.devices=1", "--trainer.strategy=auto",
    "--trainer.enable_progress_bar=false", "--verbose=false",
)  # fmt: skip
"""Options of an evaluation in this process that writes nothing."""


def load_run(checkpoint: Path, overrides: Sequence[str]) -> tuple[Any, Any]:
    """The module of a run with a checkpoint's weights, in evaluation mode, and its data module.

    Args:
        checkpoint: in the run's folder.
        overrides: options of `experiments.train`, for data that has moved.

    Raises:
        FileNotFoundError: there is no configuration next to the checkpoint's folder.
        ValueError: the trainer refuses what is asked.
    """
    from distilkobert.stop_signals import StopSignals
    from experiments._shared.trainer_cli import TRAINER_OPTIONS, TrainerCLI

    config = checkpoint.parent.parent / CONFIG_FILE
    if not config.is_file():
        raise FileNotFoundError(
            f"--checkpoint={checkpoint}: {config} does not exist; give a checkpoint in a run's folder"
        )
    words = ["validate", "-c", str(config), f"--ckpt_path={checkpoint}", *overrides, *_ALONE]
    with ExitStack() as held, warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*args parameter is intended.*")
        cli = TrainerCLI(
            held.enter_context(StopSignals()), held, **TRAINER_OPTIONS, save_config_callback=None, args=words
        )
    cli.model.train(False)  # Lightning has left it as it was before the validation
    return cli.model, cli.datamodule
