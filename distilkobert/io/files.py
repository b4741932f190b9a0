"""Files of this machine: what their bytes hash to, and how to write them whole or not at all.

Which ones a pattern names is in `reading/inputs.py`, reading text out of them in `reading/texts.py`.
"""

import errno
import hashlib
import io
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from distilkobert.io.disk_errors import named_place

_HASH_BLOCK_BYTES = 1 << 20


def require_nonempty(path: Path) -> None:
    """Check that `path` is a file of at least one byte.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file has no bytes.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist or is not a file")
    if path.stat().st_size == 0:
        raise ValueError(f"{path} is empty (0 bytes); expected text")


def sha256_of_file(path: Path) -> str:
    """SHA-256 of the file's bytes as they are stored, in lower-case hexadecimal."""
    with path.open("rb") as stream:
        return sha256_of(stream)


def sha256_of(stream: BinaryIO | io.RawIOBase) -> str:
    """SHA-256 of the bytes that a stream still has, in lower-case hexadecimal."""
    digest = hashlib.sha256()
    while block := stream.read(_HASH_BLOCK_BYTES):
        digest.update(block)
    return digest.hexdigest()


def sync(path: Path) -> None:
    """Bring the bytes of a file, or the names in a folder, to the disk, so that they outlast a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # some network file systems have no such call for folders
            raise
    finally:
        os.close(descriptor)


@contextmanager
def atomic_file(target: Path) -> Iterator[BinaryIO]:
    """Open a binary file that appears as `target`, replacing it, only when the block ends without an error.

    Until then it has a hidden, unique name next to the target. Any error, an interrupt included, removes it; a killed
    process leaves it behind under that name, where nothing reads it. Behind the block the file outlasts a power cut.

    Raises:
        FileNotFoundError: The target's folder does not exist.
        OSError: The target cannot be written; names it.
    """
    if not target.parent.is_dir():
        raise FileNotFoundError(f"the folder {target.parent} does not exist; make it before writing {target.name}")
    partial = _unique_neighbour(target)
    try:
        with named_place(target, partial):
            with partial.open("xb") as stream:
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
            partial.replace(target)
            sync(target.parent)
    except BaseException:
        with suppress(OSError):  # such as that of a file system that has become read-only
            partial.unlink()
        raise


def write_text(target: Path, text: str) -> None:
    """Write `text` as UTF-8 to `target`, whole or not at all."""
    with atomic_file(target) as stream:
        stream.write(text.encode("utf-8"))


@contextmanager
def atomic_folder(target: Path, overwrite: bool = False) -> Iterator[Path]:
    """Give a temporary folder that becomes `target` only when the block ends without an error.

    The temporary folder is next to the target under a hidden, unique name, so the last step is one rename. Any error,
    an interrupt included, removes it; a killed process leaves it behind under that name, where nothing reads it.
    Files get the permissions that new files of this process have. All of them are on the disk before the rename, so a
    folder that a power cut leaves under its name is whole; behind the block it is there.

    Args:
        target: The folder to make; its parents are made where missing.
        overwrite: Replace a folder `target` that exists, after the new one is whole.

    Raises:
        FileExistsError: `target` is a file, or a folder that is not empty while `overwrite` is off.
        OSError: The target cannot be written; names it.
    """
    require_free(target, overwrite)
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = _unique_neighbour(target)
    try:
        with named_place(target, partial):
            partial.mkdir()
            yield partial
            for path in (partial, *partial.rglob("*")):
                if path.is_file():  # some libraries keep what they write from everybody else
                    path.chmod(partial.stat().st_mode & 0o666)
                sync(path)
        require_free(target, overwrite)  # again: another run may have finished meanwhile
        if target.is_dir():
            _swap_folder(partial, target)
        else:
            partial.replace(target)
            sync(target.parent)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


def require_free(target: Path, overwrite: bool) -> None:
    """Check that a folder may be written.

    Raises:
        FileExistsError: `target` is a file, or a folder that is not empty while `overwrite` is off.
    """
    if target.exists() and not target.is_dir():
        raise FileExistsError(f"{target} is a file; name a folder")
    if target.is_dir() and any(target.iterdir()) and not overwrite:
        raise FileExistsError(f"{target} exists and is not empty; name another folder, or remove it first")


def is_made(target: Path, record: str, what: str) -> bool:
    """Whether a folder holds what a command makes there, by the file that it writes last; False where it holds nothing.

    Args:
        target: the folder.
        record: name of that file.
        what: what is made, with its article, for the message.

    Raises:
        FileExistsError: the folder holds something else.
    """
    if not target.is_dir() or not any(target.iterdir()):
        return False
    if not (target / record).is_file():
        raise FileExistsError(f"{target} exists and is not {what}; choose another output, or remove it first")
    return True


def _swap_folder(new: Path, target: Path) -> None:
    """Put `new` in the place of the folder `target`; a folder cannot be renamed onto one that holds files."""
    retired = _unique_neighbour(target)
    target.replace(retired)
    try:
        new.replace(target)
    except BaseException:
        retired.replace(target)
        raise
    sync(target.parent)
    shutil.rmtree(retired)


def _unique_neighbour(target: Path) -> Path:
    """A hidden name next to `target` that no other process uses."""
    return target.with_name(f".{target.name}.{os.getpid()}-{secrets.token_hex(4)}.partial")
