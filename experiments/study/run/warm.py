"""Commands forked from a process that has imported the libraries, so that none of them imports these again.

The imports take several seconds of processor time, which is more than a small run needs to train. The project's own
modules are not among them: every command reads these anew, as a new process does.
"""

import contextlib
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from experiments.study.run.process import Fresh, Process, die_with

LIBRARIES = (
    "datasets",
    "pytorch_lightning.cli",
    "torch.utils.tensorboard",
    "tensorboard.plugins.hparams.metadata",
    "transformers.models.auto.modeling_auto",
    "transformers.models.bert.modeling_bert",
    "transformers.models.distilbert.modeling_distilbert",
)
_SIZE = 1 << 17
"""Bytes of the longest message."""
_PAUSE = 0.05
"""Seconds between two looks at what has ended."""


class Warm:
    """Starts commands as forks of a server, which starts with the first one; as new processes if the server has ended.

    Linux only: elsewhere the libraries do not survive a fork.

    Args:
        fresh: starts new processes.
    """

    def __init__(self, fresh: Fresh) -> None:
        self._fresh = fresh
        self._running: dict[int, _Forked] = {}
        self._socket, self._theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._server: Process | None = None
        self._alive = True

    def __call__(self, args: Sequence[str], output: IO[bytes], lock: int) -> Process:
        """See `Start`."""
        if self._server is None:
            with self._theirs, Path(os.devnull).open("wb") as nothing:  # what imports print, every command would print
                number = self._theirs.fileno()
                self._server = self._fresh((__name__, str(number)), nothing, number)
            self._receive()  # that it has imported the libraries
        with contextlib.suppress(ConnectionError):  # it has ended, which the next call sees
            socket.send_fds(self._socket, [json.dumps(list(args)).encode()], [output.fileno(), lock])
        while (message := self._receive()) is not None:
            if message["pid"] not in self._running:
                forked = self._running[message["pid"]] = _Forked(message["pid"], self)
                if "code" in message:  # it was killed before it could say anything
                    self._end(message)
                return forked
            self._end(message)
        return self._fresh(args, output, lock)

    def close(self) -> None:
        """End the server, and what it has forked with it."""
        self._socket.close()
        self._theirs.close()
        if self._server is not None and self._server.poll() is None:
            os.kill(self._server.pid, signal.SIGKILL)
            self._server.wait()

    def take_ends(self) -> None:
        """Note the exit codes that the server has sent; all that ran has been killed with it if it has ended."""
        while self._alive and select.select([self._socket], [], [], 0)[0]:
            message = self._receive()
            if message is not None:
                self._end(message)

    def _receive(self) -> dict[str, Any] | None:
        """Wait for a message of the server; None where it has ended."""
        try:
            data = self._socket.recv(_SIZE) if self._alive else b""
        except ConnectionError:
            data = b""
        if data:
            message: dict[str, Any] = json.loads(data)
            return message
        self._alive = False
        for forked in self._running.values():
            forked.code = -signal.SIGKILL
        self._running.clear()
        return None

    def _end(self, message: dict[str, Any]) -> None:
        """Note an exit code; what the server says of a start that was interrupted is of no running command."""
        if "code" in message and (forked := self._running.pop(message["pid"], None)):
            forked.code = message["code"]


class _Forked:
    """A command that the server has forked."""

    def __init__(self, pid: int, warm: Warm) -> None:
        self.pid = pid
        self.code: int | None = None
        self._warm = warm

    def poll(self) -> int | None:
        """See `Process`."""
        self._warm.take_ends()
        return self.code

    def wait(self, timeout: float | None = None) -> int:
        """See `Process`."""
        deadline = time.monotonic() + (float("inf") if timeout is None else timeout)
        while self.poll() is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0.0)
            time.sleep(_PAUSE)
        assert self.code is not None
        return self.code


def _serve(connection: socket.socket) -> list[str]:
    """Fork for every request and send the exit codes; returns in the forked processes, with the command.

    Signals to all processes of a job are for the commands, which would be killed with the server.
    """
    server, running = os.getpid(), set[int]()
    stopping = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    handlers = {number: signal.signal(number, signal.SIG_IGN) for number in stopping}
    while True:
        if select.select([connection], [], [], _PAUSE if running else None)[0]:
            message, descriptors, _, _ = socket.recv_fds(connection, _SIZE, 2)
            if not message:
                sys.exit()
            output, lock = descriptors
            if pid := os.fork():
                running.add(pid)
                os.close(output)
                os.close(lock)
            else:
                os.setsid()
                for number, handler in handlers.items():
                    signal.signal(number, handler)
                if ask := die_with(server):
                    ask()
                for stream in (1, 2):
                    os.dup2(output, stream)
                os.close(output)
                connection.send(json.dumps({"pid": os.getpid()}).encode())  # it can be signalled from now on
                connection.close()
                words: list[str] = json.loads(message)
                return words
        for pid in list(running):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                running.remove(pid)
                code = os.waitstatus_to_exitcode(status)
                connection.send(json.dumps({"pid": pid, "code": code}).encode())


def main() -> None:
    """Import the libraries, serve, and become the command that was asked for."""
    connection = socket.socket(fileno=int(sys.argv[1]))
    for name in LIBRARIES:
        with contextlib.suppress(ImportError):  # the command that needs it will say so
            importlib.import_module(name)
    connection.send(json.dumps({"ready": True}).encode())
    module, *arguments = _serve(connection)
    sys.argv = [sys.argv[0], *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
