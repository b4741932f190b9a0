"""Standard streams that are closed, or whose reader has gone (`| head`): a command does its work without them."""

import errno
import io
import os
import sys
from pathlib import Path
from typing import Any, Final

_GONE: Final = (errno.EPIPE, errno.EIO)
"""The reader of a pipe has ended; the terminal has."""


class _Patient(io.FileIO):
    """A descriptor that leads to the null device once nobody reads it."""

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except OSError as error:
            if error.errno not in _GONE:
                raise
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, self.fileno())
            os.close(null)
            return super().write(data)


def patient_streams(*, stdout: bool = True) -> None:
    """Let closed standard streams read and write nothing, and let output be dropped that nobody reads any more.

    Args:
        stdout: whether standard output is dropped too; without, writing to it raises `BrokenPipeError`.
    """
    for number in range(3):  # or the next file that is opened gets the number, and whatever is printed
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    null = Path(os.devnull)
    if sys.stdin is None:
        sys.stdin = null.open(encoding="utf-8")
    for name, number in (("stdout", 1), ("stderr", 2)):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, null.open("w", encoding="utf-8"))
        # A stream of another kind is a test's.
        elif (stdout or number == 2) and stream is getattr(sys, f"__{name}__") and isinstance(stream, io.TextIOWrapper):
            setattr(sys, name, _patient_copy(stream, number))


def _patient_copy(stream: io.TextIOWrapper, number: int) -> io.TextIOWrapper:
    raw = io.BufferedWriter(_Patient(number, "wb", closefd=False))
    return io.TextIOWrapper(
        raw,
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )
