"""The commands below `prepare vocabulary`: give an encoder another tokenizer's pieces, or fewer of its own."""

from collections.abc import Callable

from jsonargparse import Namespace

from experiments._shared.parsing.parsers import StrictParser, add_command
from experiments.prepare.vocabulary_transfer import transfer
from experiments.prepare.vocabulary_trim import trim


def add_vocabulary_commands(parser: StrictParser) -> None:
    """Give the parser of `prepare vocabulary`, once it is part of another one, its own commands."""
    commands = parser.add_subcommands(required=True, dest="action")
    about = "write the same encoder with another tokenizer's pieces"
    add_command(commands, "transfer", _options(transfer), about)
    one = _options(trim, "corpus")
    one.add_argument("--corpus", nargs="+", required=True, metavar="FILE", help="files or globs, as for `corpus`")
    add_command(commands, "trim", one, "write the same encoder without the pieces that a corpus never uses")


def change_vocabulary(settings: Namespace) -> None:
    """Run the command that was read."""
    commands: dict[str, Callable[..., None]] = {"transfer": transfer, "trim": trim}
    commands[settings.action](**vars(settings[settings.action]))


def _options(function: Callable[..., None], *own: str) -> StrictParser:
    """A parser with the options of `function`, but for those named in `own`."""
    parser = StrictParser()
    parser.add_function_arguments(function, skip={"overwrite", *own})
    parser.add_switch("overwrite", "overwrite the folder of an earlier call")
    return parser
