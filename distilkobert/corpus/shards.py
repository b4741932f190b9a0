"""Encoded pieces of a corpus on their way into its folder, so that a killed preparation goes on where it stopped.

A shard is made of a number of input files. Its name is a hash of all that it depends on, so a file that has changed
since is encoded again, and only that one.

<folder>/<name>.json                              counts of lines; written last, so without it there is no shard
<folder>/<name>/train.arrow, validation.arrow     sequences, or lines that are not packed yet
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy.typing as npt

from distilkobert.corpus.sequences import PARTS, EncodedLines, LineCounts, Part, Rows
from distilkobert.corpus.store import PartStreams
from distilkobert.io.files import write_text

SHARD_BYTES = 1 << 26
"""Input files are taken together until they have so many bytes, so that thousands of small ones make few shards."""


@dataclass(frozen=True)
class Shard:
    """A number of input files that are encoded together.

    Args:
        paths: the files.
        name: names the shard, and all that it depends on.
    """

    paths: tuple[Path, ...]
    name: str


def plan_shards(paths: Sequence[Path], sums: Sequence[str], origin: dict[str, Any]) -> list[Shard]:
    """Divide input files, in their order.

    Args:
        paths: the files.
        sums: SHA-256 of each.
        origin: what else the encoded lines depend on, in JSON types.
    """
    shards: list[Shard] = []
    taken: list[tuple[Path, str]] = []
    size = 0
    for place, (path, digest) in enumerate(zip(paths, sums, strict=True), start=1):
        taken.append((path, digest))
        size += path.stat().st_size
        if size >= SHARD_BYTES or place == len(paths):
            content = json.dumps({**origin, "inputs": [digest for _, digest in taken]}, sort_keys=True)
            name = hashlib.sha256(content.encode()).hexdigest()[:16]
            shards.append(Shard(tuple(path for path, _ in taken), name))
            taken, size = [], 0
    return shards


class ShardFolder:
    """The shards that are whole, in a folder beside the corpus.

    Args:
        folder: the folder; made when the first shard is.
        id_dtype: type of the ids.
    """

    def __init__(self, folder: Path, id_dtype: npt.DTypeLike) -> None:
        self.folder = folder
        self._id_dtype = id_dtype

    def has(self, shard: Shard) -> bool:
        """Whether the shard is there, whole."""
        return self._counts_path(shard).is_file()

    def write(self, shard: Shard, encoded: Iterable[EncodedLines]) -> None:
        """Write a shard; it is there only when all of it is on the disk."""
        target = self.folder / shard.name
        shutil.rmtree(target, ignore_errors=True)  # of a run that was killed
        target.mkdir(parents=True)
        counts = LineCounts()
        with PartStreams(target, self._id_dtype) as streams:
            for lines in encoded:
                for part, rows in lines.rows.items():
                    streams.write(part, rows)
                counts.add(lines.counts)
        for part in PARTS:
            with streams.path(part).open("rb") as stream:
                os.fsync(stream.fileno())
        write_text(self._counts_path(shard), json.dumps(vars(counts)))

    def counts(self, shard: Shard) -> LineCounts:
        """What became of the lines of a shard."""
        return LineCounts(**json.loads(self._counts_path(shard).read_text(encoding="utf-8")))

    def rows(self, shard: Shard, part: Part) -> Iterator[Rows]:
        """A part of a shard, in the order and the batches in which it was written."""
        import pyarrow as pa

        with pa.memory_map(str(self.folder / shard.name / f"{part}.arrow")) as source:
            for batch in pa.ipc.open_stream(source):
                yield Rows(batch.column(0).flatten().to_numpy(), batch.column(1).to_numpy())

    def remove(self) -> None:
        """Remove all shards."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _counts_path(self, shard: Shard) -> Path:
        return self.folder / f"{shard.name}.json"
