"""Measure speed, size and memory.

    python -m experiments.bench distil [--layers 12 --hidden_size 768 --heads 12 --json distil.json]
    python -m experiments.bench latency --models exported/teacher exported/student --output latency.json
    python -m experiments.bench NAME --help

Every number is printed with its baseline; variants are measured in turns. `--json FILE` stores the numbers.
"""

import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryFile

from jsonargparse import Namespace

from distilkobert.io.run_files import write_json
from experiments._shared.commandline import run_command
from experiments._shared.parsing.parsers import StrictParser, add_command
from experiments.bench.options import BENCHES


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    return run_command(lambda: _bench(arguments))


def _bench(arguments: Sequence[str] | None) -> None:
    parser = StrictParser(prog="python -m experiments.bench", description=__doc__)
    commands = parser.add_subcommands(required=True, dest="command")
    for name, bench in BENCHES.items():
        own = StrictParser()
        bench.add_options(own)
        own.add_argument("--json", type=str | None, metavar="FILE", help="JSON file to write the numbers into")
        add_command(commands, name, own, bench.about)
    options = parser.parse_args(arguments)
    _run(options.command, options[options.command])


def _run(name: str, options: Namespace) -> None:
    output = None if options.json is None else Path(options.json)
    if output is not None:
        _check_place(output)
    numbers = import_module(f"experiments.bench.{BENCHES[name].module}").main(options)
    if output is not None:
        write_json(output, numbers)


def _check_place(output: Path) -> None:
    """Refuse, before anything is measured, a file that cannot be written."""
    if output.is_dir() or not output.parent.is_dir():
        raise FileNotFoundError(f"--json={output}: expected the name of a JSON file in a folder that exists")
    try:
        TemporaryFile(dir=output.parent).close()
    except OSError as error:
        raise OSError(f"--json={output}: no file can be written there ({error.strerror})") from error


if __name__ == "__main__":
    sys.exit(main())
