"""Cached tables that cannot be opened any more are built again, once, whatever number of processes find them so."""

import errno
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock

from distilkobert.tasks import feature_cache
from distilkobert.tasks.feature_cache import Columns, FeatureTable, cached_features

NUMBERS = list(range(3000))


def tables() -> dict[str, Columns]:
    return {"examples": {"numbers": NUMBERS, "text": ["가나"] * len(NUMBERS)}, "notes": {"text": ["하나"]}}


def never() -> dict[str, Columns]:
    raise AssertionError("built again")


def open_cache(cache: Path, build: Callable[[], dict[str, Columns]] = tables) -> dict[str, FeatureTable]:
    return cached_features(cache, "task", {"file": "a"}, build)


def zero(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


@pytest.mark.parametrize("damage", [zero, cut, Path.unlink])
@pytest.mark.parametrize("file", ["data-00000-of-00001.arrow", "state.json", "dataset_info.json"])
def test_damaged_tables_are_built_again(damage: Callable[[Path], None], file: str, tmp_path: Path) -> None:
    open_cache(tmp_path)
    (folder,) = tmp_path.iterdir()
    damage(folder / "examples" / file)
    with pytest.warns(UserWarning, match=rf"{folder}: the cached features are damaged \(.+\); building") as noted:
        found = open_cache(tmp_path)
    assert len(noted) == 1
    assert sorted(found) == ["examples", "notes"]
    assert found["examples"].numbers("numbers").tolist() == NUMBERS
    assert open_cache(tmp_path, never)["examples"].numbers("numbers").tolist() == NUMBERS
    assert [path.name for path in tmp_path.iterdir() if not path.name.endswith(".lock")] == [folder.name]


@pytest.mark.filterwarnings("ignore:.*the cached features are damaged")
def test_of_several_that_find_the_damage_one_builds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_cache(tmp_path)
    (folder,) = tmp_path.iterdir()
    zero(next(folder.glob("examples/*.arrow")))
    all_found = threading.Barrier(3)
    built: list[int] = []
    read: list[list[int]] = []

    def waiting(path: Path) -> FileLock:
        all_found.wait(timeout=60)
        return FileLock(path)

    def build() -> dict[str, Columns]:
        built.append(1)
        return tables()

    def open_one() -> None:
        read.append(open_cache(tmp_path, build)["examples"].numbers("numbers").tolist())

    monkeypatch.setattr(feature_cache, "FileLock", waiting)
    threads = [threading.Thread(target=open_one) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert read == [NUMBERS] * 3
    assert built == [1]


def test_what_prevents_reading_is_no_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_cache(tmp_path)

    def refused(_: Path) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(feature_cache, "FeatureTable", refused)
    with pytest.raises(PermissionError):
        open_cache(tmp_path, never)


def test_a_full_disk_while_building_again_is_the_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_cache(tmp_path)
    zero(next(tmp_path.glob("*/examples/*.arrow")))

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(feature_cache, "write_text", full)
        no_space = pytest.raises(OSError, match=os.strerror(errno.ENOSPC))
        with pytest.warns(UserWarning, match="damaged"), no_space:
            open_cache(tmp_path)
    with pytest.warns(UserWarning, match="damaged"):
        assert open_cache(tmp_path)["examples"].numbers("numbers").tolist() == NUMBERS
