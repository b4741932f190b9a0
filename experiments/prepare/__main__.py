"""Prepare data: turn texts into token sequences, download a task's data, make more of it, change a vocabulary.

    python -m experiments.prepare corpus --input 'texts/*.txt.xz' --tokenizer kobert --output corpus
    python -m experiments.prepare verify corpus
    python -m experiments.prepare fetch nsmc --output data/nsmc
    python -m experiments.prepare augment --model teacher --input train.csv --output more.csv
    python -m experiments.prepare vocabulary transfer --model encoder --tokenizer kobert --output encoder_kobert

The folder of `corpus` is read by `datamodules.CorpusDataModule`, that of `fetch` by the task's data module, the table
of `augment` by `TableDataModule`. Running the first two again finds their result and returns at once; a download that
was cut off goes on, and so does a `corpus` of many files that was killed. `verify` names the damaged files of a corpus.
`vocabulary` writes a model folder for `--model.init_from`.
"""

import sys
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import cast

from jsonargparse import Namespace
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from distilkobert.corpus.manifest import read_manifest
from distilkobert.corpus.preparation import PreparedCorpus, prepare_corpus, shard_folder
from distilkobert.corpus.sequences import CorpusSettings, Part
from distilkobert.corpus.store import StoredSequences, check_stored
from distilkobert.io.files import expand_inputs
from distilkobert.io.locks import only_process
from distilkobert.io.texts import TextKind
from distilkobert.tasks.data_sets import DatasetName
from distilkobert.tokenizers.unknowns import UNKNOWN_LIMIT
from experiments._shared.commandline import run_command
from experiments._shared.measure import peak_memory_mb
from experiments._shared.parsing.parsers import StrictParser
from experiments.prepare.augment import augment_parser, run_augment
from experiments.prepare.fetch import SOURCES, fetch
from experiments.prepare.vocabulary import add_vocabulary_commands, change_vocabulary


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    parser = StrictParser(prog="python -m experiments.prepare", description=__doc__)
    commands = parser.add_subcommands(required=True, dest="command")
    commands.add_subcommand("corpus", _corpus_parser(), help="token sequences for pretraining and distillation")
    commands.add_subcommand("verify", _verify_parser(), help="compare all files of a prepared corpus with their hashes")
    commands.add_subcommand("augment", augment_parser(), help="more training rows by a masked LM's proposals for words")
    commands.add_subcommand("fetch", _fetch_parser(), help="download the data of a task, checked by SHA-256")
    vocabulary = StrictParser()
    commands.add_subcommand("vocabulary", vocabulary, help="give an encoder another vocabulary")
    add_vocabulary_commands(vocabulary)
    settings = parser.parse_args(arguments)
    if settings.command == "vocabulary":
        return run_command(lambda: change_vocabulary(settings.vocabulary))
    if settings.command == "augment":
        return run_command(lambda: run_augment(settings.augment))
    if settings.command == "verify":
        return run_command(lambda: _verify_corpus(Path(settings.verify.corpus)))
    if settings.command == "fetch":
        return run_command(lambda: fetch(SOURCES[settings.fetch.name], Path(settings.fetch.output)))
    return run_command(lambda: _prepare_corpus(settings.corpus))


def _fetch_parser() -> StrictParser:
    parser = StrictParser()
    parser.add_argument("name", type=DatasetName, help="the data set")
    parser.add_argument("--output", type=str, required=True, help="folder for its files, made where missing")
    return parser


def _verify_parser() -> StrictParser:
    parser = StrictParser()
    parser.add_argument("corpus", type=str, help="folder that prepare corpus has made")
    return parser


def _corpus_parser() -> StrictParser:
    parser = StrictParser()
    parser.add_argument(
        "--input", nargs="+", required=True, metavar="FILE",
        help=".txt, .jsonl or .parquet files or globs, plain or .gz, .xz, .bz2, .zst; names without a suffix are text; "
        "one sentence or document a line",
    )  # fmt: skip
    parser.add_argument(
        "--tokenizer",
        type=str,
        required=True,
        help="folder or hub name: KoBERT's, or any fast tokenizer of transformers",
    )
    parser.add_argument("--output", type=str, required=True, help="folder to make")
    parser.add_argument("--field", type=str | None, help="key or column with the text, for .jsonl and .parquet")
    parser.add_argument("--format", type=TextKind | None, help="what is in the files, whatever their names say")
    parser.add_argument(
        "--unknown_limit", type=float, default=UNKNOWN_LIMIT,
        help="share of unknown pieces from which the texts are refused; 1 accepts any",
    )  # fmt: skip
    parser.add_argument("--num_proc", type=int, default=1, help="processes that encode")
    parser.add_argument("--overwrite", action="store_true", help="replace a corpus made from something else")
    parser.add_class_arguments(CorpusSettings)
    return parser


def _verify_corpus(folder: Path) -> None:
    """Read all of a corpus.

    Raises:
        ValueError: it is damaged, or was prepared before files had hashes; all damage is named.
    """
    manifest = read_manifest(folder)
    if "files" not in manifest:
        raise ValueError(f"{folder} was prepared by an earlier version, without hashes; prepare it again, --overwrite")
    check_stored(folder, manifest, sampled=None)
    for part, entries in manifest["sequences"].items():
        if entries:
            StoredSequences(folder, cast(Part, part), manifest).lengths()
    size = sum(entry["bytes"] for entry in manifest["files"].values())
    print(f"{folder}: {len(manifest['files'])} files, {size:,} bytes, all as they were written")


def _prepare_corpus(options: Namespace) -> None:
    settings = CorpusSettings(**{field.name: options[field.name] for field in fields(CorpusSettings)})
    output = Path(options.output).absolute()
    with only_process(output.with_name(f".{output.name}.lock"), f"the corpus {options.output}"):
        try:
            _prepare(options, settings)
        except BaseException:
            if (kept := shard_folder(output)).is_dir():
                print(f"note: what was encoded is kept in {kept}; the same command goes on behind it", file=sys.stderr)
            raise


def _prepare(options: Namespace, settings: CorpusSettings) -> None:
    total = sum(path.stat().st_size for path in expand_inputs(options.input))
    columns = (BarColumn(), DownloadColumn(), TextColumn("{task.fields[lines]:,} lines"), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("", total=total, lines=0)
        lines = 0

        def show(new_bytes: int, new_lines: int) -> None:
            nonlocal lines
            lines += new_lines
            progress.update(task, advance=new_bytes, lines=lines)

        prepared = prepare_corpus(
            options.input,
            options.tokenizer,
            Path(options.output),
            settings,
            options.field,
            options.num_proc,
            options.overwrite,
            show,
            options.format,
            options.unknown_limit,
        )
    _print_summary(prepared, options.output, options.num_proc)


def _print_summary(prepared: PreparedCorpus, output: str, num_proc: int) -> None:
    manifest = prepared.manifest
    lines, sequences, tokens = manifest["lines"], manifest["sequences"], manifest["tokens"]
    if prepared.reused:
        print(f"{output} is there already, made from these inputs with these settings")
    print(
        f"{lines['read']:,} lines read, {lines['kept']:,} kept ({lines['cut']:,} cut), "
        f"dropped: {lines['dropped']['empty']:,} empty, {lines['dropped']['too_short']:,} too short; "
        f"{lines['ends_dropped']:,} short ends of cut lines dropped"
    )
    for part, count in sequences.items():
        print(f"{part}: {count:,} sequences, {tokens[part]:,} tokens")
    print(f"unknown pieces: {manifest['unknown_rate']:.3%}")
    if not prepared.reused:
        processes = "one process" if num_proc == 1 else f"the largest of {num_proc + 1} processes"
        print(
            f"{prepared.seconds:.1f} s, {lines['read'] / prepared.seconds:,.0f} lines/s, "
            f"peak memory {peak_memory_mb():,.0f} MB ({processes})"
        )
        print(f"written to {output}")


if __name__ == "__main__":
    sys.exit(main())
