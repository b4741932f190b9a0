"""A disk that keeps what was brought to it by `os.fsync`, and nothing else, as after a power cut."""

import os
from pathlib import Path
from typing import Any

import pytest


class KeptByDisk:
    """Records what `os.fsync` is called for: bytes of files, names in folders; both by inode, so renames may follow.

    Args:
        monkeypatch: puts `os.fsync` back.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._kept: dict[int, Any] = {}
        original = os.fsync

        def fsync(descriptor: int) -> None:
            original(descriptor)
            found = Path(f"/proc/self/fd/{descriptor}").readlink()
            self._kept[found.stat().st_ino] = _state(found)

        monkeypatch.setattr(os, "fsync", fsync)

    def has_content(self, path: Path) -> bool:
        """Whether a file, or all of a folder, is kept as it is now, under whatever name."""
        whole = self._kept.get(path.stat().st_ino) == _state(path)
        return whole and (path.is_file() or all(map(self.has_content, path.iterdir())))

    def has(self, path: Path) -> bool:
        """Whether it is kept under this name."""
        names = self._kept.get(path.parent.stat().st_ino, {})
        return path.exists() and names.get(path.name) == path.stat().st_ino and self.has_content(path)


def _state(path: Path) -> Any:
    return path.read_bytes() if path.is_file() else {inner.name: inner.stat().st_ino for inner in path.iterdir()}
