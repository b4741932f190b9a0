"""Processes forked from one that has imported everything: as new to a test as a new interpreter, but at once there."""

import multiprocessing
import os
from collections.abc import Callable

import datasets.packaged_modules  # noqa: F401 - what a training imports when it needs it: here it is done once
import tensorboard.plugins.hparams.metadata  # noqa: F401
import torch.multiprocessing
import torch.utils.tensorboard

import experiments.train  # noqa: F401
import lightning_modules.callbacks.checkpoints.last  # noqa: F401

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload([__name__])
# Before the fork server itself is imported: torch's threads do not outlast a fork.
os.environ.setdefault("OMP_NUM_THREADS", "1")


def run_two(work: Callable[..., None], *args: object) -> None:
    """Call a function of a module in two processes, with the number of each and `args`, and wait for both.

    Raises:
        torch.multiprocessing.ProcessRaisedException: one of them has failed.
    """
    torch.multiprocessing.start_processes(work, args, nprocs=2, start_method="forkserver")
