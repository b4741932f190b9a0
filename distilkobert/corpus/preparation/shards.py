"""Encoded pieces of a corpus on their way into its folder, so that a killed preparation continues where it stopped.

A shard is made of a number of input files. Its name is a hash of all that it depends on, so a file that has changed
since is encoded again, and only that one.

<folder>/<name>.json                              counts of lines; written last, so without it there is no shard
<folder>/<name>/train.arrow, validation.arrow     sequences, or lines that are not packed yet
"""

import hashlib
import json
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy.typing as npt

from distilkobert.corpus.sequences import PARTS, EncodedLines, LineCounts, Part, Rows
from distilkobert.corpus.store import PartStreams
from distilkobert.io.disk_errors import named_place
from distilkobert.io.files import sync, write_text
from distilkobert.io.reading.inputs import content_of, size_of
from distilkobert.io.reading.remote import InputFile

SHARD_BYTES = 1 << 26
"""Input files are taken together until they have so many bytes, so that thousands of small ones make few shards."""


@dataclass(frozen=True)
class Shard:
    """A number of input files that are encoded together.

    Args:
        files: the files.
        name: names the shard, and all that it depends on.
    """

    files: tuple[InputFile, ...]
    name: str


def grouped(files: Sequence[InputFile]) -> list[tuple[InputFile, ...]]:
    """Divide input files, in their order, by their sizes alone."""
    groups: list[tuple[InputFile, ...]] = []
    taken: list[InputFile] = []
    size = 0
    for place, file in enumerate(files, start=1):
        taken.append(file)
        size += size_of(file)
        if size >= SHARD_BYTES or place == len(files):
            groups.append(tuple(taken))
            taken, size = [], 0
    return groups


def named_shard(files: Sequence[InputFile], inputs: Sequence[dict[str, Any]], origin: dict[str, Any]) -> Shard:
    """The shard of a group of files.

    Args:
        files: the files.
        inputs: description of each.
        origin: what else the encoded lines depend on, in JSON types.
    """
    content = json.dumps({**origin, "inputs": [content_of(entry) for entry in inputs]}, sort_keys=True)
    return Shard(tuple(files), hashlib.sha256(content.encode()).hexdigest()[:16])


class ShardFolder:
    """The shards that are whole, in a folder next to the corpus.

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
        with named_place(target), PartStreams(target, self._id_dtype) as streams:
            for lines in encoded:
                for part, rows in lines.rows.items():
                    streams.write(part, rows)
                counts.add(lines.counts)
        for path in (*map(streams.path, PARTS), target, self.folder):
            sync(path)
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

    def paths(self, shard: Shard) -> list[Path]:
        """The files of a shard."""
        return [self._counts_path(shard), *(self.folder / shard.name / f"{part}.arrow" for part in PARTS)]

    @contextmanager
    def kept_if_useful(self, shards: Sequence[Shard]) -> Iterator[None]:
        """Where a preparation fails in the block, remove the folder if keeping it saves nothing.

        That is so where none of these shards is whole, or the text of the only one is refused.
        """
        try:
            yield
        except BaseException as error:
            refused = len(shards) == 1 and isinstance(error, ValueError)
            if refused or not any(self.has(shard) for shard in shards):
                self.remove()
            raise

    def remove(self) -> None:
        """Remove all shards."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _counts_path(self, shard: Shard) -> Path:
        return self.folder / f"{shard.name}.json"
