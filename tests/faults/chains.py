"""Trainings that are killed and resumed, each in a process forked from one that has imported everything."""

import multiprocessing
import os
import shutil
import signal
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import datasets.packaged_modules  # noqa: F401 - what a training imports when it needs it: here it is done once
import pytorch_lightning as pl
import tensorboard.plugins.hparams.metadata  # noqa: F401
import torch.utils.tensorboard  # noqa: F401

from experiments._shared import trainer_cli
from experiments.train import command_line
from lightning_modules.callbacks import RunRecord

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload([__name__])
# Before the fork server imports torch, whose threads do not outlast a fork.
os.environ.setdefault("OMP_NUM_THREADS", "1")

SECONDS = 240


@dataclass(frozen=True)
class Cut:
    """The moment at which a training is killed: the n-th call of a hook, counted from its start.

    Args:
        hook: of callbacks; or `after_fit`, where the weights of the end are measured, or `write_end`, behind that.
        call: number of the call, from 1.
        first: before all other callbacks, not behind them.
    """

    hook: str
    call: int = 1
    first: bool = False


class Killer(pl.Callback):
    """Ends this process as a power cut would."""

    def __init__(self, cut: Cut) -> None:
        self.calls = 0

        def count(trainer: pl.Trainer, *_: Any) -> None:
            self.calls += not trainer.sanity_checking
            if self.calls == cut.call:
                os.kill(os.getpid(), signal.SIGKILL)

        setattr(self, cut.hook, count)


def train(args: Sequence[str], log: Path, cut: Cut | None = None, processes: int = 1) -> bool:
    """Run `experiments.train fit` until its end or the cut; whether it has come to its end.

    Of several processes the first is killed, and the others with it.

    Raises:
        AssertionError: it has failed.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    ranks: list[BaseProcess] = []
    for rank in range(processes):
        # What torchrun says to the processes it starts.
        group: dict[str, int | str] = {
            "RANK": rank,
            "LOCAL_RANK": rank,
            "WORLD_SIZE": processes,
            "LOCAL_WORLD_SIZE": processes,
        }
        group |= {"GROUP_RANK": 0, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "TORCHELASTIC_RUN_ID": "chain"}
        environment = {name: str(value) for name, value in group.items()} if processes > 1 else {}
        arguments = (list(args), str(log), environment, cut if rank == 0 else None)
        ranks.append(_FORKS.Process(target=_run, args=arguments))
        ranks[-1].start()
    first = ranks[0]
    ended = wait([rank.sentinel for rank in ranks], SECONDS)
    if first.sentinel in ended or (ended and all(rank.exitcode in (0, None) for rank in ranks)):
        first.join(SECONDS)
    for rank in ranks:
        if first.exitcode != 0:
            rank.kill()
        rank.join(SECONDS)
    killed = cut is not None and first.exitcode == -signal.SIGKILL
    assert killed or [rank.exitcode for rank in ranks] == [0] * processes, log.read_text(encoding="utf-8")[-3000:]
    return not killed


def _run(args: list[str], log: str, environment: dict[str, str], cut: Cut | None) -> None:
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(out, stream)
    os.environ.update(environment)
    multiprocessing.set_start_method("fork", force=True)  # for loader workers; a child of the server has its method
    if cut is not None:
        _plan(cut)
    sys.argv = ["train", "fit", *args]
    sys.exit(command_line())


def _plan(cut: Cut) -> None:
    def die(*_: Any) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    if cut.hook == "after_fit":
        trainer_cli.keep_if_best = die  # type: ignore[assignment]
        return
    if cut.hook == "write_end":
        RunRecord.write_end = die  # type: ignore[method-assign]
        return
    made = trainer_cli.TrainerCLI.instantiate_trainer

    def instantiate(self: trainer_cli.TrainerCLI, **options: Any) -> pl.Trainer:
        trainer = made(self, **options)
        callbacks: list[pl.Callback] = trainer.callbacks  # type: ignore[attr-defined]
        callbacks.insert(0 if cut.first else len(callbacks), Killer(cut))
        return trainer

    trainer_cli.TrainerCLI.instantiate_trainer = instantiate  # type: ignore[method-assign]


def resumed(folder: Path, args: Sequence[str], *more: str, start: str = "last") -> list[str]:
    """The arguments that go on with a run: from its checkpoint, or from nothing where it has none."""
    checkpoint = folder / "checkpoints" / f"{start}.ckpt"
    if not checkpoint.is_file():
        checkpoint = folder / "checkpoints" / "last.ckpt"
    if not checkpoint.is_file():
        shutil.rmtree(folder, ignore_errors=True)
        return [*args, *more]
    return ["-c", str(folder / "config.yaml"), f"--ckpt_path={checkpoint}", *more]
