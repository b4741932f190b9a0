"""What goes wrong in a training that a test has forked: a function here is called before the training begins."""

import ctypes
import functools
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch

from distilkobert.io import checkpoint_files
from experiments._shared import trainer_cli
from lightning_modules import MaskedLanguageModeling
from lightning_modules.callbacks import RunRecord


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
                die()

        setattr(self, cut.hook, count)


def kill_at(cut: Cut) -> None:
    """Kill this process at a moment of its training."""
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


def kill_in_write(place: int, files: int) -> None:
    """Kill this process inside a write: of the n-th checkpoint from now, in the middle, or before or after the rename.

    Args:
        place: 0 and 1 among the bytes, 2 before they are brought to the disk, 3 before the rename, 4 behind it.
        files: how many checkpoints are written whole before.
    """
    begun, written, write = [0], [0], checkpoint_files._SummedStream._stream_write

    def counted(self: Any, block: Any) -> None:
        if self._stream not in seen:
            seen.append(self._stream)
            begun[0], written[0] = begun[0] + 1, 0
        write(self, block)
        written[0] += 1
        if begun[0] > files and written[0] == (3, 40)[place]:
            self._stream.flush()
            die()

    seen: list[Any] = []
    if place < 2:
        checkpoint_files._SummedStream._stream_write = counted  # type: ignore[method-assign]
    else:
        module, name = ((os, "fsync"), (Path, "replace"), (checkpoint_files, "sync"))[place - 2]
        original, calls = getattr(module, name), [0]

        @functools.wraps(original)
        def called(*arguments: Any) -> Any:
            mine = name != "replace" or str(arguments[1]).endswith(".ckpt")
            if name == "fsync":
                mine = Path(f"/proc/self/fd/{arguments[0]}").readlink().name.endswith(".ckpt.partial")
            calls[0] += mine
            if mine and calls[0] > files:
                die()
            return original(*arguments)

        setattr(module, name, called)


def signal_itself(number: int, *calls: int) -> None:
    """Send this process a signal when it trains on these micro-batches, counted from 0."""
    _before_micro_batches(lambda count: os.kill(os.getpid(), number) if count in calls else None)


def hang_after(batches: int) -> None:
    """Hang in foreign code, from which no handler of a signal is called, when a micro-batch after so many begins."""

    def hang(count: int) -> None:
        if count == batches:
            os.write(2, b"hanging\n")
            lock = ctypes.create_string_buffer(128)  # a mutex, all zero
            for _ in range(2):
                ctypes.CDLL(None).pthread_mutex_lock(lock)

    _before_micro_batches(hang)


def delay_step(batch: int, seconds: float) -> None:
    """Let this process be late at a micro-batch, counted from 0."""
    _before_micro_batches(lambda count: time.sleep(seconds) if count == batch else None)


def _before_micro_batches(act: Callable[[int], None]) -> None:
    """Call `act` with the number of each micro-batch that is trained on; tries without gradients do not count."""
    original, count = MaskedLanguageModeling.training_step, [0]

    def step(self: MaskedLanguageModeling, *args: Any, **kwargs: Any) -> Any:
        if torch.is_grad_enabled():
            act(count[0])
            count[0] += 1
        return original(self, *args, **kwargs)

    MaskedLanguageModeling.training_step = step  # type: ignore[method-assign]


def die(*_: Any) -> None:
    """End this process as a power cut would."""
    os.kill(os.getpid(), signal.SIGKILL)
