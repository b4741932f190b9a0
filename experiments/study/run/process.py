"""One command of a study in a fresh process: its output in a file, and no way to outlive the worker unseen."""

import contextlib
import ctypes
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

PYTHON: tuple[str, ...] = (sys.executable, "-m")
"""Start of the command line, up to the name of the module."""

_PR_SET_PDEATHSIG = 1  # Linux, sys/prctl.h


class Child:
    """A running command.

    It has a process group of its own, so an interrupt at the terminal reaches it through the worker alone. It inherits
    the lock of its run; on Linux it is killed when the worker dies, elsewhere the lock stays with it until it ends.

    Args:
        args: the arguments of the command.
        launcher: the words before them.
        log: file that its output is appended to.
        lock: descriptor of the run's lock.
        environment: its environment.
    """

    def __init__(
        self, args: Sequence[str], launcher: Sequence[str], log: Path, lock: int, environment: Mapping[str, str]
    ) -> None:
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            output.write(f"\n$ python -m {shlex.join(args)}\n".encode())
            output.flush()
            self._process = subprocess.Popen(
                [*launcher, *args],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(environment),
                pass_fds=(lock,),
                start_new_session=True,
                preexec_fn=_die_with(os.getpid()),
            )

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


def _die_with(parent: int) -> Callable[[], None] | None:
    """What the child does before it becomes the command: ask Linux to be killed with its parent."""
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
