"""One process at a time: locks on run folders, prepared folders and downloads, which name the process that holds them.

The kernel frees a lock with its process, however that ends. On a network file system it holds between machines where
that supports `flock` (NFS does since Linux 2.6.12, Lustre with the mount option `flock`).
"""

import errno
import json
import os
import shlex
import socket
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from distilkobert.io.disk_errors import said_plainly
from distilkobert.io.files import write_text

LOCK_FILE = ".lock"
_PATIENCE_SECONDS = 20.0
"""Time in which what a killed process has started (loader workers) ends by itself."""


class InUseError(ValueError):
    """Another process works on the same thing."""


@contextmanager
def only_process(lock: Path, subject: str) -> Iterator[None]:
    """Let no other process into this block while this one is in it.

    The lock's file, and one next to it that names this process, are made and removed with it, and so are folders for
    them where nothing else has come into them.

    Args:
        lock: file of the lock.
        subject: what is worked on, for the message to others.

    Raises:
        InUseError: another process is in its block; names it.
        OSError: the lock's file cannot be made or locked.
    """
    lock = lock.absolute()
    missing = [folder for folder in lock.parents if not folder.exists()]
    held, holder = FileLock(lock, thread_local=False), _holder_file(lock)
    try:
        while not _acquire(held, lock, subject):
            pass
        write_text(holder, json.dumps(_this_process()))
        yield
    finally:
        if held.is_locked:
            holder.unlink(missing_ok=True)
            lock.unlink(missing_ok=True)  # while it is held: who waits for it finds it gone, and makes another
            held.release()
        _remove_empty(missing)


def _acquire(held: FileLock, lock: Path, subject: str) -> bool:
    """Take the lock; False where its folder was removed meanwhile, by another process that had made it."""
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        held.acquire(timeout=_PATIENCE_SECONDS if _is_dead(lock) else 0)  # makes the folder too
    except Timeout:
        raise InUseError(f"{subject} is in use by {_described(lock)}. Wait until it has ended, or stop it") from None
    except FileNotFoundError:
        return False
    except (FileExistsError, NotADirectoryError):  # a folder that is removed while `mkdir` looks, or no folder
        if odd := next(filter(_is_something_else, lock.parents), None):
            kind = "a link to a folder that does not exist" if odd.is_symlink() and not odd.exists() else "not a folder"
            raise FileExistsError(f"{subject}: {odd} is {kind}; remove it, or choose another place") from None
        return False
    except (OSError, NotImplementedError) as error:  # filelock has the second where there are no locks at all
        known = error if isinstance(error, OSError) else OSError(errno.ENOSYS, str(error))
        raise OSError(f"{subject} cannot be locked ({lock}): {said_plainly(known)}") from error
    return True


def _is_something_else(folder: Path) -> bool:
    """Whether there is something of the name that is not a folder, such as a link to a folder that does not exist."""
    try:
        mode = folder.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return False
    return not stat.S_ISDIR(mode) and not folder.is_dir()


def _this_process() -> dict[str, str | int]:
    return {
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "since": datetime.now().astimezone().isoformat(timespec="seconds"),
        "command": shlex.join(sys.argv),
    }


def _holder(lock: Path) -> dict[str, str | int]:
    """What the holder has written of itself; empty where it has not yet, or does not any more."""
    try:
        found = json.loads(_holder_file(lock).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _described(lock: Path) -> str:
    holder = _holder(lock)
    if not holder:
        return "another process"
    return f"process {holder.get('pid')} on {holder.get('host')}, since {holder.get('since')} ({holder.get('command')})"


def _is_dead(lock: Path) -> bool:
    """Whether the process that has taken the lock, on this machine, is no more, so that only what it began holds it."""
    holder = _holder(lock)
    if holder.get("host") != socket.gethostname():
        return False
    try:
        os.kill(int(holder["pid"]), 0)
    except ProcessLookupError:
        return True
    except (OSError, KeyError, ValueError):
        return False
    return False


def _holder_file(lock: Path) -> Path:
    return lock.with_name(f"{lock.name}.holder")


def _remove_empty(folders: list[Path]) -> None:
    """Remove folders, innermost first, as far as nothing is in them."""
    for folder in folders:
        try:
            folder.rmdir()
        except OSError:
            return
