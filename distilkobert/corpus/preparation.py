"""Preparing a corpus: text files in, a folder of token sequences out, over any number of processes in flat memory."""

import platform
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from itertools import islice
from pathlib import Path

from distilkobert.corpus.encoding import BatchEncoder
from distilkobert.corpus.manifest import MANIFEST_FORMAT, MANIFEST_NAME, Manifest, differences, read_manifest
from distilkobert.corpus.sequences import PARTS, CorpusSettings, EncodedLines, LineCounts, Packer
from distilkobert.corpus.shards import Shard, ShardFolder, plan_shards
from distilkobert.corpus.store import CorpusWriter, check_stored
from distilkobert.io.files import atomic_folder, expand_inputs, require_free, sha256_of_file
from distilkobert.io.texts import TextKind, read_texts, text_format
from distilkobert.tokenizers.loading import TextEncoder, load_tokenizer
from distilkobert.tokenizers.unknowns import UNKNOWN_LIMIT, PieceCounts, check_unknown, require_limit

_LINES_AT_A_TIME = 2000
_VERSIONS_OF = ("numpy", "pyarrow", "datasets", "sentencepiece", "tokenizers", "transformers")


@dataclass(frozen=True)
class PreparedCorpus:
    """What `prepare_corpus` did.

    Args:
        manifest: The corpus's manifest.
        reused: The folder was there already, made from the same inputs with the same settings; nothing was done.
        seconds: Wall time of reading, encoding and writing; 0 if reused.
    """

    manifest: Manifest
    reused: bool
    seconds: float


def prepare_corpus(
    inputs: Sequence[str],
    tokenizer: str,
    output: Path,
    settings: CorpusSettings,
    field: str | None = None,
    num_proc: int = 1,
    overwrite: bool = False,
    on_progress: Callable[[int, int], None] | None = None,
    kind: TextKind | None = None,
    unknown_limit: float = UNKNOWN_LIMIT,
) -> PreparedCorpus:
    """Make the corpus folder `output`, or find that it is there already.

    The result does not depend on the number of processes. The folder appears only when it is whole. Input files are
    encoded into shards beside it (see `shards.py`); those of a preparation that was killed or interrupted are kept, and
    the same command goes on behind them.

    Args:
        inputs: File names and globs; see `texts.read_texts` for what is understood.
        tokenizer: Folder or hub name of the tokenizer: whatever `load_tokenizer` loads.
        output: The folder to make.
        settings: How text becomes sequences.
        field: Where the text is in `.jsonl` and `.parquet` files.
        num_proc: Processes that encode.
        overwrite: Replace a corpus in `output` that was made from something else, or is damaged.
        on_progress: Called with the bytes just read from disk and the lines just finished.
        kind: What is in the inputs, whatever their names say.
        unknown_limit: Share of unknown pieces from which the texts are refused; 1 accepts any.

    Raises:
        FileNotFoundError: An input or the tokenizer is missing.
        FileExistsError: `output` holds something else than this corpus; the message says what differs.
        ValueError: A setting is out of range, an input cannot be read (file and line are named), no sequence is left
            for a part, too many pieces are unknown, or this corpus is in `output` but damaged.
    """
    if num_proc < 1:
        raise ValueError(f"num_proc is {num_proc}; expected at least 1")
    require_limit(unknown_limit)
    paths = expand_inputs(inputs)
    if field is not None and all(text_format(path, kind).kind == "txt" for path in paths):
        raise ValueError(f"field is {field!r}, but the inputs are .txt files, which have no fields; leave it out")
    loaded = load_tokenizer(tokenizer)
    if settings.max_tokens <= (specials := loaded.frame.special_count(1)):
        raise ValueError(f"max_tokens is {settings.max_tokens}; expected more than the {specials} special tokens")
    sums = [sha256_of_file(path) for path in paths]
    manifest: Manifest = {
        "format": MANIFEST_FORMAT,
        "tokenizer": {"fingerprint": loaded.fingerprint, "vocab_size": loaded.vocab_size},
        "inputs": [
            {"name": path.name, "bytes": path.stat().st_size, "sha256": digest}
            for path, digest in zip(paths, sums, strict=True)
        ],
        "settings": {**asdict(settings), "field": field, **({} if kind is None else {"kind": kind})},
    }
    existing = _existing_corpus(output, manifest, overwrite)
    if existing is not None:
        return PreparedCorpus(existing, reused=True, seconds=0.0)

    start = time.perf_counter()
    report = on_progress or (lambda count_bytes, count_lines: None)
    shards = plan_shards(paths, sums, {name: manifest[name] for name in ("tokenizer", "settings")})
    store = ShardFolder(shard_folder(output), loaded.id_dtype)
    require_free(output, overwrite)
    try:
        with BatchEncoder(loaded, settings, num_proc) as encoder:
            for shard in shards:
                if store.has(shard):
                    report(sum(path.stat().st_size for path in shard.paths), store.counts(shard).read)
                else:
                    store.write(
                        shard, _reported(encoder.encode(_text_batches(shard.paths, field, kind, report)), report)
                    )
        with (
            atomic_folder(output, overwrite) as folder,
            CorpusWriter(folder, loaded.vocab_size, loaded.id_dtype) as writer,
        ):
            counts = _join(shards, store, writer, loaded, settings)
            pieces = _count_pieces(writer, loaded)
            check_unknown(pieces, f"{paths[0]} and others" if paths[1:] else str(paths[0]), unknown_limit)
            _require_sequences(writer, counts, settings)
            manifest |= _result(writer, counts, pieces)
            writer.finish(manifest)
    except BaseException:
        if len(shards) == 1 or not store.has(shards[0]):  # nothing is saved by keeping it
            store.remove()
        raise
    store.remove()
    return PreparedCorpus(manifest, reused=False, seconds=time.perf_counter() - start)


def shard_folder(output: Path) -> Path:
    """Where the shards of a corpus are kept until all are there."""
    return output.with_name(f".{output.name}.shards")


def _join(
    shards: Sequence[Shard], store: ShardFolder, writer: CorpusWriter, tokenizer: TextEncoder, settings: CorpusSettings
) -> LineCounts:
    """Write the sequences of all shards, and say what became of their lines."""
    counts = LineCounts()
    for shard in shards:
        counts.add(store.counts(shard))
    for part in PARTS:
        packer = Packer(tokenizer, settings) if settings.layout == "packed" else None
        for shard in shards:
            for rows in store.rows(shard, part):
                writer.write(part, packer.pack(rows) if packer else rows)
        if packer:
            rows, dropped = packer.finish()
            writer.write(part, rows)
            counts.ends_dropped += dropped
    return counts


def _reported(encoded: Iterable[EncodedLines], report: Callable[[int, int], None]) -> Iterator[EncodedLines]:
    for lines in encoded:
        report(0, lines.counts.read)
        yield lines


def _existing_corpus(output: Path, wanted: Manifest, overwrite: bool) -> Manifest | None:
    """The manifest of the wanted corpus if it is in `output`; None if `output` may be written."""
    if not output.is_dir() or not any(output.iterdir()):
        return None
    if not (output / MANIFEST_NAME).is_file():
        raise FileExistsError(f"{output} exists and is not a prepared corpus; name another output, or remove it first")
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
            f"{output} holds a corpus made from something else ({'; '.join(differing)}); "
            "name another output, or replace it with --overwrite"
        )
    return None


def _text_batches(
    paths: Sequence[Path], field: str | None, kind: TextKind | None, report: Callable[[int, int], None]
) -> Iterator[list[str]]:
    texts = (text for path in paths for text in read_texts(path, field, lambda count: report(count, 0), kind))
    while batch := list(islice(texts, _LINES_AT_A_TIME)):
        yield batch


def _require_sequences(writer: CorpusWriter, counts: LineCounts, settings: CorpusSettings) -> None:
    if not writer.sequences["train"]:
        raise ValueError(
            f"nothing is left for training of {counts.read} lines read: {counts.empty} empty, {counts.too_short} with "
            f"fewer than min_tokens = {settings.min_tokens} tokens; give more or longer text, or lower min_tokens"
        )
    if settings.validation_fraction and not writer.sequences["validation"]:
        raise ValueError(
            f"none of {counts.kept} lines kept fell into the validation part; raise validation_fraction = "
            f"{settings.validation_fraction}, or set it to 0 to go without validation"
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
