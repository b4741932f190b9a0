"""Trainings in processes of their own, forked from one that has imported everything: to be killed and signalled.

What goes wrong in one is a mishap: a function of this module, which the process calls before it begins.
"""

import ctypes
import functools
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import lightning_modules.callbacks.last_checkpoint  # noqa: F401 - with all that a training imports
from distilkobert.io import checkpoint_files
from experiments.train import command_line
from lightning_modules import MaskedLanguageModeling

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload([__name__])
# Before the fork server itself is imported: torch's threads do not outlast a fork.
os.environ.setdefault("OMP_NUM_THREADS", "1")


class Training:
    """A training that runs.

    Args:
        args: of `experiments.train fit`.
        log: file for what it prints.
        folder: its working folder.
        environment: variables that it has besides those of the tests.
        mishap: what goes wrong in it.
    """

    def __init__(
        self,
        args: Sequence[str],
        log: Path,
        folder: Path,
        environment: dict[str, str] | None = None,
        mishap: Callable[[], None] | None = None,
    ) -> None:
        self.log = log
        log.touch()
        whole = [str(Path(arg).absolute()) if arg.startswith("configs/") else arg for arg in args]
        arguments = (whole, str(log), str(folder), environment or {}, mishap)
        self._process: BaseProcess = _FORKS.Process(target=_train, args=arguments)
        self._process.start()

    @property
    def pid(self) -> int:
        """Its number; it leads a process group of its own."""
        assert self._process.pid is not None
        return self._process.pid

    def code(self, seconds: float = 200) -> int:
        """Wait for its end; the exit code as a shell has it: 128 + n of a process that signal n has ended."""
        self._process.join(seconds)
        if self._process.exitcode is None:
            self._process.kill()
            raise TimeoutError(f"still running after {seconds} s:\n{self.log.read_text()}")
        return self._process.exitcode if self._process.exitcode >= 0 else 128 - self._process.exitcode


def _train(args: list[str], log: str, folder: str, environment: dict[str, str], mishap: Any) -> None:
    os.setsid()
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(out, stream)
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = ["train", "fit", *args]
    if mishap is not None:
        mishap()
    sys.exit(command_line())


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
        module, name = ((os, "fsync"), (Path, "replace"), (checkpoint_files, "_sync_folder"))[place - 2]
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


def signal_itself(number: int, *calls: int, hook: str = "training_step") -> None:
    """Send this process a signal when the module's hook is called for these times, counted from 0."""
    original, count = getattr(MaskedLanguageModeling, hook), [0]

    def signalled(self: MaskedLanguageModeling, *args: Any, **kwargs: Any) -> Any:
        if count[0] in calls:
            os.kill(os.getpid(), number)
        count[0] += 1
        return original(self, *args, **kwargs)

    setattr(MaskedLanguageModeling, hook, signalled)


def hang_after(steps: int) -> None:
    """Hang in foreign code, from which no handler of a signal is called, when a step after so many begins."""
    original, count = MaskedLanguageModeling.training_step, [0]

    def hanging(self: MaskedLanguageModeling, *args: Any, **kwargs: Any) -> Any:
        if count[0] == steps:
            os.write(2, b"hanging\n")
            lock = ctypes.create_string_buffer(128)  # a mutex, all zero
            for _ in range(2):
                ctypes.CDLL(None).pthread_mutex_lock(lock)
        count[0] += 1
        return original(self, *args, **kwargs)

    MaskedLanguageModeling.training_step = hanging  # type: ignore[method-assign]


def die() -> None:
    """End this process as a power cut would."""
    os.kill(os.getpid(), signal.SIGKILL)
