"""Files behind an address (`s3://`, `hf://`, `https://`, `memory://`), read through fsspec, as `datasets` does."""

import io
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit

ATTEMPTS: Final = 4
"""Attempts to read a block of a file before it is an error."""
PAUSE_SECONDS: Final = 1.0
"""Wait after the first failed attempt; longer by as much after each other one."""
_VERSIONS: Final = ("etag", "md5hash", "content-md5", "blob_id")
"""Names, in small letters, under which file systems describe the version of a file: s3, gs, http, abfs; hf."""


@dataclass(frozen=True)
class RemoteFile:
    """A file of one of fsspec's file systems; named, compared and read as a `Path` is where text is read.

    Args:
        system: fsspec's file system.
        path: name in it.
        size: bytes.
        identity: `sha256` or `etag` of its content, where the file system has one; else empty.
    """

    system: Any
    path: str
    size: int
    identity: tuple[str, str] | None

    @property
    def name(self) -> str:
        """The last part of the name, without what follows a question mark in a web address."""
        is_web = self.path.startswith(("http://", "https://"))
        return PurePosixPath(urlsplit(self.path).path if is_web else self.path).name

    @property
    def suffix(self) -> str:
        """As that of a `Path`."""
        return PurePosixPath(self.name).suffix

    @property
    def suffixes(self) -> list[str]:
        """As those of a `Path`."""
        return PurePosixPath(self.name).suffixes

    def __str__(self) -> str:
        return str(self.system.unstrip_protocol(self.path))


InputFile: TypeAlias = Path | RemoteFile


def is_remote(name: str) -> bool:
    """Whether a name is an address and not a path."""
    return "://" in name


def find_remote(pattern: str) -> list[RemoteFile]:
    """The files that an address or a pattern of addresses names, sorted.

    In a web address only `*` and `[` make a pattern, and a folder is what the server shows as a page of links.

    Raises:
        FileNotFoundError: there is none, or the address is that of a folder.
        ConnectionError: it cannot be reached.
        ValueError: fsspec does not know the protocol or needs a package for it; or a server does not say how long a
            file is.
    """
    import fsspec
    from fsspec.core import has_magic

    try:
        system, path = fsspec.url_to_fs(pattern)
    except ImportError as error:
        raise ValueError(f"{pattern}: a package is missing ({error}); install it with pip") from None
    except ValueError as error:
        raise ValueError(f"{pattern}: {error}; expected a path, or an address that fsspec supports") from None
    magic = any(sign in path for sign in "*[") if path.startswith("http") else has_magic(path)
    try:
        paths = sorted(system.glob(path)) if magic else [path]
        infos = [system.info(name) for name in paths]
    except FileNotFoundError as error:
        cause = error.__cause__ or error
        # For a web address fsspec makes this error of every answer that is not the file, and of a failed connection.
        if pattern.startswith("http") and getattr(cause, "status", None) not in (404, 410):
            raise ConnectionError(f"{pattern} cannot be reached ({_words(cause)})") from error
        raise FileNotFoundError(f"no file at {pattern} ({_words(cause)})") from None
    except IsADirectoryError:
        raise
    except ValueError as error:  # a name that the file system does not take; the hub's do not repeat it
        example = "; expected hf://datasets/OWNER/NAME/FILE" if pattern.startswith("hf://") else ""
        raise ValueError(f"{pattern}: {_one_line(error).rstrip('.')}{example}") from None
    except Exception as error:  # every file system has its own
        raise ConnectionError(f"{pattern} cannot be reached ({_words(error)})") from error
    found = [_described(system, name, info) for name, info in zip(paths, infos, strict=True)]
    if not magic and found[0] is None:
        raise FileNotFoundError(f"{pattern} is a folder; give its files, for example '{pattern}/*.txt'")
    files = [file for file in found if file is not None]
    if not files:
        raise FileNotFoundError(f"no file matches {pattern!r}")
    return files


def _described(system: Any, path: str, info: dict[str, Any]) -> RemoteFile | None:
    """A file with its size and version; None for a folder."""
    if info["type"] == "directory":
        return None
    if info["size"] is None:
        raise ValueError(
            f"{path}: the server sends no Content-Length; download the file, and give the path of the copy"
        )
    return RemoteFile(system, path, int(info["size"]), _identity(info))


def _identity(info: dict[str, Any]) -> tuple[str, str] | None:
    large = info.get("lfs")
    sha256 = large.get("sha256") if isinstance(large, dict) else getattr(large, "sha256", None)
    if sha256:
        return "sha256", str(sha256)
    by_name = {name.lower(): value for name, value in info.items() if value}
    found = [str(by_name[name]).strip('"') for name in _VERSIONS if name in by_name]
    # A weak ETag allows bytes to differ.
    return next((("etag", version) for version in found if not version.startswith("W/")), None)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())


def _words(error: BaseException) -> str:
    return f"{type(error).__name__}: {_one_line(error)}"


def open_remote(file: RemoteFile, on_read: Callable[[int], None] | None) -> io.RawIOBase:
    """Open a file for reading; a block that fails is requested again.

    Args:
        file: the file.
        on_read: called with the number of bytes just read.

    Raises:
        ConnectionError: also while reading: a block does not come, the file ends before its size, or it has been
            replaced meanwhile.
    """
    return _RemoteStream(file, on_read)


class _RemoteStream(io.RawIOBase):
    def __init__(self, file: RemoteFile, on_read: Callable[[int], None] | None) -> None:
        self._file, self._on_read, self._place = file, on_read, 0
        self._stream = self._tried(lambda: file.system.open(file.path, "rb"))

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._file.size}[whence]
        self._place = max(0, base + offset)
        return self._place

    def tell(self) -> int:
        return self._place

    def readinto(self, buffer: "memoryview | bytearray") -> int:  # type: ignore[override]
        wanted = min(len(buffer), self._file.size - self._place)
        if wanted <= 0:
            return 0
        block = self._tried(lambda: self._block(wanted))
        if not block:
            raise ConnectionError(
                f"{self._file} ends after {self._place:,} bytes, expected {self._file.size:,}; run the command again"
            )
        buffer[: len(block)] = block
        self._place += len(block)
        if self._on_read is not None:
            self._on_read(len(block))
        if self._place == self._file.size:
            self._require_unchanged()
        return len(block)

    def close(self) -> None:
        if not self.closed:
            self._stream.close()
        super().close()

    def _block(self, size: int) -> bytes:
        if self._stream.tell() != self._place:
            self._stream.seek(self._place)
        block: bytes = self._stream.read(size)
        return block

    def _require_unchanged(self) -> None:
        system, path = self._file.system, self._file.path
        now = self._tried(lambda: _described(system, path, system.info(path)))
        if now != self._file:
            raise ConnectionError(f"{self._file} was replaced while it was read; run the command again")

    def _tried(self, ask: Callable[[], Any]) -> Any:
        failed = 0
        while True:
            try:
                return ask()
            except (TypeError, AttributeError, NameError, AssertionError):
                raise  # a mistake of the code, not of the connection: it would fail again
            except Exception as error:  # every file system has its own
                failed += 1
                if failed == ATTEMPTS:
                    raise ConnectionError(
                        f"{self._file}: no answer after byte {self._place:,} after {ATTEMPTS} attempts "
                        f"({_words(error)}); run the command again to continue, or download the file and give the "
                        "path of the copy"
                    ) from error
                time.sleep(PAUSE_SECONDS * failed)
