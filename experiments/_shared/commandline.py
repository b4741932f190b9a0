"""What all commands share on the command line: options from a function's signature, and errors without a traceback."""

import os
import re
import signal
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Final, TypeVar

from distilkobert.io.disk_errors import odd_name, said_plainly
from distilkobert.stop_signals import StoppedBySignal
from experiments._shared.parsing.parsers import StrictParser
from experiments._shared.quiet import plain_warnings
from experiments._shared.streams import patient_streams

Result = TypeVar("Result")

EXTENSIONS: Final = "DISTILKOBERT_IMPORT"
"""Environment variable with the modules' names, commas between them."""


def call_with_options(
    function: Callable[..., Result],
    program: str,
    description: str | None,
    arguments: Sequence[str] | None = None,
    *,
    as_positional: bool = False,
) -> Result:
    """Call `function` with options named, typed and described as in its signature and docstring.

    Args:
        function: what the command does.
        program: how the command is started, for the help text.
        description: text above the options.
        arguments: the command line; None takes the process' own.
        as_positional: parameters without a default are words without a name.
    """
    parser = StrictParser(prog=program, description=description)
    parser.add_function_arguments(function, as_positional=as_positional)
    return function(**vars(parser.parse_args(arguments)))


_LISTED = "Does not validate against any of the Union subtypes"
_REASON = re.compile(rf"^\s*- (?!Expected a |{_LISTED})(.+)$", re.MULTILINE)


def plain_cause(error: BaseException) -> BaseException:
    """The error inside what it is wrapped in.

    jsonargparse lists all types that an option could have had. A constructor's own message ("the data folder ... does
    not exist") is one of them, and would drown in it. The first is at hand as the cause; another one, such as that of a
    group that may also be a number, as text alone. A loader worker sends its traceback along, behind which the message
    comes.
    """
    listing = error
    while str(error).startswith(_LISTED) and error.__cause__:
        error = error.__cause__
    reason = _REASON.search(str(listing)) if str(error).startswith("Expected a ") else None
    if reason:
        return ValueError(reason[1])
    kind = type(error).__name__
    if str(error).startswith(f"Caught {kind} in DataLoader worker process"):
        return ValueError(str(error).rpartition(f"\n{kind}: ")[2])
    return error


def import_extensions() -> None:
    """Import the modules that the environment names.

    Raises:
        ValueError: one cannot be imported; says why.
    """
    for name in filter(None, map(str.strip, os.environ.get(EXTENSIONS, "").split(","))):
        try:
            import_module(name)
        except Exception as error:
            raise ValueError(
                f"{EXTENSIONS}: cannot import {name} ({type(error).__name__}: {error}); the folder of a file of your "
                "own goes into PYTHONPATH"
            ) from error


def run_command(command: Callable[[], object], *, needs_reader: bool = False) -> int:
    """Run a command and return its exit code: 0; 2 after an error that the user can correct; 128 + n after signal n.

    Errors of settings and files (`ValueError`, `OSError`) and losses that are not finite (`FloatingPointError`) carry
    their remedy in the message, which goes to standard error in one line. All other errors are the project's own and
    keep their traceback. Warnings of this project are one line too. Closed streams, and readers that end, stop nothing.

    Args:
        command: the command.
        needs_reader: whether its result goes to standard output; it then gets `BrokenPipeError` where nobody reads it.
    """
    patient_streams(stdout=not needs_reader)
    plain_warnings()
    try:
        import_extensions()
        command()
    except (ValueError, OSError, FloatingPointError) as error:
        cause = plain_cause(error)
        text = said_plainly(cause) if isinstance(cause, OSError) else str(cause)
        text = odd_name(cause) if isinstance(cause, UnicodeEncodeError) else text
        print(f"error: {' '.join(text.split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 128 + signal.SIGINT
    except StoppedBySignal as stop:
        if not stop.in_training:  # else it was said what the run can be resumed from
            print(stop, file=sys.stderr)
        return stop.code
    return 0
