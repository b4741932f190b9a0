"""Encoded task files, built once and kept as Arrow files that are mapped into memory.

<cache>/<task>-<key>/<table>/...   tables for `datasets.load_from_disk`
<cache>/<task>-<key>/key.json      what the tables were made from: file, tokenizer, settings

The key is a hash of everything the tables depend on, so nothing stale is ever read. A folder appears whole or not at
all; where two processes build the same one, the first to finish wins and the other's is dropped. A folder that cannot
be opened any more is built again.
"""

import errno
import hashlib
import json
import warnings
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from copy import copy
from itertools import islice
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
from filelock import FileLock

from distilkobert.io.disk_errors import said_plainly
from distilkobert.io.files import atomic_folder, write_text

KEY_NAME: Final = "key.json"
FEATURE_FORMAT: Final = 2
"""Number of the tables' layout; grows with any change of what they hold, so that older ones are built again."""

_BLOCK: Final = 4096

Columns: TypeAlias = dict[str, Any]
"""Column name to a list or a pyarrow array, one entry an example."""


class FeatureTable:
    """One table, read from memory-mapped files; pickles as its place on disk.

    Args:
        folder: folder of the table.
    """

    def __init__(self, folder: Path) -> None:
        from datasets import load_from_disk

        self._table = load_from_disk(str(folder)).with_format("arrow")
        self._key = folder.parent.name

    def fingerprint(self, numbers: Sequence[int]) -> str:
        """Names what is in these rows, by what the table was made from; 16 hexadecimal digits."""
        return hashlib.sha256(f"{self._key} {list(numbers)}".encode()).hexdigest()[:16]

    def without(self, *names: str) -> "FeatureTable":
        """The same table without some columns, whose values then need not be read."""
        other = copy(self)
        other._table = self._table.remove_columns(list(names))
        return other

    def __len__(self) -> int:
        return len(self._table)

    @property
    def names(self) -> list[str]:
        """Names of the columns."""
        return list(self._table.column_names)

    def flat(self, name: str, numbers: Sequence[int]) -> npt.NDArray[np.int32]:
        """The lists of a column in these rows, one after the other, (sum of their lengths,)."""
        values = self._table.select_columns([name])[list(numbers)][name]
        return np.asarray(values.combine_chunks().flatten().to_numpy(), dtype=np.int32)

    def numbers(self, name: str) -> npt.NDArray[np.int64]:
        """A whole column of numbers, (N,)."""
        return np.asarray(self._table.select_columns([name])[:][name].to_numpy(), dtype=np.int64)

    def strings(self, name: str) -> list[str]:
        """A whole column of strings, N of them."""
        values: list[str] = self._table.select_columns([name])[:][name].to_pylist()
        return values

    def rows(self, numbers: Sequence[int]) -> list[dict[str, Any]]:
        """Rows by number, in this order, as plain values."""
        chosen: list[dict[str, Any]] = self._table[list(numbers)].to_pylist()
        return chosen


def cached_features(
    cache: Path | None, task: str, key: Mapping[str, Any], build: Callable[[], dict[str, Columns]]
) -> dict[str, FeatureTable]:
    """The tables that `build` makes, from the cache where they are there.

    Args:
        cache: folder of the cache, made where missing; None: `distilkobert` in the cache folder of `datasets`, which
            the environment variable HF_DATASETS_CACHE moves.
        task: begins the folder's name.
        key: everything that the tables depend on, in JSON types.
        build: makes the tables, by name; called only where they are not there, or too damaged to be opened,
            with a warning.

    Raises:
        OSError: the tables cannot be written, or cannot be read for another reason than damage.
    """
    content = json.dumps({"format": FEATURE_FORMAT, "task": task, **key}, ensure_ascii=False, sort_keys=True, indent=1)
    name = f"{task}-{hashlib.sha256(content.encode()).hexdigest()[:16]}"
    folder = (default_cache() if cache is None else cache) / name
    if not (folder / KEY_NAME).is_file():
        _write(folder, content, build())
    with suppress(_DamagedTablesError):
        return _opened(folder)
    with FileLock(folder.with_name(f".{name}.lock")):
        try:
            return _opened(folder)  # another process may have built it again meanwhile
        except _DamagedTablesError as error:
            warnings.warn(f"{folder}: the cached features are damaged ({error}); building them again", stacklevel=2)
            _write(folder, content, build(), overwrite=True)
            return _opened(folder)


def default_cache() -> Path:
    """`distilkobert` in the cache folder of `datasets`."""
    import datasets

    return Path(datasets.config.HF_DATASETS_CACHE) / "distilkobert"


class _DamagedTablesError(ValueError):
    """A table cannot be opened because of what its files hold, or because one is missing."""


def _opened(folder: Path) -> dict[str, FeatureTable]:
    try:
        return {path.name: FeatureTable(path) for path in sorted(folder.iterdir()) if path.is_dir()}
    except (ValueError, OSError) as error:
        # A file that ends too early is an OSError of pyarrow, without a number.
        if isinstance(error, OSError) and error.errno not in (None, errno.ENOENT):
            raise
        raise _DamagedTablesError(error) from error


def _write(folder: Path, content: str, tables: dict[str, Columns], overwrite: bool = False) -> None:
    import pyarrow as pa
    from datasets import Dataset
    from datasets.utils import disable_progress_bars, enable_progress_bars

    try:
        with atomic_folder(folder, overwrite) as partial:
            disable_progress_bars()
            for name, columns in tables.items():
                Dataset(pa.table(columns)).save_to_disk(str(partial / name))
            enable_progress_bars()
            write_text(partial / KEY_NAME, content + "\n")
    except OSError as error:
        if overwrite or not (folder / KEY_NAME).is_file():  # else another process has finished it meanwhile
            if error.errno is None:
                raise
            said = f"encoded task files: {said_plainly(error)}"
            raise OSError(f"{said}. --data.cache_dir or HF_DATASETS_CACHE names another folder") from error


def as_columns(rows: Iterable[Mapping[str, Any]], lists: Collection[str]) -> Columns:
    """A table of rows that have the same names; as Python values only `_BLOCK` of them are in memory.

    Args:
        rows: one for each example, at least one.
        lists: names whose values are lists of whole numbers.
    """
    import pyarrow as pa

    rest, parts = iter(rows), []
    while block := list(islice(rest, _BLOCK)):
        columns = {name: [row[name] for row in block] for name in block[0]}
        parts.append(pa.table({name: ragged(values) if name in lists else values for name, values in columns.items()}))
    # Of one chunk, as from all rows at once; a column without a value in a block has its type from the others.
    whole = pa.concat_tables(parts, promote_options="permissive").combine_chunks()
    return {name: whole[name] for name in whole.column_names}


def ragged(rows: Sequence[npt.ArrayLike]) -> Any:
    """A column of lists of whole numbers (int32)."""
    import pyarrow as pa

    arrays = [np.asarray(row, dtype=np.int32) for row in rows]
    offsets = np.cumsum([0, *map(len, arrays)], dtype=np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(np.concatenate([np.zeros(0, np.int32), *arrays])))
