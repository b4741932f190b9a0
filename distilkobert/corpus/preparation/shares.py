"""Preparing a corpus as a job array: every job encodes its share of the input files (`--shard 2/4`).

A share's folder holds some of the shards that one run would have made (see `shards.py`), and `share.json`, which says
which share of what it is. `merging.py` makes the corpus of them.
"""

import heapq
import json
import os
import re
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from distilkobert.corpus.integrity import SAMPLED_BLOCKS, damage, file_hashes
from distilkobert.corpus.manifest import differences
from distilkobert.corpus.preparation.prepare import require_processes, shard_folder
from distilkobert.corpus.preparation.shards import ShardFolder, grouped
from distilkobert.corpus.preparation.work import CorpusWork, OnProgress
from distilkobert.corpus.sequences import CorpusSettings, LineCounts
from distilkobert.io.files import atomic_folder, is_made, require_free, write_text
from distilkobert.io.reading.inputs import described, size_of
from distilkobert.io.reading.remote import InputFile
from distilkobert.io.reading.texts import TextKind
from distilkobert.korean.decomposed import warn_decomposed

SHARE_NAME = "share.json"
SHARE_FORMAT = 1

ShareRecord = dict[str, Any]
"""What `share.json` holds: `format`; `share` (`number` and `of`); `origin` (tokenizer and settings); `all_inputs` (name
and bytes of every input file of the whole corpus); `groups`, each with its `number`, the `name` of its shard and its
`inputs`, described; `files` with their hashes."""


@dataclass(frozen=True)
class Share:
    """One of several shares of the input files.

    Args:
        number: Which one, from 1.
        of: Their number.

    Raises:
        ValueError: Out of range.
    """

    number: int
    of: int

    def __post_init__(self) -> None:
        if not 1 <= self.number <= self.of:
            raise ValueError(f"--shard={self}: expected I/N with I from 1 to {max(self.of, 1)}")

    @classmethod
    def parse(cls, text: str) -> "Share":
        """Read `2/4`."""
        found = re.fullmatch(r"(\d+)/(\d+)", text)
        if found is None:
            raise ValueError(f"--shard={text}: expected I/N, shard I of N, for example 2/4")
        return cls(int(found[1]), int(found[2]))

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"


@dataclass(frozen=True)
class PreparedShare:
    """What `prepare_share` did.

    Args:
        record: What the folder's `share.json` holds.
        counts: What became of the lines.
        reused: The folder was there already.
        seconds: Wall time of reading, encoding and writing; 0 if reused.
    """

    record: ShareRecord
    counts: LineCounts
    reused: bool
    seconds: float


def prepare_share(
    share: Share,
    inputs: Sequence[str],
    tokenizer: str,
    output: Path,
    settings: CorpusSettings,
    field: str | None = None,
    num_proc: int = 1,
    overwrite: bool = False,
    on_progress: OnProgress | None = None,
    kind: TextKind | None = None,
) -> PreparedShare:
    """Encode a share of the inputs into the folder `output`, or find that it is there already.

    All jobs are given the same inputs; sizes alone decide which of them has which, so that none reads the others'. A
    file is never divided. The folder appears when it is whole; the same command continues a killed one.

    Args:
        share: Which one.
        inputs, tokenizer, output, settings, field, num_proc, overwrite, on_progress, kind: As in `prepare_corpus`.

    Raises:
        FileExistsError: `output` holds something else than this share.
        ValueError: There are more shares than the inputs can be divided into; else as `prepare_corpus`.
    """
    require_processes(num_proc)
    work = CorpusWork.find(inputs, tokenizer, settings, field, kind)
    groups = grouped(work.files)
    if share.of > len(groups):
        raise ValueError(
            f"--shard={share}: the input files can be divided into {len(groups)} at most, because a file is never cut "
            "and small ones are taken together; use fewer shards, or more files"
        )
    own = {number: [described(file) for file in groups[number]] for number in _own(groups, share)}
    shards = [work.shard(groups[number], entries) for number, entries in own.items()]
    origin = work.origin(())
    record: ShareRecord = {
        "format": SHARE_FORMAT,
        "share": asdict(share),
        "origin": {name: origin[name] for name in ("tokenizer", "settings")},
        "all_inputs": [{"name": file.name, "bytes": size_of(file)} for file in work.files],
        "groups": [
            {"number": number, "name": shard.name, "inputs": entries}
            for shard, (number, entries) in zip(shards, own.items(), strict=True)
        ],
    }
    start = time.perf_counter()
    store = ShardFolder(shard_folder(output), work.tokenizer.id_dtype)
    existing = _existing_share(output, record, overwrite)
    if existing is None:
        require_free(output, overwrite)
        with store.kept_if_useful(shards):
            work.encode(shards, store, num_proc, on_progress)
        # Groups of equal content have one shard.
        names = {path.relative_to(store.folder): None for shard in shards for path in store.paths(shard)}
        record["files"] = file_hashes(store.folder, map(str, names))
        with atomic_folder(output, overwrite) as folder:
            write_text(folder / SHARE_NAME, json.dumps(record, ensure_ascii=False, indent=2) + "\n")
            for name in names:
                (folder / name).parent.mkdir(exist_ok=True)
                _link(store.folder / name, folder / name)
        store.remove()
    counts, whole = LineCounts(), ShardFolder(output, work.tokenizer.id_dtype)
    for shard in shards:
        counts.add(whole.counts(shard))
    warn_decomposed(counts.decomposed, "line", f"shard {share}")
    seconds = 0.0 if existing else time.perf_counter() - start
    return PreparedShare(existing or record, counts, existing is not None, seconds)


def read_share(folder: Path) -> ShareRecord:
    """Read what a share's folder says of itself.

    Raises:
        FileNotFoundError: it is no folder of a share.
        ValueError: it cannot be read.
    """
    path = folder / SHARE_NAME
    if not folder.is_dir():
        raise FileNotFoundError(f"no folder at {folder}; expected one that prepare corpus --shard=I/N has written")
    if not path.is_file():
        raise FileNotFoundError(f"{folder} contains no shard of a corpus ({SHARE_NAME} is missing)")
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        if record["format"] != SHARE_FORMAT:
            raise ValueError(f"format {record['format']!r}, expected {SHARE_FORMAT}")
        Share(**record["share"])
        for name, kind in {"origin": dict, "all_inputs": list, "groups": list, "files": dict}.items():
            if not isinstance(record[name], kind):
                raise ValueError(f"{name} is {record[name]!r}")
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ValueError(f"{path} is damaged ({error}); prepare this shard again, with --overwrite") from None
    return dict(record)


def share_damage(folder: Path, record: ShareRecord, sampled: int | None = None) -> str:
    """What is wrong with the files of a share; empty where nothing is. Arguments as in `integrity.damage`."""
    return "; ".join(damage(folder, record, sampled))


def share_differences(found: ShareRecord, wanted: ShareRecord) -> list[str]:
    """What two shares were not made from in the same way, whichever shares they are."""
    lines = differences(found["origin"], wanted["origin"])
    if found["all_inputs"] != wanted["all_inputs"]:
        lines.append(f"input files: found {_listed(found['all_inputs'])}, requested {_listed(wanted['all_inputs'])}")
    if found["share"]["of"] != wanted["share"]["of"]:
        lines.append(f"number of shards: found {found['share']['of']}, requested {wanted['share']['of']}")
    return lines


def _own(groups: Sequence[Sequence[InputFile]], share: Share) -> list[int]:
    """Numbers of the groups of a share: the largest group that is left goes to the share that has fewest bytes."""
    sizes = [sum(map(size_of, group)) for group in groups]
    shares = [(0, number) for number in range(1, share.of + 1)]
    own = []
    for group in sorted(range(len(groups)), key=lambda number: (-sizes[number], number)):
        size, number = heapq.heappop(shares)
        heapq.heappush(shares, (size + sizes[group], number))
        if number == share.number:
            own.append(group)
    return sorted(own)


def _link(source: Path, target: Path) -> None:
    """Give a file a second name, so that it outlasts a removal of either; a file system without that moves it."""
    try:
        os.link(source, target)
    except OSError:  # EPERM, ENOTSUP and others; what prevents a move too is raised by the move
        source.replace(target)


def _existing_share(output: Path, wanted: ShareRecord, overwrite: bool) -> ShareRecord | None:
    """What is in `output` if it is the wanted share; None if it may be written."""
    if not is_made(output, SHARE_NAME, "a shard of a corpus"):
        return None
    found = read_share(output)
    if {**found, "files": None} == {**wanted, "files": None} and not share_damage(output, found, SAMPLED_BLOCKS):
        return found
    if overwrite:
        return None
    differing = share_differences(found, wanted)
    if found["share"] != wanted["share"]:
        differing.append(f"found {Share(**found['share'])}, requested {Share(**wanted['share'])}")
    reason = "; ".join(differing) or "its input files have changed, or it is damaged"
    raise FileExistsError(
        f"{output} contains another shard ({reason}); choose another output, or replace it with --overwrite"
    )


def _listed(inputs: Sequence[dict[str, Any]]) -> str:
    return f"{len(inputs)} of {sum(entry['bytes'] for entry in inputs):,} bytes"
