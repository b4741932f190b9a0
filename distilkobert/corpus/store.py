"""The folder of a prepared corpus: Arrow files for `datasets.load_from_disk`, token counts and a manifest.

folder/dataset_dict.json, train/, validation/   columns input_ids (list of uint16 or uint32) and length (int32)
folder/token_counts.npy                         occurrences of every token id in the training part, (V,) int64
folder/manifest.json                            where the corpus comes from and what is in it
"""

import json
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from distilkobert.corpus.integrity import SAMPLED_BLOCKS, damage, file_hashes
from distilkobert.corpus.manifest import MANIFEST_NAME, ORIGIN, Manifest
from distilkobert.corpus.sequences import PARTS, Part, Rows
from distilkobert.io.disk_errors import odd_name
from distilkobert.io.files import atomic_file, write_text

COUNTS_NAME = "token_counts.npy"


_Streams = TypeVar("_Streams", bound="PartStreams")


class PartStreams:
    """One Arrow stream of sequences for each part, `<folder>/<part>.arrow`; a context manager, which closes them.

    Args:
        folder: An existing folder.
        id_dtype: Type of the ids.
    """

    def __init__(self, folder: Path, id_dtype: npt.DTypeLike) -> None:
        import pyarrow as pa

        self._folder = folder
        self.schema = pa.schema({"input_ids": pa.list_(pa.from_numpy_dtype(np.dtype(id_dtype))), "length": pa.int32()})
        self._streams = {part: pa.ipc.new_stream(str(self.path(part)), self.schema) for part in PARTS}

    def __enter__(self: _Streams) -> _Streams:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the streams; each once, because closing one again would write its end again."""
        for part in list(self._streams):
            self._streams.pop(part).close()

    def write(self, part: Part, rows: Rows) -> None:
        """Append sequences to a part."""
        import pyarrow as pa

        if len(rows.lengths):
            offsets = np.concatenate((np.zeros(1, dtype=np.int32), np.cumsum(rows.lengths, dtype=np.int32)))
            lists = pa.ListArray.from_arrays(pa.array(offsets), pa.array(rows.ids))
            self._streams[part].write_batch(pa.record_batch([lists, pa.array(rows.lengths)], schema=self.schema))

    def path(self, part: Part) -> Path:
        """The file of a part."""
        return self._folder / f"{part}.arrow"


class CorpusWriter(PartStreams):
    """Writes sequences to a folder as they come, and counts them.

    Args:
        folder: An existing, empty folder.
        vocab_size: Number of token ids, V.
        id_dtype: Type of the ids.
    """

    def __init__(self, folder: Path, vocab_size: int, id_dtype: npt.DTypeLike) -> None:
        super().__init__(folder, id_dtype)
        self.counts: dict[Part, npt.NDArray[np.int64]] = {part: np.zeros(vocab_size, dtype=np.int64) for part in PARTS}
        self.sequences: dict[Part, int] = dict.fromkeys(PARTS, 0)
        self.longest: dict[Part, int] = dict.fromkeys(PARTS, 0)

    def write(self, part: Part, rows: Rows) -> None:
        """Append sequences to a part."""
        if len(rows.lengths):
            super().write(part, rows)
            self.counts[part] += np.bincount(rows.ids, minlength=len(self.counts[part]))
            self.sequences[part] += len(rows.lengths)
            self.longest[part] = max(self.longest[part], int(rows.lengths.max()))

    def finish(self, manifest: Manifest) -> None:
        """Turn what was written into the folder described at the top of this file; `files` is added to the manifest."""
        from datasets import Dataset, DatasetDict, DatasetInfo, Features, NamedSplit
        from datasets.utils import disable_progress_bars, enable_progress_bars

        self.close()
        # datasets writes its description files around one row; the file with all rows then takes that row's place.
        # Saving all rows through it would copy them and map them into memory. It cannot load a part without rows.
        filled = [part for part in PARTS if self.sequences[part]]
        # What it hashes into the name of its caches is this row and the description, which distinguishes corpora.
        origin = json.dumps({name: manifest[name] for name in ORIGIN}, ensure_ascii=False)
        info = DatasetInfo(description=origin, features=Features.from_arrow_schema(self.schema))
        row = {"input_ids": [[0]], "length": [1]}
        one_row = {part: Dataset.from_dict(row, info.features, info, NamedSplit(part)) for part in filled}
        disable_progress_bars()
        DatasetDict(one_row).save_to_disk(str(self._folder))
        enable_progress_bars()
        names = [COUNTS_NAME]
        for part in filled:
            (data_file,) = (self._folder / part).glob("*.arrow")
            self.path(part).replace(data_file)
            names.append(f"{part}/{data_file.name}")
        for part in set(PARTS) - set(filled):
            self.path(part).unlink()
        with atomic_file(self._folder / COUNTS_NAME) as stream:
            np.save(stream, self.counts["train"])
        manifest["files"] = file_hashes(self._folder, names)
        write_text(self._folder / MANIFEST_NAME, json.dumps(manifest, ensure_ascii=False, indent=2) + "\n")


def check_stored(folder: Path, manifest: Manifest, sampled: int | None = SAMPLED_BLOCKS) -> None:
    """Check that the files of a prepared corpus are those its manifest describes.

    Args:
        folder: the corpus.
        manifest: its manifest.
        sampled: blocks of each file whose hash is compared, besides the first and the last; None: all.

    Raises:
        ValueError: A file is missing, cut off, of another size, or holds other bytes; names all of it. Or the folder's
            name is not UTF-8, which `datasets` does not take.
    """
    import pyarrow as pa

    found_damage = list(damage(folder, manifest, sampled))
    if found_damage:
        raise damaged(folder, "; ".join(found_damage))
    try:
        found = {part: len(StoredSequences(folder, part, manifest)) for part in PARTS if manifest["sequences"][part]}
        counts = read_token_counts(folder)
    except UnicodeEncodeError as error:
        raise ValueError(odd_name(error)) from None
    except (OSError, ValueError, EOFError, LookupError, TypeError, AttributeError, pa.ArrowException) as error:
        raise damaged(folder, " ".join(str(error).split()).rstrip(".")) from None
    for part, count in found.items():
        if count != manifest["sequences"][part]:
            raise damaged(folder, f"{part} has {count} sequences, expected {manifest['sequences'][part]}")
    size, total = manifest["tokenizer"]["vocab_size"], manifest["tokens"]["train"]
    if counts.shape != (size,) or counts.sum() != total:
        raise damaged(folder, f"{COUNTS_NAME} counts {counts.sum()} tokens, expected {total} of {size} kinds")


def damaged(folder: Path, found: str) -> ValueError:
    """The error for a corpus whose files differ from those written."""
    return ValueError(
        f"the corpus in {folder} is damaged: {found}. Prepare it again, with the same command and --overwrite"
    )


def read_token_counts(folder: Path) -> npt.NDArray[np.int64]:
    """Occurrences of every token id in the training part, (V,)."""
    counts: npt.NDArray[np.int64] = np.load(folder / COUNTS_NAME)
    return counts


class StoredSequences:
    """The sequences of one part, read from memory-mapped files; pickles as its place on disk.

    Args:
        folder: The prepared corpus.
        part: `train` or `validation`.
        manifest: What it should hold.
    """

    def __init__(self, folder: Path, part: Part, manifest: Manifest) -> None:
        from datasets import load_from_disk

        self._table = load_from_disk(str(folder / part)).with_format("arrow")
        self._folder, self._part = folder, part
        self._vocab_size, self._longest = manifest["tokenizer"]["vocab_size"], manifest["longest"][part]

    def __len__(self) -> int:
        return len(self._table)

    def lengths(self) -> npt.NDArray[np.int32]:
        """Tokens of each sequence, (N,).

        Raises:
            ValueError: they are not those of the stored ids, or the longest is not that of the manifest.
        """
        stored = self._table[:]
        for chunk in stored["input_ids"].chunks:
            try:
                chunk.validate()  # that the last offset is inside the ids: what is outside would be read otherwise
            except ValueError as error:
                raise damaged(self._folder, f"{self._part}: {error}") from None
        lengths = self._checked_lengths(stored)
        if lengths.max() != self._longest:
            raise damaged(
                self._folder, f"the longest {self._part} sequence has {lengths.max()} tokens, expected {self._longest}"
            )
        return lengths

    def gather(self, rows: list[int]) -> Rows:
        """The sequences with these numbers, in this order.

        Raises:
            ValueError: an id is out of the vocabulary, or a length is not that of the stored ids.
        """
        chosen = self._table[rows]
        lengths = self._checked_lengths(chosen, rows)
        ids = chosen["input_ids"].combine_chunks().flatten().to_numpy()
        if ids.max() >= self._vocab_size:
            row = rows[int(np.searchsorted(np.cumsum(lengths), int(ids.argmax()), side="right"))]
            raise damaged(
                self._folder,
                f"{self._part} sequence {row} has the id {ids.max()}, of {self._vocab_size} ids. prepare verify names "
                "the file",
            )
        return Rows(ids, lengths)

    def _checked_lengths(self, stored: Any, rows: Sequence[int] | None = None) -> npt.NDArray[np.int32]:
        import pyarrow.compute as pc

        lengths: npt.NDArray[np.int32] = stored["length"].to_numpy()
        held: npt.NDArray[np.int32] = pc.list_value_length(stored["input_ids"]).to_numpy()
        odd = np.flatnonzero((lengths != held) | (lengths < 1))
        if len(odd):
            row = odd[0] if rows is None else rows[odd[0]]
            raise damaged(
                self._folder,
                f"{self._part} sequence {row} has {held[odd[0]]} ids and the length {lengths[odd[0]]}. prepare verify "
                "names the file",
            )
        return lengths
