"""Trainings in processes of their own, forked from one that has imported everything: to be killed and signalled."""

import multiprocessing
import os
import sys
from collections.abc import Callable, Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from experiments.train import command_line
from tests.support.forkserver import FORKS


class Training:
    """A training that runs.

    Args:
        args: of the command.
        log: file for what it prints.
        folder: its working folder.
        environment: variables that it has besides those of the tests.
        mishap: what goes wrong in it; called before it begins.
        command: of `experiments.train`.
    """

    def __init__(
        self,
        args: Sequence[str],
        log: Path,
        folder: Path,
        environment: dict[str, str] | None = None,
        mishap: Callable[[], None] | None = None,
        command: str = "fit",
    ) -> None:
        self.log = log
        log.touch()
        whole = [str(Path(arg).absolute()) if arg.startswith("configs/") else arg for arg in args]
        arguments = ([command, *whole], str(log), str(folder), environment or {}, mishap)
        self._process: BaseProcess = FORKS.Process(target=_train, args=arguments)
        self._process.start()

    @property
    def sentinel(self) -> int:
        """Ready when it has ended, for `multiprocessing.connection.wait`."""
        return self._process.sentinel

    def kill(self) -> None:
        """End it as a power cut would."""
        self._process.kill()

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
    multiprocessing.set_start_method("fork", force=True)  # for loader workers; a child of the server has its method
    sys.argv = ["train", *args]
    if mishap is not None:
        mishap()
    sys.exit(command_line())
