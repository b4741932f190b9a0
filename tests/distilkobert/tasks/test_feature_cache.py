"""Cached tables: what comes back, when they are built again, and that nothing half-written is ever read."""

import multiprocessing
import pickle
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distilkobert.tasks import feature_cache
from distilkobert.tasks.feature_cache import KEY_NAME, Columns, FeatureTable, as_columns, cached_features, ragged
from tests.support.forkserver import FORKS

ROWS = [[1, 2, 3], [], [70_000, 5]]


def tables() -> dict[str, Columns]:
    return {
        "texts": {"text": ["하나", "", "👍"], "ids": ragged(ROWS), "pieces": [len(row) for row in ROWS]},
        "more": {"names": [["가", "나"]]},
    }


def test_tables_come_back_as_they_were_written(tmp_path: Path) -> None:
    built = cached_features(tmp_path, "task", {"file": "a"}, tables)
    assert sorted(built) == ["more", "texts"]
    texts = pickle.loads(pickle.dumps(built["texts"]))  # noqa: S301 - made above
    assert len(texts) == 3
    assert texts.rows([2, 0, 2]) == [
        {"text": "👍", "ids": [70_000, 5], "pieces": 2},
        {"text": "하나", "ids": [1, 2, 3], "pieces": 3},
        {"text": "👍", "ids": [70_000, 5], "pieces": 2},
    ]
    assert texts.numbers("pieces").tolist() == [3, 0, 2]
    assert texts.strings("text") == ["하나", "", "👍"]
    assert texts.without("text", "pieces").rows([1]) == [{"ids": []}]
    assert texts.rows([1]) == [{"text": "", "ids": [], "pieces": 0}]
    assert built["more"].rows([0]) == [{"names": ["가", "나"]}]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.integers(0, 2**31 - 1), max_size=4), max_size=6))
def test_ragged_columns_hold_any_rows(rows: list[list[int]]) -> None:
    assert ragged([np.array(row, dtype=np.uint32) for row in rows]).to_pylist() == rows


class Row(dict[str, Any]):
    """A row whose life can be followed."""

    __hash__ = object.__hash__  # type: ignore[assignment]


def rows_of(count: int, alive: list[int]) -> Iterator[Row]:
    """Rows with a column that has no value at first, and how many are in memory while they are made."""
    made: weakref.WeakSet[Row] = weakref.WeakSet()
    for number in range(count):
        row = Row(
            ids=[number] * (number % 3), gold=["가"] * (number > 20), note=None if number < 9 else "나", score=0.5
        )
        made.add(row)
        alive.append(len(made))
        yield row


def test_blocks_of_rows_give_the_files_of_all_rows_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {}
    for block in (5, 1000):
        monkeypatch.setattr(feature_cache, "_BLOCK", block)
        alive: list[int] = []
        folder = tmp_path / str(block)
        cached_features(folder, "task", {"file": "a"}, lambda: {"texts": as_columns(rows_of(33, alive), ("ids",))})  # noqa: B023
        files[block] = {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*.arrow")}
        assert max(alive) <= 2 * block + 1
    assert files[5] == files[1000] != {}


def test_tables_are_built_once_for_each_key(tmp_path: Path) -> None:
    calls: list[int] = []

    def build() -> dict[str, Columns]:
        calls.append(1)
        return tables()

    key = {"file": "a", "tokenizer": "b", "split": True}
    for _ in range(3):
        cached_features(tmp_path, "task", key, build)
    cached_features(tmp_path, "task", dict(reversed(key.items())), build)
    assert len(calls) == 1
    for number, (task, other) in enumerate(
        (("task", key | {"split": False}), ("task", key | {"file": "c"}), ("other", key)), start=2
    ):
        cached_features(tmp_path, task, other, build)
        assert len(calls) == number
    assert len(list(tmp_path.iterdir())) == 4


def test_an_error_while_building_leaves_nothing(tmp_path: Path) -> None:
    def build() -> dict[str, Columns]:
        return {"good": {"text": ["하나"]}, "bad": {"one": [1], "two": [1, 2]}}

    with pytest.raises(ValueError, match="length"):
        cached_features(tmp_path, "task", {}, build)
    assert list(tmp_path.iterdir()) == []


def test_the_first_of_two_builders_wins(tmp_path: Path) -> None:
    def build() -> dict[str, Columns]:
        inner = cached_features(tmp_path, "task", {}, lambda: {"texts": {"text": ["먼저"]}})
        assert inner["texts"].strings("text") == ["먼저"]
        return {"texts": {"text": ["나중"]}}

    assert cached_features(tmp_path, "task", {}, build)["texts"].strings("text") == ["먼저"]
    assert len(list(tmp_path.iterdir())) == 1


def test_a_foreign_folder_under_the_name_is_not_overwritten(tmp_path: Path) -> None:
    cached_features(tmp_path, "task", {}, tables)
    (folder,) = tmp_path.iterdir()
    (folder / KEY_NAME).unlink()
    with pytest.raises(FileExistsError, match="not empty"):
        cached_features(tmp_path, "task", {}, tables)


def read_in_another_process(folder: Path, answers: "multiprocessing.Queue[list[str]]") -> None:
    answers.put(cached_features(folder, "task", {}, tables)["texts"].strings("text"))


@pytest.mark.slow
def test_processes_that_build_at_once_all_get_the_table(tmp_path: Path) -> None:
    answers: multiprocessing.Queue[list[str]] = FORKS.Queue()
    processes = [FORKS.Process(target=read_in_another_process, args=(tmp_path, answers)) for _ in range(3)]
    for process in processes:
        process.start()
    assert [answers.get(timeout=120) for _ in processes] == [["하나", "", "👍"]] * 3
    for process in processes:
        process.join()
    assert [path.name.startswith("task-") for path in tmp_path.iterdir()] == [True]


def test_a_table_needs_its_folder(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        FeatureTable(tmp_path / "nothing")
