"""THE trainer script: fit, validate, test and predict, for every module and every recipe.

    python -m experiments.train fit -c configs/distill/distilkobert.yaml [-c OVERLAY ...] [--key=value ...]
    python -m experiments.train validate -c runs/distilkobert/base_seed42/config.yaml --ckpt_path CHECKPOINT

Later `-c` files and options win over earlier ones. `--print_config` shows the result without running it.
"""

import sys
from collections.abc import Sequence

import torch
from pytorch_lightning.utilities.exceptions import MisconfigurationException

from experiments.cli import TRAINER_OPTIONS, TrainerCLI
from experiments.commandline import run_command
from experiments.quiet import quieten_lightning, quieten_transformers
from experiments.run_folder import RunConfig

PROGRAM = "python -m experiments.train"
USAGE = f"{PROGRAM} {{}} -c CONFIG [-c OVERLAY ...] [--key=value ...]"
"""Instead of a page of option names above the list of the same options."""


def main(args: Sequence[str] | None = None) -> TrainerCLI:
    """Run one command; `args` are those after the program's name, None takes the process' own."""
    quieten_transformers()
    quieten_lightning()
    torch.set_float32_matmul_precision("high")
    usages = {name: {"usage": USAGE.format(name)} for name in TrainerCLI.subcommands()}
    try:
        return TrainerCLI(
            **TRAINER_OPTIONS,
            parser_kwargs={"prog": PROGRAM, "description": __doc__, **usages},
            save_config_callback=RunConfig,
            args=None if args is None else list(args),
        )
    except MisconfigurationException as error:  # what Lightning finds wrong with its own options
        raise ValueError(str(error)) from error


if __name__ == "__main__":
    sys.exit(run_command(main))
