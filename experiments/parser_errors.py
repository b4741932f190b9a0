"""Say what is wrong with a command line in a line or two, and which option was probably meant."""

import re
from collections.abc import Iterable
from difflib import get_close_matches
from importlib import import_module

from jsonargparse import ArgumentParser

_LISTING = re.compile(
    r"Does not validate against any of the Union subtypes\s+Subtypes: .*?\s+Errors:\s+- (?P<first>.*?)"
    r"\s+- Expected a <class 'NoneType'>.*",
    re.DOTALL,
)
"""jsonargparse lists every type that an option could have had; the first is the class that was asked for."""

_CLASS = re.compile(r"Problem with given class_path '(?P<path>[\w.]+)':\s+")
_KEY = re.compile(r'Parser key "([\w.]+)":\s+')
_REFUSED = re.compile(r"Option '(?P<option>[\w.]+)' is not accepted|--(?P<argument>[\w.]+)")


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
    short = _CLASS.sub(lambda found: f"{found['path'].rpartition('.')[2]}: ", short)
    short = _KEY.sub(lambda found: f"{found[1]}: ", short)
    return " ".join(short.split()) + (f"; did you mean {' or '.join(near)}?" if near else "")


def option_names(class_path: str) -> list[str]:
    """Options that a class' constructor has on the command line, those of its groups included."""
    module, _, name = class_path.rpartition(".")
    parser = ArgumentParser()
    parser.add_class_arguments(getattr(import_module(module), name), fail_untyped=False)
    return [option.lstrip("-") for action in parser._actions for option in action.option_strings]
