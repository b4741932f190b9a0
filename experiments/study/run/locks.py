"""Locks that a killed process cannot leave behind: the kernel holds them for as long as a process has the file open."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class FileLock:
    """A lock on a file.

    It belongs to the open file, not to the process: a child that inherits the descriptor holds it as well, so the lock
    is free once all of them have ended, however they ended. On a network file system it holds between machines where
    the file system supports flock (NFS does since Linux 2.6.12, Lustre with the mount option `flock`).

    Args:
        path: the file; made where missing, never removed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    def try_acquire(self) -> bool:
        """Take the lock alone, if nobody has it."""
        return self._lock(fcntl.LOCK_EX | fcntl.LOCK_NB)

    def try_share(self) -> bool:
        """Take the lock shared with others, if nobody has it exclusively."""
        return self._lock(fcntl.LOCK_SH | fcntl.LOCK_NB)

    def acquire(self) -> bool:
        """Take the lock alone, waiting for it. Optuna's journal expects the names of this and of `release`."""
        return self._lock(fcntl.LOCK_EX)

    def release(self) -> None:
        """Give the lock back, as far as this process holds it."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    @property
    def descriptor(self) -> int:
        """Descriptor for a child to inherit.

        Raises:
            RuntimeError: the lock is not held.
        """
        if self._descriptor is None:
            raise RuntimeError(f"the lock {self.path} is not held")
        return self._descriptor

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the lock during a block, waiting for it first."""
        self.acquire()
        try:
            yield
        finally:
            self.release()

    def _lock(self, operation: int) -> bool:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(descriptor, operation)
        except BlockingIOError:
            os.close(descriptor)
            return False
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor
        return True
