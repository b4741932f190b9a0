"""THE trainer script: fit, validate, test and predict, for every module and every recipe.

    python -m experiments.train fit -c configs/distill/distilkobert.yaml [-c OVERLAY ...] [--key=value ...]
    python -m experiments.train test --ckpt_path=runs/nsmc/base_seed42/checkpoints/best.ckpt

Later `-c` files and options win over earlier ones. `--print_config` shows the result without running it.
"""

import gc
import sys
from collections.abc import Sequence
from contextlib import ExitStack

import torch
import torch.distributed as dist
from lightning_fabric.utilities.exceptions import MisconfigurationException

from distilkobert.stop_signals import StopSignals
from experiments._shared.commandline import run_command
from experiments._shared.quiet import quieten_lightning, quieten_transformers
from experiments._shared.run.folder import RunConfig
from experiments._shared.run.launching import is_first_process
from experiments._shared.run.resuming import AlreadyFinished
from experiments._shared.trainer_cli import TRAINER_OPTIONS, TrainerCLI
from experiments._shared.training.class_help import class_help
from experiments._shared.training.own_config import with_own_config
from experiments._shared.training.parser import COMMANDS

PROGRAM = "python -m experiments.train"
USAGE = f"{PROGRAM} {{}} -c CONFIG [-c OVERLAY ...] [--key=value ...]"
"""Instead of a page of option names above the list of the same options."""


def main(args: Sequence[str] | None = None) -> TrainerCLI | None:
    """Run one command; `args` are those after the program's name, None takes the process' own.

    Returns:
        What has run; None where `--run.resume=auto` has found nothing left to do, or help on classes was printed.

    Raises:
        StoppedBySignal: a signal has stopped it, in training behind a whole step that is saved.
    """
    quieten_transformers()
    quieten_lightning()
    torch.set_float32_matmul_precision("high")
    if page := class_help(sys.argv[1:] if args is None else args):
        print(page)
        return None
    pages = {name: {"usage": USAGE.format(name), "description": COMMANDS[name]} for name in TrainerCLI.subcommands()}
    words = with_own_config(sys.argv[1:] if args is None else args)
    if args is None:
        sys.argv[1:] = words  # what other processes of the run are started with
    try:
        with ExitStack() as held:
            return TrainerCLI(
                held.enter_context(StopSignals()),
                held,
                **TRAINER_OPTIONS,
                parser_kwargs={"prog": PROGRAM, "description": __doc__, **pages},
                save_config_callback=RunConfig,
                args=None if args is None else words,
            )
    except AlreadyFinished as end:
        if is_first_process():
            print(end)
        return None
    except MisconfigurationException as error:  # what Lightning finds wrong with its own options
        raise ValueError(str(error)) from error


def command_line() -> int:
    """Run the process' own command line and leave the other processes of the run; returns the exit code.

    Lightning leaves a group of CPU processes (gloo) to the interpreter's end. There a thread of gloo that still holds a
    tensor aborts the process (pytorch/pytorch#179291), and a launcher takes a finished run for a failed one.
    """
    code = run_command(main)
    if dist.is_available() and dist.is_initialized():
        dist.destroy_process_group()
        gc.collect()  # whatever a cycle still holds of the group would keep its threads
    return code


if __name__ == "__main__":
    sys.exit(command_line())
