"""THE trainer script: fit, validate, test and predict, for every module and every recipe.

    python -m experiments.train fit -c configs/distill/distilkobert.yaml [-c OVERLAY ...] [--key=value ...]
    python -m experiments.train validate -c runs/distilkobert/base_seed42/config.yaml --ckpt_path CHECKPOINT

Later `-c` files and options win over earlier ones. `--print_config` shows the result without running it.
"""

import logging
import sys
import warnings
from collections.abc import Sequence

import pytorch_lightning as pl
import torch
from transformers.utils import logging as transformers_logging

from experiments.cli import RunConfig, StrictParser, TrainerCLI
from experiments.commandline import run_command


def main(args: Sequence[str] | None = None) -> TrainerCLI:
    """Run one command; `args` are those after the program's name, None takes the process' own."""
    quieten()
    torch.set_float32_matmul_precision("high")
    return TrainerCLI(
        pl.LightningModule,
        pl.LightningDataModule,
        subclass_mode_model=True,
        subclass_mode_data=True,
        save_config_callback=RunConfig,
        parser_class=StrictParser,
        auto_configure_optimizers=False,
        args=None if args is None else list(args),
    )


def quieten() -> None:
    """Silence what other libraries say about things that are intended here."""
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    logging.getLogger("pytorch_lightning.utilities.rank_zero").addFilter(lambda r: "litlogger" not in r.getMessage())
    # Batches come whole from the datamodule, so the loader has no batch_size for Lightning to read; few workers are
    # enough because a batch is one memory-mapped read; task modules move their batches themselves, because Lightning
    # would look for tensors inside the plain objects of a batch.
    expected = (
        "does not have many workers",
        "Trying to infer the `batch_size`",
        "overridden `transfer_batch_to_device`",
    )
    for message in expected:
        warnings.filterwarnings("ignore", message=f".*{message}.*")


if __name__ == "__main__":
    sys.exit(run_command(main))
