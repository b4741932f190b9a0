"""Measure speed and memory.

    python -m experiments.bench corpus --input 'texts/*.txt.xz' --tokenizer kobert [--lines 50000]

Every number is taken in a process of its own, and printed with what it is compared to.
"""

import sys
from collections.abc import Sequence

from jsonargparse import ArgumentParser, Namespace

from experiments.bench_corpus import bench_corpus
from experiments.commandline import run_command


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    parser = ArgumentParser(prog="python -m experiments.bench", description=__doc__, allow_abbrev=False)
    commands = parser.add_subcommands(required=True, dest="command")
    commands.add_subcommand("corpus", _corpus_parser(), help="preparing a corpus, against the usual way")
    options = parser.parse_args(arguments)
    return run_command(lambda: _bench_corpus(options.corpus))


def _corpus_parser() -> ArgumentParser:
    parser = ArgumentParser(allow_abbrev=False)
    parser.add_argument("--input", nargs="+", required=True, metavar="FILE", help=".txt files or globs, maybe packed")
    parser.add_argument("--tokenizer", type=str, required=True, help="folder or hub name of the KoBERT tokenizer")
    parser.add_argument("--lines", type=int | None, help="use only this many lines, from the start")
    parser.add_argument("--num_proc", type=int, default=1, help="processes of ours; the usual way has one")
    return parser


def _bench_corpus(options: Namespace) -> None:
    bench = bench_corpus(options.input, options.tokenizer, options.lines, options.num_proc)
    print(f"{bench.lines:,} lines, same text and tokenizer files for both")
    usual = "one at a time, slow tokenizer of transformers, all in memory, pickled"
    ours = f"prepare corpus, {'one process' if options.num_proc == 1 else f'{options.num_proc} processes'}"
    for name, measured in ((usual, bench.usual), (ours, bench.ours)):
        print(
            f"{name}: {measured.result:.1f} s, {bench.lines / measured.result:,.0f} lines/s, "
            f"peak memory {measured.peak_mb:,.0f} MB"
        )
    print(f"{bench.ratio:.1f} times faster, {bench.usual.peak_mb / bench.ours.peak_mb:.1f} times less memory")


if __name__ == "__main__":
    sys.exit(main())
