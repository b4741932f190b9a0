"""Preparing a corpus: text files in, a folder of token sequences out, over any number of processes in flat memory."""

import platform
import signal
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import version
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

from distilkobert.corpus.sequences import PARTS, CorpusSettings, EncodedLines, LineCounts, Packer, encode_lines
from distilkobert.corpus.store import (
    MANIFEST_FORMAT,
    MANIFEST_NAME,
    CorpusWriter,
    Manifest,
    check_stored,
    differences,
    read_manifest,
)
from distilkobert.io.files import atomic_folder, expand_inputs, sha256_of_file
from distilkobert.io.texts import read_texts, text_format
from distilkobert.tokenizers.kobert import KoBertTokenizer

_LINES_AT_A_TIME = 2000
_BATCHES_AHEAD = 4  # per process: enough to keep all busy, little enough to keep memory flat
_VERSIONS_OF = ("numpy", "pyarrow", "datasets", "sentencepiece")


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
) -> PreparedCorpus:
    """Make the corpus folder `output`, or find that it is there already.

    The result does not depend on the number of processes. The folder appears only when it is whole.

    Args:
        inputs: File names and globs; see `texts.read_texts` for what is understood.
        tokenizer: Folder or hub name of the tokenizer.
        output: The folder to make.
        settings: How text becomes sequences.
        field: Where the text is in `.jsonl` and `.parquet` files.
        num_proc: Processes that encode.
        overwrite: Replace a corpus in `output` that was made from something else, or is damaged.
        on_progress: Called with the bytes just read from disk and the lines just finished.

    Raises:
        FileNotFoundError: An input or the tokenizer is missing.
        FileExistsError: `output` holds something else than this corpus; the message says what differs.
        ValueError: A setting is out of range, an input cannot be read (file and line are named), no sequence is left
            for a part, or this corpus is in `output` but damaged.
    """
    if num_proc < 1:
        raise ValueError(f"num_proc is {num_proc}; expected at least 1")
    paths = expand_inputs(inputs)
    if field is not None and all(text_format(path).kind == "txt" for path in paths):
        raise ValueError(f"field is {field!r}, but the inputs are .txt files, which have no fields; leave it out")
    loaded = KoBertTokenizer.from_pretrained(tokenizer)
    manifest: Manifest = {
        "format": MANIFEST_FORMAT,
        "tokenizer": {"fingerprint": loaded.fingerprint, "vocab_size": loaded.vocab_size},
        "inputs": [{"name": path.name, "bytes": path.stat().st_size, "sha256": sha256_of_file(path)} for path in paths],
        "settings": {**asdict(settings), "field": field},
    }
    existing = _existing_corpus(output, manifest, overwrite)
    if existing is not None:
        return PreparedCorpus(existing, reused=True, seconds=0.0)

    start = time.perf_counter()
    with atomic_folder(output, overwrite) as folder, CorpusWriter(folder, loaded.vocab_size, loaded.id_dtype) as writer:
        report = on_progress or (lambda count_bytes, count_lines: None)
        batches = _text_batches(paths, field, lambda count: report(count, 0))
        counts = LineCounts()
        packers = {part: Packer(loaded, settings) for part in PARTS} if settings.layout == "packed" else {}
        for encoded in _encoded_batches(batches, loaded, settings, num_proc):
            for part, rows in encoded.rows.items():
                writer.write(part, packers[part].pack(rows) if packers else rows)
            counts.add(encoded.counts)
            report(0, encoded.counts.read)
        for part, packer in packers.items():
            rows, dropped = packer.finish()
            writer.write(part, rows)
            counts.ends_dropped += dropped
        _require_sequences(writer, counts, settings)
        manifest |= _result(writer, counts, loaded)
        writer.finish(manifest)
    return PreparedCorpus(manifest, reused=False, seconds=time.perf_counter() - start)


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


def _text_batches(paths: Sequence[Path], field: str | None, on_read: Callable[[int], None]) -> Iterator[list[str]]:
    texts = (text for path in paths for text in read_texts(path, field, on_read))
    while batch := list(islice(texts, _LINES_AT_A_TIME)):
        yield batch


def _encoded_batches(
    batches: Iterator[list[str]], tokenizer: KoBertTokenizer, settings: CorpusSettings, num_proc: int
) -> Iterator[EncodedLines]:
    """Encode in this process or in others, in order, with a bounded number of batches under way."""
    if num_proc == 1:
        for batch in batches:
            yield encode_lines(batch, tokenizer, settings)
        return
    # A forked process would share the state of Arrow's threads, so each starts afresh.
    with ProcessPoolExecutor(num_proc, get_context("spawn"), _start_worker, (tokenizer, settings)) as pool:
        waiting: deque[Future[EncodedLines]] = deque()
        try:
            for batch in batches:
                with _interrupts_held():  # the pool begins processes when work comes
                    waiting.append(pool.submit(_encode_in_worker, batch))
                if len(waiting) > _BATCHES_AHEAD * num_proc:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Hold Ctrl-C back inside the block.

    A process begun here inherits that for good, so it cannot be interrupted while it starts either: Ctrl-C reaches all
    processes of a terminal, and the parent alone answers it, by ending the others.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


_worker: tuple[KoBertTokenizer, CorpusSettings] | None = None


def _start_worker(tokenizer: KoBertTokenizer, settings: CorpusSettings) -> None:
    global _worker
    _worker = tokenizer, settings


def _encode_in_worker(texts: list[str]) -> EncodedLines:
    if _worker is None:
        raise RuntimeError("_encode_in_worker runs only in processes begun by _start_worker")
    return encode_lines(texts, *_worker)


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


def _result(writer: CorpusWriter, counts: LineCounts, tokenizer: KoBertTokenizer) -> Manifest:
    tokens = {part: int(writer.counts[part].sum()) for part in PARTS}
    both = writer.counts["train"] + writer.counts["validation"]
    pieces = int(both.sum() - both[tokenizer.cls_token_id] - both[tokenizer.sep_token_id])
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
        "tokens": tokens,
        "unknown_rate": int(both[tokenizer.unk_token_id]) / pieces,
        "versions": {"python": platform.python_version(), **{name: version(name) for name in _VERSIONS_OF}},
    }
