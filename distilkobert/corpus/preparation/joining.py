"""Joining the shards of a corpus into its folder."""

import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from distilkobert.corpus.manifest import MANIFEST_NAME, Manifest, differences, read_manifest
from distilkobert.corpus.preparation.shards import Shard, ShardFolder
from distilkobert.corpus.sequences import PARTS, CorpusSettings, LineCounts, Packer
from distilkobert.corpus.store import CorpusWriter, check_stored
from distilkobert.io.files import atomic_folder, is_made
from distilkobert.korean.decomposed import warn_decomposed
from distilkobert.tokenizers.loading import TextEncoder
from distilkobert.tokenizers.unknowns import PieceCounts, check_unknown

_VERSIONS_OF = ("numpy", "pyarrow", "datasets", "sentencepiece", "tokenizers", "transformers")

Pieces = Sequence[tuple[ShardFolder, Shard]]
"""Shards in the order of the input files, each with the folder that it is in."""


def join_shards(
    pieces: Pieces,
    output: Path,
    origin: Manifest,
    tokenizer: TextEncoder,
    settings: CorpusSettings,
    unknown_limit: float,
    overwrite: bool,
) -> Manifest:
    """Write the corpus folder; it appears only when it is whole.

    Args:
        pieces: the shards.
        output: the folder to make.
        origin: what the corpus is made from, for its manifest.
        tokenizer: what encoded the shards.
        settings: how text became sequences.
        unknown_limit: share of unknown pieces from which the texts are refused.
        overwrite: replace a folder that is there.

    Returns:
        The corpus's manifest.

    Raises:
        FileExistsError: `output` is there, and `overwrite` is off.
        ValueError: no sequence is left for a part, or too many pieces are unknown.
    """
    names = [entry["name"] for entry in origin["inputs"]]
    with (
        atomic_folder(output, overwrite) as folder,
        CorpusWriter(folder, tokenizer.vocab_size, tokenizer.id_dtype) as writer,
    ):
        counts = _write_sequences(pieces, writer, tokenizer, settings)
        found = _count_pieces(writer, tokenizer)
        where = f"{names[0]} and others" if names[1:] else names[0]
        warn_decomposed(counts.decomposed, "line", where)  # also before the error of unknown pieces, as its cause
        check_unknown(found, where, unknown_limit)
        _require_sequences(writer, counts, settings)
        manifest = origin | _result(writer, counts, found)
        writer.finish(manifest)
    return manifest


def existing_corpus(output: Path, wanted: Manifest, overwrite: bool) -> Manifest | None:
    """The manifest of the wanted corpus if it is in `output`; None if `output` may be written.

    Raises:
        FileExistsError: `output` holds something else; the message says what differs.
        ValueError: the corpus is there, but damaged.
    """
    if not is_made(output, MANIFEST_NAME, "a prepared corpus"):
        return None
    found = read_manifest(output)
    differing = differences(found, wanted)
    if not differing:
        try:
            check_stored(output, found)
        except ValueError:
            if not overwrite:
                raise
            return None
        return found
    if not overwrite:
        raise FileExistsError(
            f"{output} contains another corpus ({'; '.join(differing)}); "
            "choose another output, or replace it with --overwrite"
        )
    return None


def _write_sequences(
    pieces: Pieces, writer: CorpusWriter, tokenizer: TextEncoder, settings: CorpusSettings
) -> LineCounts:
    """Write the sequences of all shards, and say what became of their lines."""
    counts = LineCounts()
    for store, shard in pieces:
        counts.add(store.counts(shard))
    for part in PARTS:
        packer = Packer(tokenizer, settings) if settings.layout == "packed" else None
        for store, shard in pieces:
            for rows in store.rows(shard, part):
                writer.write(part, packer.pack(rows) if packer else rows)
        if packer:
            rows, dropped = packer.finish()
            writer.write(part, rows)
            counts.ends_dropped += dropped
    return counts


def _require_sequences(writer: CorpusWriter, counts: LineCounts, settings: CorpusSettings) -> None:
    if not writer.sequences["train"]:
        raise ValueError(
            f"nothing is left for training of {counts.read} lines read: {counts.empty} empty, {counts.too_short} with "
            f"fewer than min_tokens = {settings.min_tokens} tokens; give more or longer text, or lower min_tokens"
        )
    if settings.validation_fraction and not writer.sequences["validation"]:
        raise ValueError(
            f"none of {counts.kept} lines kept fell into the validation part; raise validation_fraction = "
            f"{settings.validation_fraction}, or set it to 0 for no validation part"
        )


def _count_pieces(writer: CorpusWriter, tokenizer: TextEncoder) -> PieceCounts:
    """Pieces of both parts, without the special tokens of the frame."""
    both = writer.counts["train"] + writer.counts["validation"]
    framing = sum(int(both[number]) for number in {*tokenizer.frame.prefix, *tokenizer.frame.suffix})
    return PieceCounts(int(both.sum()) - framing, int(both[tokenizer.unk_token_id]))


def _result(writer: CorpusWriter, counts: LineCounts, pieces: PieceCounts) -> Manifest:
    return {
        "lines": {
            "read": counts.read,
            "kept": counts.kept,
            "dropped": {"empty": counts.empty, "too_short": counts.too_short},
            "cut": counts.cut,
            "ends_dropped": counts.ends_dropped,
        },
        "sequences": dict(writer.sequences),
        "longest": dict(writer.longest),
        "tokens": {part: int(writer.counts[part].sum()) for part in PARTS},
        "unknown_rate": pieces.share,
        "versions": {"python": platform.python_version(), **{name: version(name) for name in _VERSIONS_OF}},
    }
