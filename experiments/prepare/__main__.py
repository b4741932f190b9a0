"""Prepare data: turn texts into token sequences, download a task's data, make more of it, change a vocabulary.

    python -m experiments.prepare corpus --input 'texts/*.txt.xz' --tokenizer kobert --output corpus
    python -m experiments.prepare corpus --shard 2/4 --input 'texts/*' --tokenizer kobert --output shards/2
    python -m experiments.prepare merge shards/* --tokenizer kobert --output corpus
    python -m experiments.prepare verify corpus
    python -m experiments.prepare fetch nsmc --output data/nsmc
    python -m experiments.prepare augment --model teacher --input train.csv --output more.csv
    python -m experiments.prepare vocabulary transfer --model encoder --tokenizer kobert --output encoder_kobert
    python -m experiments.prepare vocabulary trim --model encoder --corpus 'texts/*' --output encoder_small

`datamodules.CorpusDataModule` reads the folder of `corpus`, the task's data module that of `fetch`, `TableDataModule`
the table of `augment`. `corpus` and `fetch` return at once if their result exists; an interrupted download or `corpus`
continues. With `--shard` each job of an array encodes a part of the input files, and `merge` writes the corpus that a
single run would have written. `verify` names damaged files of a corpus. `vocabulary` writes a model folder for
`--model.init_from`.
"""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from jsonargparse import Namespace

from distilkobert.tasks.data_sets import DatasetName
from experiments._shared.commandline import run_command
from experiments._shared.parsing.parsers import StrictParser, add_command
from experiments.prepare.augment import augment_parser, run_augment
from experiments.prepare.corpus import corpus_parser, merge, merge_parser, prepare, verify, verify_parser
from experiments.prepare.fetch import SOURCES, fetch
from experiments.prepare.vocabulary import add_vocabulary_commands, change_vocabulary


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    return run_command(lambda: _prepare(arguments))


def _prepare(arguments: Sequence[str] | None) -> None:
    parser = StrictParser(prog="python -m experiments.prepare", description=__doc__)
    commands = parser.add_subcommands(required=True, dest="command")
    vocabulary = StrictParser()
    for name, own, about in (
        ("corpus", corpus_parser(), "turn texts into token sequences for pretraining and distillation"),
        ("merge", merge_parser(), "merge the shards of a job array into one corpus"),
        ("verify", verify_parser(), "check the hashes of all files of a prepared corpus"),
        ("augment", augment_parser(), "make more training rows: words replaced by a masked LM's proposals"),
        ("fetch", _fetch_parser(), "download the data of a task, and check known SHA-256 sums"),
        ("vocabulary", vocabulary, "give an encoder another vocabulary"),
    ):
        add_command(commands, name, own, about)
    add_vocabulary_commands(vocabulary)
    settings = parser.parse_args(arguments)
    actions: dict[str, Callable[[Namespace], object]] = {
        "corpus": prepare,
        "merge": merge,
        "verify": lambda options: verify(Path(options.corpus)),
        "augment": run_augment,
        "fetch": lambda options: fetch(SOURCES[options.name], Path(options.output)),
        "vocabulary": change_vocabulary,
    }
    actions[settings.command](settings[settings.command])


def _fetch_parser() -> StrictParser:
    parser = StrictParser()
    parser.add_argument("name", type=DatasetName, help="the data set")
    parser.add_argument("--output", type=str, required=True, help="folder for its files; created if missing")
    return parser


if __name__ == "__main__":
    sys.exit(main())
