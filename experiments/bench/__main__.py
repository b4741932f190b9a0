"""Measure speed, size and memory.

    python -m experiments.bench corpus --input 'texts/*.txt.xz' --tokenizer kobert [--lines 50000]
    python -m experiments.bench latency --models exported/teacher exported/student --output latency.json
    python -m experiments.bench precision [--layers 12 --hidden_size 256 --heads 4]

Every number is printed with what it is compared to.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from jsonargparse import Namespace

from experiments._shared.commandline import run_command
from experiments._shared.parsers import StrictParser

if TYPE_CHECKING:
    from experiments._shared.latency_file import ModelLatency


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    parser = StrictParser(prog="python -m experiments.bench", description=__doc__)
    commands = parser.add_subcommands(required=True, dest="command")
    commands.add_subcommand("corpus", _corpus_parser(), help="preparing a corpus, against the usual way")
    commands.add_subcommand("latency", _latency_parser(), help="time for a sentence, of all models in turns")
    commands.add_subcommand("precision", _precision_parser(), help="training in float32 and bf16 on this processor")
    options = parser.parse_args(arguments)
    bench = {"corpus": _bench_corpus, "latency": _bench_latency, "precision": _bench_precision}[options.command]
    return run_command(lambda: bench(options[options.command]))


def _corpus_parser() -> StrictParser:
    parser = StrictParser()
    parser.add_argument("--input", nargs="+", required=True, metavar="FILE", help=".txt files or globs, maybe packed")
    parser.add_argument("--tokenizer", type=str, required=True, help="folder or hub name of the KoBERT tokenizer")
    parser.add_argument("--lines", type=int | None, help="use only this many lines, from the start")
    parser.add_argument("--num_proc", type=int, default=1, help="processes of ours; the usual way has one")
    return parser


def _latency_parser() -> StrictParser:
    parser = StrictParser()
    parser.add_argument(
        "--models", nargs="+", required=True, metavar="DIR", help="exported folders; ratios to the first"
    )
    parser.add_argument("--output", type=str, required=True, metavar="FILE", help="JSON file to write")
    parser.add_argument("--lengths", nargs="+", type=int, default=[16, 64], metavar="N", help="pieces in a sentence")
    parser.add_argument("--repeats", type=int, default=20, help="rounds; the median over them counts")
    parser.add_argument("--threads", type=int, default=1, help="threads of torch")
    parser.add_argument("--skip_missing", type=bool, default=False, help="leave out folders that are not there")
    return parser


def _precision_parser() -> StrictParser:
    parser = StrictParser()
    parser.add_argument("--layers", type=int, default=12, help="Transformer layers")
    parser.add_argument(
        "--hidden_size", type=int, default=256, help="width; the feed-forward blocks have four times it"
    )
    parser.add_argument("--heads", type=int, default=4, help="attention heads in a layer")
    parser.add_argument("--batch", type=int, default=32, help="sequences in a step")
    parser.add_argument("--length", type=int, default=64, help="tokens in a sequence")
    parser.add_argument("--rounds", type=int, default=5, help="steps in each format; their median counts")
    parser.add_argument("--threads", type=int | None, help="threads of torch; by default its own number")
    return parser


def _bench_precision(options: Namespace) -> None:
    from distilkobert.models.teachers import EncoderSpec
    from experiments.bench.latency import processor_name
    from experiments.bench.precision import Training, bench_precision, precision_lines

    width = options.hidden_size
    encoder = EncoderSpec(options.layers, width, options.heads, intermediate_size=4 * width, dropout=0.0)
    training = Training(encoder, options.batch, options.length, options.rounds, options.threads)
    print(
        f"{processor_name()}; masked LM, {options.layers} x {width}, {options.batch} x {options.length} tokens a step"
    )
    print("\n".join(precision_lines(bench_precision(training))))


def _bench_corpus(options: Namespace) -> None:
    from experiments.bench.corpus import bench_corpus

    bench = bench_corpus(options.input, options.tokenizer, options.lines, options.num_proc)
    print(f"{bench.lines:,} lines, same text and tokenizer files for both; each way in a process of its own")
    usual = "one at a time, slow tokenizer of transformers, all in memory, pickled"
    ours = f"prepare corpus, {'one process' if options.num_proc == 1 else f'{options.num_proc} processes'}"
    for name, measured in ((usual, bench.usual), (ours, bench.ours)):
        print(
            f"{name}: {measured.result:.1f} s, {bench.lines / measured.result:,.0f} lines/s, "
            f"peak memory {measured.peak_mb:,.0f} MB"
        )
    print(f"{bench.ratio:.1f} times faster, {bench.usual.peak_mb / bench.ours.peak_mb:.1f} times less memory")


def _bench_latency(options: Namespace) -> None:
    from experiments._shared.quiet import quieten_transformers
    from experiments.bench.latency import bench_latency, processor_name, write_latency

    quieten_transformers()
    output = Path(options.output)
    if output.is_dir() or not output.parent.is_dir():
        raise FileNotFoundError(f"--output={output}: expected the name of a JSON file in a folder that exists")
    left_out = [name for name in options.models if options.skip_missing and not Path(name).is_dir()]
    if left_out:
        print(f"not there, left out: {', '.join(left_out)}", file=sys.stderr)
    models = [name for name in options.models if name not in left_out]
    results = bench_latency(models, options.lengths, options.repeats, options.threads)
    write_latency(output, results, options.threads)
    print(f"{processor_name()}, threads: {options.threads}; pieces: {', '.join(map(str, options.lengths))}")
    print(latency_table(results))


def latency_table(results: "Mapping[str, ModelLatency]") -> str:
    """The figures as lines of text, each time with its ratio to the first model's."""
    from experiments._shared.latency_file import time_text

    first = next(iter(results.values()))
    wide = max(map(len, results))
    lines = [
        f"{'model':<{wide}}  {'batch 1 ms':>26}  {'batch 32 ms':>26}  {'sentences/s':>12}  {'parameters':>12}  "
        f"{'MB':>7}"
    ]
    for name, one in results.items():
        faster, faster_32 = first.batch_1_ms / one.batch_1_ms, first.batch_32_ms / one.batch_32_ms
        alone = f"{time_text(one.batch_1_ms, one.batch_1_quartiles_ms)} {faster:.2f} x"
        together = f"{time_text(one.batch_32_ms, one.batch_32_quartiles_ms)} {faster_32:.2f} x"
        lines.append(
            f"{name:<{wide}}  {alone:>26}  {together:>26}  {one.sentences_per_s:>12,.1f}  {one.parameters:>12,}  "
            f"{one.mb:>7.1f}"
        )
    return "\n".join([*lines, f"in brackets: half of the repeats; x: times faster than {next(iter(results))}"])


if __name__ == "__main__":
    sys.exit(main())
