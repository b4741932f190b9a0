"""Input files: which ones names and patterns mean, on this machine or behind an address, and what is in them."""

import glob
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from distilkobert.io.files import require_nonempty, sha256_of, sha256_of_file
from distilkobert.io.reading.remote import InputFile, RemoteFile, find_remote, is_remote, open_remote


def expand_inputs(patterns: Sequence[str]) -> list[InputFile]:
    """Turn names and globs (`**` crosses folders) into files, in the order of the patterns, each one's sorted.

    Args:
        patterns: paths, or addresses of fsspec (`s3://bucket/*.txt`).

    Raises:
        FileNotFoundError: A name or a glob matches nothing, or names a folder.
        ConnectionError: An address cannot be reached.
        ValueError: No pattern was given, a file is empty, two patterns name the same file, or an address is of an
            unknown kind.
    """
    if not patterns:
        raise ValueError("no input files given; expected at least one file or glob")
    found: list[InputFile] = []
    for pattern in patterns:
        found += find_remote(pattern) if is_remote(pattern) else _find_local(pattern)
    seen: set[Path | str] = set()
    for file in found:
        if isinstance(file, Path):
            require_nonempty(file)
        elif not file.size:
            raise ValueError(f"{file} is empty (0 bytes); expected text")
        name = str(file)
        is_local = isinstance(file, Path) or name.startswith("file://")
        place = Path(name.removeprefix("file://")).resolve() if is_local else name
        if place in seen:
            raise ValueError(f"{file} is given twice; give every input file once")
        seen.add(place)
    return found


def _find_local(pattern: str) -> list[Path]:
    named = Path(pattern)
    # Path.glob does not accept absolute patterns, glob.iglob does.
    matches = sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207
    paths = [named] if named.exists() else [Path(match) for match in matches]
    if named.is_dir():
        raise FileNotFoundError(f"{pattern} is a folder; give its files, for example '{pattern}/*.txt'")
    files = [path for path in paths if path.is_file()]
    if not files:
        raise FileNotFoundError(f"no file matches {pattern!r}; check the name, relative to {Path.cwd()}")
    return files


def size_of(file: InputFile) -> int:
    """Bytes of a file as it is stored."""
    return file.size if isinstance(file, RemoteFile) else file.stat().st_size


def described(file: InputFile) -> dict[str, Any]:
    """`name`, `bytes`, and `sha256` of a file's content; `etag` in its place where the file system keeps one.

    A file whose file system has neither is read and hashed.
    """
    return {"name": file.name, "bytes": size_of(file), **dict([_identity(file)])}


def content_of(description: dict[str, Any]) -> str:
    """What `described` says of the content: equal for equal bytes of the same place."""
    return str(description["sha256"] if "sha256" in description else f"etag {description['etag']}")


def _identity(file: InputFile) -> tuple[str, str]:
    if isinstance(file, Path):
        return "sha256", sha256_of_file(file)
    if file.identity is not None:
        return file.identity
    with open_remote(file, None) as stream:
        return "sha256", sha256_of(stream)
