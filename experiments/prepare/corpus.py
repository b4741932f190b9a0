"""`prepare corpus`, `prepare merge` and `prepare verify`: from text files to a folder of token sequences."""

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import fields
from pathlib import Path
from typing import cast

from jsonargparse import Namespace
from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn

from distilkobert.corpus.manifest import read_manifest
from distilkobert.corpus.preparation.merging import merge_shares
from distilkobert.corpus.preparation.prepare import PreparedCorpus, prepare_corpus, shard_folder
from distilkobert.corpus.preparation.shares import Share, prepare_share
from distilkobert.corpus.preparation.work import OnProgress
from distilkobert.corpus.sequences import CorpusSettings, LineCounts, Part
from distilkobert.corpus.store import StoredSequences, check_stored
from distilkobert.io.locks import only_process
from distilkobert.io.reading.texts import TextKind
from distilkobert.tokenizers.unknowns import UNKNOWN_LIMIT
from experiments._shared.bars import progress_bar
from experiments._shared.machine.measure import peak_memory_mb
from experiments._shared.parsing.parsers import StrictParser


def corpus_parser() -> StrictParser:
    """Options of `prepare corpus`."""
    parser = StrictParser()
    parser.add_argument(
        "--input", nargs="+", required=True, metavar="FILE",
        help=".txt, .jsonl or .parquet files or globs, plain or .gz, .xz, .bz2, .zst; names without a suffix are text; "
        "one sentence or document per line. Addresses of fsspec too: hf://, s3://, https://",
    )  # fmt: skip
    _add_common(parser)
    parser.add_argument("--field", type=str | None, help="key or column with the text, for .jsonl and .parquet")
    parser.add_argument("--format", type=TextKind | None, help="format of all files; by default from their names")
    parser.add_argument("--num_proc", type=int, default=1, help="number of processes that encode")
    parser.add_argument(
        "--shard", type=str | None, metavar="I/N",
        help="encode only shard I of N, for job arrays; prepare merge joins the shards and checks unknown_limit",
    )  # fmt: skip
    parser.add_class_arguments(CorpusSettings)
    return parser


def merge_parser() -> StrictParser:
    """Options of `prepare merge`."""
    parser = StrictParser()
    parser.add_argument("shards", nargs="+", metavar="FOLDER", help="folders made by prepare corpus --shard")
    _add_common(parser)
    return parser


def verify_parser() -> StrictParser:
    """Options of `prepare verify`."""
    parser = StrictParser()
    parser.add_argument("corpus", type=str, help="folder made by prepare corpus")
    return parser


def _add_common(parser: StrictParser) -> None:
    parser.add_argument(
        "--tokenizer",
        type=str,
        required=True,
        help="folder or hub name: KoBERT's, or any fast tokenizer of transformers",
    )
    parser.add_argument("--output", type=str, required=True, help="folder to write")
    parser.add_argument(
        "--unknown_limit", type=float, default=UNKNOWN_LIMIT,
        help="share of unknown pieces from which the command stops; 1 accepts any text",
    )  # fmt: skip
    parser.add_switch("overwrite", "overwrite another corpus")


def verify(folder: Path) -> None:
    """Read all of a corpus.

    Raises:
        ValueError: it is damaged; all damage is named.
    """
    manifest = read_manifest(folder)
    check_stored(folder, manifest, sampled=None)
    for part, entries in manifest["sequences"].items():
        if entries:
            StoredSequences(folder, cast(Part, part), manifest).lengths()
    size = sum(entry["bytes"] for entry in manifest["files"].values())
    print(f"{folder}: {len(manifest['files'])} files, {size:,} bytes, all intact")


def prepare(options: Namespace) -> None:
    """Prepare a corpus, or one shard of it."""
    settings = CorpusSettings(**{field.name: options[field.name] for field in fields(CorpusSettings)})
    share = None if options.shard is None else Share.parse(options.shard)
    output = Path(options.output).absolute()
    with _only_one(options.output):
        try:
            with _progress() as on_progress:
                if share is None:
                    prepared = prepare_corpus(
                        options.input, options.tokenizer, Path(options.output), settings, options.field,
                        options.num_proc, options.overwrite, on_progress, options.format, options.unknown_limit,
                    )  # fmt: skip
                else:
                    part = prepare_share(
                        share, options.input, options.tokenizer, Path(options.output), settings, options.field,
                        options.num_proc, options.overwrite, on_progress, options.format,
                    )  # fmt: skip
        except BaseException:
            if (kept := shard_folder(output)).is_dir():
                print(
                    f"note: encoded shards are kept in {kept}; the same command continues after them", file=sys.stderr
                )
            raise
    if share is None:
        _print_corpus(prepared, options.output, options.num_proc)
        return
    files = sum(len(group["inputs"]) for group in part.record["groups"])
    if part.reused:
        print(f"{options.output} already exists, made from these inputs with these settings")
    print(f"shard {share}: {files} of {len(part.record['all_inputs'])} input files")
    _print_lines(part.counts)
    _print_end(part.seconds, part.counts.read, options.output, options.num_proc)


def merge(options: Namespace) -> None:
    """Join the shards of a corpus."""
    with _only_one(options.output):
        folders = [Path(name) for name in options.shards]
        prepared = merge_shares(
            folders, options.tokenizer, Path(options.output), options.overwrite, options.unknown_limit
        )
    _print_corpus(prepared, options.output, num_proc=1)
    print("keep the shards until `prepare verify` has checked this corpus")


def _only_one(output: str) -> AbstractContextManager[None]:
    path = Path(output).absolute()
    return only_process(path.with_name(f".{path.name}.lock"), f"the corpus {output}")


@contextmanager
def _progress() -> Iterator[OnProgress]:
    columns = (BarColumn(), DownloadColumn(), TextColumn("{task.fields[lines]:,} lines"), TimeRemainingColumn())
    with progress_bar(*columns) as progress:
        task = progress.add_task("", total=None, lines=0)
        lines = 0

        def show(new_bytes: int, new_lines: int, all_bytes: int) -> None:
            nonlocal lines
            lines += new_lines
            progress.update(task, advance=new_bytes, total=all_bytes, lines=lines)

        yield show


def _print_corpus(prepared: PreparedCorpus, output: str, num_proc: int) -> None:
    manifest = prepared.manifest
    lines, sequences, tokens = manifest["lines"], manifest["sequences"], manifest["tokens"]
    if prepared.reused:
        print(f"{output} already exists, made from these inputs with these settings")
    dropped = lines["dropped"]
    _print_lines(LineCounts(lines["read"], dropped["empty"], dropped["too_short"], lines["cut"], lines["ends_dropped"]))
    for part, count in sequences.items():
        print(f"{part}: {count:,} sequences, {tokens[part]:,} tokens")
    print(f"unknown pieces: {manifest['unknown_rate']:.3%}")
    _print_end(prepared.seconds, lines["read"], output, num_proc)


def _print_lines(counts: LineCounts) -> None:
    print(
        f"{counts.read:,} lines read, {counts.kept:,} kept ({counts.cut:,} cut), "
        f"dropped: {counts.empty:,} empty, {counts.too_short:,} too short; "
        f"{counts.ends_dropped:,} short ends of cut lines dropped"
    )


def _print_end(seconds: float, lines: int, output: str, num_proc: int) -> None:
    """Speed and place of what was made; nothing where it was there already."""
    if seconds:
        processes = "one process" if num_proc == 1 else f"the largest of {num_proc + 1} processes"
        print(f"{seconds:.1f} s, {lines / seconds:,.0f} lines/s, peak memory {peak_memory_mb():,.0f} MB ({processes})")
        print(f"written to {output}")
