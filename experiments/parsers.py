"""How every command line of this project is read: no abbreviations, help as it was written, errors of a line or two."""

import re
import sys
from argparse import RawDescriptionHelpFormatter
from collections.abc import Iterable
from difflib import get_close_matches
from importlib import import_module
from typing import Any, NoReturn

from jsonargparse import ArgumentParser, DefaultHelpFormatter

_LISTING = re.compile(
    r"Does not validate against any of the Union subtypes\s+Subtypes: .*?\s+Errors:\s+- (?P<first>.*?)"
    r"\s+- Expected a <class 'NoneType'>.*",
    re.DOTALL,
)
"""jsonargparse lists every type that an option could have had; the first is the class that was asked for."""

_CLASS = re.compile(r"Problem with given class_path '(?P<path>[\w.]+)':\s+")
_KEY = re.compile(r'Parser key "([\w.]+)":\s+')
_REFUSED = re.compile(r"Option '(?P<option>[\w.]+)' is not accepted|--(?P<argument>[\w.]+)")


_CHOICES = re.compile(r"Expected a typing\.Literal\[(?P<choices>[^]]*)\]\. Got value: (?P<value>\S+)")


class HelpFormatter(DefaultHelpFormatter, RawDescriptionHelpFormatter):
    """Help that keeps the lines of the description as they were written."""


class StrictParser(ArgumentParser):
    """A parser that takes no abbreviated option: a shortened name is a typing mistake, never another setting."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("formatter_class", HelpFormatter)
        super().__init__(*args, allow_abbrev=False, **kwargs)

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        """Say what is wrong and what was probably meant, without the list of all options."""
        if not self.exit_on_error:
            super().error(message, ex)
        options = [name.lstrip("-") for action in self._actions for name in action.option_strings]
        print(f"error: {explain(message, options)}", file=sys.stderr)
        program = " ".join(word for word in self.prog.split() if word != "[options]")
        print(f"All options: {program} --help", file=sys.stderr)
        sys.exit(2)


def explain(message: str, options: Iterable[str]) -> str:
    """The parser's message on one line, without what does not help, and with the nearest options there are.

    Args:
        message: message of jsonargparse.
        options: names of the parser's options, without dashes.
    """
    short = _LISTING.sub(lambda listing: listing["first"], message)
    near: list[str] = []
    if "is not accepted" in short or "unrecognized arguments" in short:
        asked = _CLASS.search(short)
        known = option_names(asked["path"]) if asked else list(options)
        for refused in _REFUSED.finditer(short):
            near += get_close_matches(refused["option"] or refused["argument"], known, n=2, cutoff=0.75)
    short = _CHOICES.sub(_expected_one_of, short)
    short = _CLASS.sub(lambda found: f"{found['path'].rpartition('.')[2]}: ", short)
    short = _KEY.sub(lambda found: f"{found[1]}: ", short)
    return " ".join(short.split()) + (f"; did you mean {' or '.join(near)}?" if near else "")


def _expected_one_of(found: re.Match[str]) -> str:
    choices = [choice.strip(" '\"") for choice in found["choices"].split(",")]
    near = get_close_matches(found["value"], choices, n=1)
    question = f"; did you mean {near[0]}?" if near else ""
    return f"expected {', '.join(choices[:-1])} or {choices[-1]}, got {found['value']}{question}"


def option_names(class_path: str) -> list[str]:
    """Options that a class' constructor has on the command line, those of its groups included."""
    module, _, name = class_path.rpartition(".")
    parser = ArgumentParser()
    parser.add_class_arguments(getattr(import_module(module), name), fail_untyped=False)
    return [option.lstrip("-") for action in parser._actions for option in action.option_strings]
