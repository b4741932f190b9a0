"""Checkpoint files: whole under their name or not there, with a checksum over the bytes as they were written.

A file is what `torch.save` writes, a zip archive, with a comment at its end, where the zip format has a place for one:

    <archive of torch.save> ... <length of the comment, 2 bytes> "distilkobert sha256 " <64 hexadecimal digits>

The digits are the SHA-256 sum of all bytes before the comment. One file so carries its own sum wherever it is copied,
and `torch.load`, `zipfile` and `unzip` read it as any other archive.
"""

import hashlib
import io
import os
import pickle
import re
import struct
import warnings
from pathlib import Path
from typing import IO, Any, BinaryIO, Final, Literal, cast

import torch

from distilkobert.io.files import sync

_MARK = b"distilkobert sha256 "
_COMMENT_BYTES = len(_MARK) + 64
_END_RECORD_BYTES = 22
"""Size of the record that ends a zip archive; its last two bytes are the length of the comment behind it."""
_END_SIGNATURE = b"PK\x05\x06"
_BLOCK_BYTES = 1 << 20
_UNSAFE = re.compile(r"\bGLOBAL ([\w.]+)")
"""How torch names what a pickle would call."""
_PICKLES = tuple(bytes([0x80, protocol]) for protocol in range(2, 6))
"""How the protocols of `pickle` begin that are in use."""

UNPICKLING: Final = (pickle.UnpicklingError, EOFError, LookupError, UnicodeDecodeError, struct.error)
"""What torch raises, besides its RuntimeError, for bytes that are no pickle of tensors; a text may give any of them."""

Wholeness = Literal["whole", "damaged", "unknown"]


def write_checkpoint(path: Path, checkpoint: dict[str, Any]) -> None:
    """Write `checkpoint` to `path`: whole, on the disk and under its name, or not at all.

    The bytes go to `.<name>.partial` in the same folder, which takes the name in one move once all of them are on the
    disk. A process that is killed before leaves the former file as it was; the next write replaces what it left.

    Args:
        path: the file; its folder is made where missing.
        checkpoint: tensors and plain types.

    Raises:
        OSError: it cannot be written, for example because the disk is full; names the path. A former file is kept.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    try:
        with partial.open("wb") as stream:
            summed = _SummedStream(stream)
            torch.save(checkpoint, cast("IO[bytes]", summed))
            summed.finish()
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(path)
        sync(path.parent)
    except BaseException as error:
        partial.unlink(missing_ok=True)
        if isinstance(error, OSError):
            kept = "the previous file of that name is kept" if path.is_file() else "there was no previous file"
            raise OSError(
                f"{path}: the checkpoint could not be written ({error.strerror or error}); {kept}. Make space or "
                "choose another --run.root, then resume"
            ) from error
        raise


def load_checkpoint(path: Path) -> Any:
    """What `write_checkpoint` has written, on the CPU; nothing that the file names is executed.

    A file without a checksum, as this project wrote them before and others write them, gives one warning.

    Raises:
        FileNotFoundError: the file does not exist.
        ValueError: its bytes differ from those written, it is not a whole checkpoint, or it holds pickled objects;
            names the newest whole checkpoint of its folder.
    """
    with path.open("rb") as stream:
        found = _wholeness(stream)
        if found == "damaged":
            raise ValueError(
                f"{path}: the checkpoint is damaged: its SHA-256 is not the one that was written{_instead_of(path)}"
            )
        stream.seek(0)
        try:
            checkpoint = torch.load(stream, map_location="cpu", weights_only=True)
        except (*UNPICKLING, RuntimeError, OSError, ValueError) as error:
            stream.seek(0)
            pickled = refused_pickle(error, stream.read(2))
            reason = pickled or "not a readable checkpoint: truncated, or not written by torch"
            # Without its cause, whose text advises to load the file as code.
            raise ValueError(f"{path}: {reason}{_instead_of(path)}") from None
    if found == "unknown":
        warnings.warn(f"{path}: a checkpoint without a checksum; damage cannot be detected", stacklevel=2)
    return checkpoint


def remove_partial_files(folder: Path) -> None:
    """Remove what killed writes have left in a folder to which no process writes now."""
    for path in folder.glob(".*.ckpt.partial"):
        path.unlink()


def wholeness(path: Path) -> Wholeness:
    """Whether the bytes of a file are those that were written; `unknown` where it carries no checksum.

    Raises:
        FileNotFoundError: the file does not exist.
    """
    with path.open("rb") as stream:
        return _wholeness(stream)


def refused_pickle(error: Exception, start: bytes = b"") -> str:
    """What torch has refused to unpickle, in words that do not advise to run it; empty where that was not the reason.

    Args:
        error: what `torch.load` raised.
        start: the file's first two bytes, where they are known.
    """
    named = _UNSAFE.search(str(error)) if isinstance(error, pickle.UnpicklingError) else None
    if named is None and start not in _PICKLES:
        return ""
    what = f" ({named[1]})" if named else ""
    return f"contains pickled Python objects{what}, which can run code when loaded; only tensors and plain values are"


class _SummedStream(io.RawIOBase):
    """Passes an archive on to a file and adds up its sum; `finish` writes it behind, as the archive's comment.

    An error of the file is kept until `finish`: torch calls `write` from C++ code that may not be left by an exception.
    """

    def __init__(self, stream: BinaryIO) -> None:
        super().__init__()
        self._stream = stream
        self._sum = hashlib.sha256()
        self._held = b""
        self._error: OSError | None = None

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        block = memoryview(data).cast("B")
        # The last two bytes are the comment's length, and known to be the last only when no more come.
        if len(block) < 2:
            block = memoryview(self._held + bytes(block))
        else:
            self._pass_on(self._held)
        self._pass_on(block[:-2])
        self._held = bytes(block[-2:])
        return memoryview(data).nbytes

    def finish(self) -> None:
        """Write the comment.

        Raises:
            OSError: the file could not be written, here or before.
        """
        self._pass_on(struct.pack("<H", _COMMENT_BYTES))
        self._stream_write(_MARK + self._sum.hexdigest().encode())
        if self._error is not None:
            raise self._error

    def _pass_on(self, block: "bytes | memoryview") -> None:
        self._sum.update(block)
        self._stream_write(block)

    def _stream_write(self, block: "bytes | memoryview") -> None:
        if self._error is None:
            try:
                self._stream.write(block)
            except OSError as error:
                self._error = error


def _wholeness(stream: BinaryIO) -> Wholeness:
    size = stream.seek(0, os.SEEK_END)
    stream.seek(max(0, size - 2 * (_END_RECORD_BYTES + _COMMENT_BYTES)))
    end = stream.read()
    comment = end[-_COMMENT_BYTES:]
    if comment.startswith(_MARK):
        stream.seek(0)
        digest, left = hashlib.sha256(), size - _COMMENT_BYTES
        while left and (block := stream.read(min(left, _BLOCK_BYTES))):
            digest.update(block)
            left -= len(block)
        return "whole" if comment[len(_MARK) :] == digest.hexdigest().encode() else "damaged"
    # The end of an archive of ours behind which the comment is not, or not all of it, or more than it.
    record = end[end.rfind(_END_SIGNATURE) :] if _END_SIGNATURE in end else b""
    return "damaged" if record[20:22] == struct.pack("<H", _COMMENT_BYTES) else "unknown"


def _instead_of(path: Path) -> str:
    """What is to be used instead of a file that cannot be read."""
    others = [other for other in path.parent.glob("*.ckpt") if other != path and wholeness(other) == "whole"]
    if not others:
        return f". No other checkpoint in {path.parent} has a valid checksum"
    return f". The newest intact checkpoint of that folder is {max(others, key=lambda other: other.stat().st_mtime_ns)}"
