"""Errors of the file system with what a user needs: which file or folder, what is wrong, and what to do."""

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_SPACE: Final = "make space there, or choose another place"
_WRITABLE: Final = "allow writing there, or use another place (or a copy) that can be written"
_REMEDIES: Final = {
    errno.ENOSPC: _SPACE,
    errno.EDQUOT: _SPACE,
    errno.EFBIG: _SPACE,
    errno.EACCES: "check the permissions of the file and of its folder, or use another place",
    errno.EPERM: _WRITABLE,
    errno.EROFS: _WRITABLE,
    errno.ENOLCK: "use a file system with locks; NFS mounted with nolock has none",
    errno.ENOSYS: "use a file system with locks; some network file systems have none",
    errno.EMFILE: "raise the limit of open files with `ulimit -n`",
}
_NUMBER: Final = re.compile(r"\(os error (\d+)\)")
"""How libraries in Rust (safetensors, tokenizers) name the number of an error that is no `OSError`."""
_CUT_OFF: Final = re.compile(r"^\d+ requested and \d+ written$")
"""What NumPy says of a full disk."""


def said_plainly(error: OSError) -> str:
    """The place, the reason and the remedy; the message itself where it is not Python's own form of a number."""
    if error.errno is None or error.strerror is None or not str(error).startswith("[Errno "):
        return str(error)
    places = " -> ".join(_named(name) for name in (error.filename, error.filename2) if name is not None)
    return f"{places}: {_reason(error.errno)}" if places else f"{error.strerror}{_behind(error.errno)}"


def odd_name(error: UnicodeEncodeError) -> str:
    """What is wrong where a name of the file system has bytes that are not UTF-8, which Python keeps as surrogates."""
    if not any("\udc80" <= character <= "\udcff" for character in str(error.object)):
        return str(error)
    return (
        f"{os.fsencode(error.object)!r}: a name of a file or folder that is not UTF-8; rename it, for example with: "
        "convmv -f cp949 -t utf8 -r --notest FOLDER"
    )


@contextmanager
def named_place(target: Path, written: Path | None = None) -> Iterator[None]:
    """Name `target` in an error of the disk that comes out of the block.

    Args:
        target: what the user asked for.
        written: file or folder that is written in its place; None for `target` itself.

    Raises:
        OSError: `target` cannot be written, also where a library raised an exception of another class.
    """
    try:
        yield
    except Exception as error:
        number, name = _number(error), getattr(error, "filename", None)
        ours = name is None or Path(_named(name)).is_relative_to(written or target)
        if number not in _REMEDIES or not ours:
            raise
        kind = type(error) if isinstance(error, OSError) else OSError
        raised = kind(f"{target} could not be written: {_reason(number)}")
        raised.errno = number
        raise raised from error


def _number(error: Exception) -> int:
    if isinstance(error, OSError):
        return errno.ENOSPC if _CUT_OFF.match(str(error)) else error.errno or 0
    found = _NUMBER.search(str(error))
    return int(found[1]) if found else 0


def _reason(number: int) -> str:
    return f"{os.strerror(number)}{_behind(number)}"


def _behind(number: int) -> str:
    return f"; {_REMEDIES[number]}" if number in _REMEDIES else ""


def _named(name: str | bytes | int) -> str:
    return os.fsdecode(name) if isinstance(name, str | bytes) else str(name)
