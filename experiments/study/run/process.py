"""One command of a study in a process of its own: its output in a file, and no way to outlive the worker unseen."""

import contextlib
import ctypes
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

PYTHON: tuple[str, ...] = (sys.executable, "-m")
"""Start of the command line, up to the name of the module."""

_PR_SET_PDEATHSIG = 1  # Linux, sys/prctl.h


class Process(Protocol):
    """What is used of a `subprocess.Popen`; it leads a process group of its own."""

    @property
    def pid(self) -> int:
        """Its number."""

    def poll(self) -> int | None:
        """The exit code, negative for the signal that ended it; None while it runs."""

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the exit code.

        Raises:
            subprocess.TimeoutExpired: it still runs.
        """


Start = Callable[[Sequence[str], IO[bytes], int], Process]
"""Starts a command from its arguments, the file for its output and the descriptor of its run's lock, which it inherits;
on Linux it is killed when the worker dies, elsewhere the lock stays with it until it ends."""


@dataclass(frozen=True)
class Fresh:
    """Starts commands as new processes.

    Args:
        launcher: the words before the command.
        environment: of the command.
    """

    launcher: Sequence[str]
    environment: Mapping[str, str]

    def __call__(self, args: Sequence[str], output: IO[bytes], lock: int) -> Process:
        """See `Start`."""
        return subprocess.Popen(
            [*self.launcher, *args],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(self.environment),
            pass_fds=(lock,),
            start_new_session=True,
            preexec_fn=die_with(os.getpid()),
        )


class Child:
    """A running command; an interrupt at the terminal reaches it through the worker alone.

    Args:
        args: the arguments of the command.
        start: starts it.
        log: file that its output is appended to.
        lock: descriptor of the run's lock.

    Raises:
        OSError: the log cannot be written; names it. Nothing is started.
    """

    def __init__(self, args: Sequence[str], start: Start, log: Path, lock: int) -> None:
        from distilkobert.io.disk_errors import named_place  # here: forked commands read our modules anew

        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab", buffering=0) as output:
            with named_place(log):
                output.write(f"\n$ python -m {shlex.join(args)}\n".encode())
            self._process = start(args, output, lock)

    def ended(self) -> int | None:
        """The exit code, negative for the signal that ended it; None while it runs."""
        return self._process.poll()

    def interrupt(self) -> None:
        """Ask it to stop, as Ctrl-C does."""
        self._signal(signal.SIGINT)

    def kill(self) -> None:
        """Stop it at once."""
        self._signal(signal.SIGKILL)
        self._process.wait()

    def wait(self, seconds: float) -> bool:
        """Wait for its end; False where it still runs."""
        try:
            self._process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def _signal(self, number: signal.Signals) -> None:
        if self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)


def die_with(parent: int) -> Callable[[], None] | None:
    """What a child of `parent` does before it becomes the command: ask Linux to be killed with it."""
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None, use_errno=True)

    def ask() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before the request
            os._exit(1)

    return ask


def tail(log: Path, lines: int = 15, size: int = 4000) -> str:
    """The last lines of a log, `size` bytes at most."""
    with log.open("rb") as stream:
        stream.seek(0, os.SEEK_END)
        stream.seek(max(0, stream.tell() - size))
        text = stream.read().decode("utf-8", errors="replace")
    return "\n".join(text.rstrip().splitlines()[-lines:])
