"""Whether a corpus's files hold the bytes that were written: a hash of each file, and of each of its blocks."""

import hashlib
import json
import random
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from distilkobert.corpus.manifest import Manifest

BLOCK_BYTES = 1 << 24
"""Bytes that have a hash of their own, so that a sample of a large file can be checked."""
SAMPLED_BLOCKS = 2
"""Blocks of each file that the start of a run checks, besides the first and the last; others each time."""
_BLOCK_DIGEST_BYTES = 8


def file_hashes(folder: Path, names: Iterable[str]) -> dict[str, Any]:
    """For each file its `bytes`, `sha256`, and `blocks`: BLAKE2b of every 16 MiB, in hexadecimal.

    Args:
        folder: the corpus.
        names: its files, relative to it.
    """
    found = {}
    for name in names:
        whole, blocks, size = hashlib.sha256(), [], 0
        with (folder / name).open("rb") as stream, ThreadPoolExecutor(1) as other:
            while block := stream.read(BLOCK_BYTES):
                updated = other.submit(whole.update, block)
                blocks.append(_block_hash(block))
                updated.result()
                size += len(block)
        found[name] = {"bytes": size, "sha256": whole.hexdigest(), "blocks": blocks}
    return found


def damage(folder: Path, manifest: Manifest, sampled: int | None = None) -> Iterator[str]:
    """What is wrong with the files that have a hash, in words that name file and bytes.

    Args:
        folder: the corpus.
        manifest: its manifest.
        sampled: blocks of each file to read besides the first and the last; None: all.
    """
    for name, expected in manifest["files"].items():
        path = folder / name
        if not path.is_file():
            yield f"{path} is missing"
            continue
        if (size := path.stat().st_size) != expected["bytes"]:
            yield f"{path} has {size:,} bytes, expected {expected['bytes']:,}"
            continue
        with path.open("rb") as stream:
            for number in _chosen(len(expected["blocks"]), sampled):
                stream.seek(number * BLOCK_BYTES)
                block = stream.read(BLOCK_BYTES)
                if _block_hash(block) != expected["blocks"][number]:
                    first = number * BLOCK_BYTES
                    yield f"{path}: bytes {first:,} to {first + len(block) - 1:,} differ from those written"


def content_fingerprint(manifest: Manifest) -> str:
    """Names what is in a corpus: equal for equal sequences, whatever its folder is called; 16 hexadecimal digits."""
    content = {name: entry["sha256"] for name, entry in manifest["files"].items()}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def _block_hash(block: bytes) -> str:
    return hashlib.blake2b(block, digest_size=_BLOCK_DIGEST_BYTES).hexdigest()


def _chosen(count: int, sampled: int | None) -> list[int]:
    if sampled is None or count <= sampled + 2:
        return list(range(count))
    return sorted({0, count - 1, *random.sample(range(1, count - 1), sampled)})
