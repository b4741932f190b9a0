"""The folder of a prepared corpus: Arrow files for `datasets.load_from_disk`, token counts and a manifest.

folder/dataset_dict.json, train/, validation/   columns input_ids (list of uint16 or uint32) and length (int32)
folder/token_counts.npy                         occurrences of every token id in the training part, (V,) int64
folder/manifest.json                            where the corpus comes from and what is in it
"""

import json
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

from distilkobert.corpus.sequences import PARTS, Part, Rows
from distilkobert.io.files import atomic_file, write_text

MANIFEST_NAME = "manifest.json"
COUNTS_NAME = "token_counts.npy"
MANIFEST_FORMAT = 1
"""Number of the manifest's layout; grows with any change of the folder's content."""

Manifest = dict[str, Any]
"""A JSON object: `format`, `tokenizer`, `inputs` and `settings` say what the corpus was made from; `lines`,
`sequences`, `longest`, `tokens`, `unknown_rate` and `versions` what came of it."""

_ORIGIN = ("format", "tokenizer", "inputs", "settings")


class CorpusWriter:
    """Writes sequences to a folder as they come; a context manager, so that its files are closed in any case.

    Args:
        folder: An existing, empty folder.
        vocab_size: Number of token ids, V.
        id_dtype: Type of the ids.
    """

    def __init__(self, folder: Path, vocab_size: int, id_dtype: npt.DTypeLike) -> None:
        import pyarrow as pa

        self._folder = folder
        self._schema = pa.schema({"input_ids": pa.list_(pa.from_numpy_dtype(np.dtype(id_dtype))), "length": pa.int32()})
        self._streams = {part: pa.ipc.new_stream(str(self._stream_path(part)), self._schema) for part in PARTS}
        self.counts: dict[Part, npt.NDArray[np.int64]] = {part: np.zeros(vocab_size, dtype=np.int64) for part in PARTS}
        self.sequences: dict[Part, int] = dict.fromkeys(PARTS, 0)
        self.longest: dict[Part, int] = dict.fromkeys(PARTS, 0)

    def __enter__(self) -> "CorpusWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for stream in self._streams.values():
            stream.close()

    def write(self, part: Part, rows: Rows) -> None:
        """Append sequences to a part."""
        import pyarrow as pa

        if not len(rows.lengths):
            return
        offsets = np.concatenate((np.zeros(1, dtype=np.int32), np.cumsum(rows.lengths, dtype=np.int32)))
        lists = pa.ListArray.from_arrays(pa.array(offsets), pa.array(rows.ids))
        self._streams[part].write_batch(pa.record_batch([lists, pa.array(rows.lengths)], schema=self._schema))
        self.counts[part] += np.bincount(rows.ids, minlength=len(self.counts[part]))
        self.sequences[part] += len(rows.lengths)
        self.longest[part] = max(self.longest[part], int(rows.lengths.max()))

    def finish(self, manifest: Manifest) -> None:
        """Turn what was written into the folder described at the top of this file."""
        from datasets import Dataset, DatasetDict, DatasetInfo, Features, NamedSplit
        from datasets.utils import disable_progress_bars, enable_progress_bars

        for stream in self._streams.values():
            stream.close()
        # datasets writes its description files around one row; the file with all rows then takes that row's place.
        # Saving all rows through it would copy them and map them into memory. It cannot load a part without rows.
        filled = [part for part in PARTS if self.sequences[part]]
        # What it hashes into the name of its caches is this row and the description, which tells corpora apart.
        origin = json.dumps({name: manifest[name] for name in _ORIGIN}, ensure_ascii=False)
        info = DatasetInfo(description=origin, features=Features.from_arrow_schema(self._schema))
        row = {"input_ids": [[0]], "length": [1]}
        one_row = {part: Dataset.from_dict(row, info.features, info, NamedSplit(part)) for part in filled}
        disable_progress_bars()
        DatasetDict(one_row).save_to_disk(str(self._folder))
        enable_progress_bars()
        for part in filled:
            (data_file,) = (self._folder / part).glob("*.arrow")
            self._stream_path(part).replace(data_file)
        for part in set(PARTS) - set(filled):
            self._stream_path(part).unlink()
        with atomic_file(self._folder / COUNTS_NAME) as stream:
            np.save(stream, self.counts["train"])
        write_text(self._folder / MANIFEST_NAME, json.dumps(manifest, ensure_ascii=False, indent=2) + "\n")

    def _stream_path(self, part: Part) -> Path:
        return self._folder / f"{part}.arrow"


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a prepared corpus.

    Raises:
        FileNotFoundError: There is no prepared corpus in `folder`.
        ValueError: It was written by another version of this project, or by something else.
    """
    path = folder / MANIFEST_NAME
    if not path.is_file():
        raise FileNotFoundError(
            f"{folder} holds no prepared corpus ({MANIFEST_NAME} is missing); make one with the command "
            f"prepare corpus --input FILES --tokenizer FOLDER --output {folder}"
        )
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(
            f"{path} is not the manifest of a prepared corpus ({error}); remove the folder and prepare it again"
        ) from None
    found = manifest.get("format") if isinstance(manifest, dict) else None
    if found != MANIFEST_FORMAT:
        raise ValueError(
            f"{path} has format {found!r}, expected {MANIFEST_FORMAT}; remove the folder and prepare it again"
        )
    return dict(manifest)


def check_stored(folder: Path, manifest: Manifest) -> None:
    """Check that the files of a prepared corpus hold what its manifest says, without reading the sequences.

    Raises:
        ValueError: A file is missing, cut off, or of another size; the message says how to mend it.
    """
    try:
        found = {part: len(StoredSequences(folder, part)) for part in PARTS if manifest["sequences"][part]}
        counts = read_token_counts(folder)
    except (OSError, ValueError, EOFError, LookupError, TypeError, AttributeError) as error:  # odd description files
        raise _damaged(folder, " ".join(str(error).split()).rstrip(".")) from None
    for part, count in found.items():
        if count != manifest["sequences"][part]:
            raise _damaged(folder, f"{part} has {count} sequences, expected {manifest['sequences'][part]}")
    size, total = manifest["tokenizer"]["vocab_size"], manifest["tokens"]["train"]
    if counts.shape != (size,) or counts.sum() != total:
        raise _damaged(folder, f"{COUNTS_NAME} counts {counts.sum()} tokens, expected {total} of {size} kinds")


def _damaged(folder: Path, found: str) -> ValueError:
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
    """

    def __init__(self, folder: Path, part: Part) -> None:
        from datasets import load_from_disk

        self._table = load_from_disk(str(folder / part)).with_format("arrow")

    def __len__(self) -> int:
        return len(self._table)

    def lengths(self) -> npt.NDArray[np.int32]:
        """Tokens of each sequence, (N,)."""
        lengths: npt.NDArray[np.int32] = self._table[:]["length"].to_numpy()
        return lengths

    def gather(self, rows: list[int]) -> Rows:
        """The sequences with these numbers, in this order."""
        chosen = self._table[rows]
        return Rows(chosen["input_ids"].combine_chunks().flatten().to_numpy(), chosen["length"].to_numpy())


def differences(found: Manifest, wanted: Manifest) -> list[str]:
    """What a corpus was made from, against what it should be made from; one line for each thing that differs.

    Input files are compared by content, so a file may have moved.
    """
    lines: list[str] = []
    for name in _ORIGIN:
        if name == "inputs":
            lines += _input_differences(found[name], wanted[name])
        elif isinstance(wanted[name], dict):
            for option in wanted[name] | found[name]:
                there, asked = found[name].get(option), wanted[name].get(option)
                if there != asked:
                    lines.append(f"{name} {option}: {there!r} there, {asked!r} asked for")
        elif found[name] != wanted[name]:
            lines.append(f"{name}: {found[name]!r} there, {wanted[name]!r} asked for")
    return lines


def _input_differences(found: list[dict[str, Any]], wanted: list[dict[str, Any]]) -> list[str]:
    lines = []
    if len(found) != len(wanted):
        lines.append(f"number of input files: {len(found)} there, {len(wanted)} asked for")
    for number, (there, asked) in enumerate(zip(found, wanted, strict=False), start=1):
        if there["sha256"] != asked["sha256"]:
            lines.append(
                f"input file {number}: {there['name']} with sha256 {there['sha256'][:12]}... there, "
                f"{asked['name']} with sha256 {asked['sha256'][:12]}... asked for"
            )
    return lines
