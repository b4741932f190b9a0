"""Preparing a corpus: text files in, a folder of token sequences out, over any number of processes in flat memory."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from threading import Thread

from distilkobert.corpus.manifest import Manifest
from distilkobert.corpus.preparation.encoding import interrupts_held
from distilkobert.corpus.preparation.joining import existing_corpus, join_shards
from distilkobert.corpus.preparation.shards import ShardFolder, grouped
from distilkobert.corpus.preparation.work import CorpusWork, OnProgress
from distilkobert.corpus.sequences import CorpusSettings
from distilkobert.io.files import require_free
from distilkobert.io.reading.inputs import described
from distilkobert.io.reading.texts import TextKind
from distilkobert.tokenizers.unknowns import UNKNOWN_LIMIT, require_limit


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
    on_progress: OnProgress | None = None,
    kind: TextKind | None = None,
    unknown_limit: float = UNKNOWN_LIMIT,
) -> PreparedCorpus:
    """Make the corpus folder `output`, or find that it is there already.

    The result does not depend on the number of processes. The folder appears only when it is whole. Input files are
    encoded into shards next to it (see `shards.py`). Shards of a killed or interrupted preparation are kept, and
    the same command continues after them.

    Args:
        inputs: File names, addresses of fsspec, and globs; `texts.read_texts` lists the formats.
        tokenizer: Folder or hub name of the tokenizer: whatever `load_tokenizer` loads.
        output: The folder to make.
        settings: How text becomes sequences.
        field: Where the text is in `.jsonl` and `.parquet` files.
        num_proc: Processes that encode.
        overwrite: Replace a corpus in `output` that was made from something else, or is damaged.
        on_progress: Called during the work.
        kind: What is in the inputs, whatever their names say.
        unknown_limit: Share of unknown pieces from which the texts are refused; 1 accepts any.

    Raises:
        FileNotFoundError: An input or the tokenizer is missing.
        FileExistsError: `output` holds something else than this corpus; the message says what differs.
        ConnectionError: A remote input cannot be reached.
        ValueError: A setting is out of range, an input cannot be read (file and line are named), no sequence is left
            for a part, too many pieces are unknown, or this corpus is in `output` but damaged.
    """
    require_processes(num_proc)
    require_limit(unknown_limit)
    work = CorpusWork.find(inputs, tokenizer, settings, field, kind)
    entries = {file: described(file) for file in work.files}
    origin = work.origin(list(entries.values()))
    existing = existing_corpus(output, origin, overwrite)
    if existing is not None:
        return PreparedCorpus(existing, reused=True, seconds=0.0)

    start = time.perf_counter()
    shards = [work.shard(files, [entries[file] for file in files]) for files in grouped(work.files)]
    store = ShardFolder(shard_folder(output), work.tokenizer.id_dtype)
    require_free(output, overwrite)
    with store.kept_if_useful(shards):
        with _imported_meanwhile("datasets") if num_proc > 1 else nullcontext():
            work.encode(shards, store, num_proc, on_progress)
        pieces = [(store, shard) for shard in shards]
        manifest = join_shards(pieces, output, origin, work.tokenizer, settings, unknown_limit, overwrite)
    store.remove()
    return PreparedCorpus(manifest, reused=False, seconds=time.perf_counter() - start)


def require_processes(num_proc: int) -> None:
    """Check the number of processes that encode.

    Raises:
        ValueError: it is less than 1.
    """
    if num_proc < 1:
        raise ValueError(f"num_proc is {num_proc}; expected at least 1")


@contextmanager
def _imported_meanwhile(name: str) -> Iterator[None]:
    """Import what is needed after the block in a thread; other processes do the block's work.

    Where it fails, nothing is printed: the import after the block fails too, and is the one to be reported. A command
    that is interrupted meanwhile makes it fail as well.
    """

    def import_early() -> None:
        with suppress(Exception):
            import_module(name)

    importing = Thread(target=import_early)
    with interrupts_held():
        importing.start()
    yield
    importing.join()


def shard_folder(output: Path) -> Path:
    """Where the shards of a corpus are kept until all are there."""
    return output.with_name(f".{output.name}.shards")
