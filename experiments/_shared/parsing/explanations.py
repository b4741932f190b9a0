"""jsonargparse's messages in a line or two: what is wrong, the choices, and what was probably meant."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from pkgutil import resolve_name
from typing import Final, get_type_hints

from experiments._shared.parsing.class_names import named_by, no_class, option_names
from experiments._shared.parsing.mistakes import did_you_mean, expected_one_of, near_options, remedy

_LISTING = re.compile(
    r"Does not validate against any of the Union subtypes\s+Subtypes: .*?\s+Errors:\s+- (?P<first>.*?)"
    r"\s+- Expected a <class 'NoneType'>.*",
    re.DOTALL,
)
"""jsonargparse lists every type that an option could have had; the first is the class that was named."""

_SEVERAL = re.compile(
    r"Does not validate against any of the Union subtypes\s+Subtypes: \[(?P<types>.*?)\]\s+Errors:\s+"
    r"(?P<errors>.*?)\s+Given value type: .*?\s+Given value: (?P<value>.*)",
    re.DOTALL,
)
"""The same of an option that may be one of several types, none of them nothing: a number or a group of settings."""

_PLAIN = re.compile(
    r"Does not validate against any of the Union subtypes\s+Subtypes: [^\n]*\s+Errors:\s+"
    r"(?P<errors>(?:- Expected a <class '\w+'>\s+)+)Given value type: [^\n]*\s+Given value: (?P<value>[^\n]*)"
)
"""The same of an option inside another, of plain types alone."""

_TYPED = "unrecognized arguments: "

_PAIRS = "Sequence[collections.abc.Sequence[int]]"
"""Type of pairs of layers; see `LayerMap`."""

_NO_RECIPE = re.compile(r"Problem with given class_path 'pytorch_lightning\.Lightning(?:Data)?Module':\s+.*", re.DOTALL)
"""An option of the module or the data where no class is chosen yet."""

_REQUIRED = re.compile(r"the following arguments are required: (?:\w+\.data, )?\w+\.model")

_CLASS = re.compile(r"Problem with given class_path '(?P<path>[\w.]+)':\s+")
KEY = re.compile(r'Parser key "([\w.]+)":\s+')
REFUSED = re.compile(
    r"(?:Group '(?P<group>[\w.]+)' does not accept )?[Oo]ption '(?P<option>[\w.]+\+?)'|--(?P<argument>[\w.]+)"
)
_PATH = re.compile(r"- Expected a path but \S+ either not accessible or invalid\s+- ")
"""Said of the name of a class, which might have been that of a file."""

NO_CLASS = re.compile(
    r"Expected a dot import path string: (?P<bare>\S+)"
    r"|Problem with given class_path '(?P<path>[\w.]+)':\s+(?:No module named|module '[\w.]+' has no attribute).*"
)
_ABSTRACT = re.compile(r"Expected an instantiatable class, but (?P<path>[\w.]+) is abstract")
_CHOICES = re.compile(r"Expected a typing\.Literal\[(?P<choices>[^]]*)\]\. Got value: (?P<value>\S+)")

_NO_COMMAND = re.compile(
    r"argument (?:subcommand|command|action): invalid choice: '?(?P<value>[^' ]*)'? \(choose from (?P<choices>[^)]*)\)"
)
_ONE_TYPE = re.compile(r"Expected a <class '(?P<type>\w+)'>\. Got value: (?P<value>[^\n]*)")
_TYPES: Final = {
    "int": "an integer",
    "float": "a number",
    "bool": "true or false",
    "str": "text",
    "list": "a list",
    "tuple": "a list",
    "dict": "settings, each with its name",
}
"""What a value of a type of Python is in YAML."""

_NO_SETTINGS = re.compile(
    r"Unable to load config '(?P<value>[^']*)' - (?:[\w.]+: )?Unable to load config \"(?P=value)\""
    r"|'\w+' object has no attribute 'keys'"
)
"""A value in the place of settings: text, which might have been the name of a file of them, or a number or a list."""

_NO_CLASS_NAME = re.compile(
    r"unhashable type: '(?P<type>\w+)'"
    r"|Not a valid subclass of (?P<base>\w+)\. Got value: (?P<value>.*?)\s+Subclass types .*",
    re.DOTALL,
)
"""A list or settings in the place of a class' name."""

NO_CONFIG = re.compile(r"\bconfig\"?: (?:File does not exist|Path is not a file): '(?P<path>[^']+)'")
"""A configuration file that is not there, in the message as it is or without the quotes of the key."""


def explain(message: str, options: Iterable[str], classes: Mapping[str, Sequence[str]] | None = None) -> str:
    """The parser's message on one line, without what does not help, and with the nearest options there are.

    Args:
        message: message of jsonargparse.
        options: names of the parser's options, without dashes.
        classes: by option, the classes that it may name.
    """
    short = _PLAIN.sub(_of_plain, _PATH.sub("", message))
    short = _PATH.sub("", _LISTING.sub(_first_of, short))
    short = _SEVERAL.sub(_of_several, short)
    short = _NO_RECIPE.sub("no class is set yet; put the recipe (-c FILE) before its options and overlays", short)
    short = _REQUIRED.sub("no recipe given; put one first, such as -c configs/distill/distilkobert.yaml", short)
    near, answer = list[str](), ""
    owner = KEY.search(short)
    below = (
        f"{owner[1]}." if owner and _CLASS.search(short) and _TYPED in short else ""
    )  # the option that names the class
    if any(phrase in short for phrase in ("is not accepted", "does not accept", "unrecognized arguments")):
        asked = _CLASS.findall(short)  # an objective's option is inside the module's
        known = option_names(asked[-1]) if asked else list(options)
        for name in map(refused_name, REFUSED.finditer(short)):
            answer = remedy(f"{below}{name}") or answer
            near += near_options(name, known)
    if below:  # as it is typed
        short = short.replace(f"{_TYPED}--", f"{_TYPED}--{below}")
        near = [name if name.startswith(below) else f"{below}{name}" for name in near]
    short = _CHOICES.sub(lambda found: expected_one_of(found["choices"].split(","), found["value"]), short)
    short = _NO_COMMAND.sub(
        lambda found: f"command: {expected_one_of(found['choices'].split(','), found['value'])}", short
    )
    names = _expected_classes(short, classes or {})
    if names:
        short = NO_CLASS.sub(lambda found: no_class(names, found["bare"] or found["path"]), short)
    short = _ABSTRACT.sub(lambda found: f"{found['path']} is abstract: it defines no {_missing(found['path'])}", short)
    short = _CLASS.sub(lambda found: f"{found['path'].rpartition('.')[2]}: ", short)
    short = KEY.sub(lambda found: f"{found[1]}: ", short)
    short = _NO_CLASS_NAME.sub(_of_class, _ONE_TYPE.sub(_of_type, short))
    short = NO_CONFIG.sub(lambda found: _no_config(Path(found["path"])), short)
    answer = answer or (f"; did you mean {' or '.join(near)}?" if near else "")
    return _NO_SETTINGS.sub(_of_settings, " ".join(short.split())) + answer


def _of_settings(found: re.Match[str]) -> str:
    got = "" if found["value"] is None else f", or a file of them, got {found['value']!r}"
    return f"expected settings, each with its name{got}"


def _of_class(found: re.Match[str]) -> str:
    if found["base"]:
        return f"expected a class below {found['base']}, by its name or as class_path, got {found['value'].strip()}"
    return f"class_path: expected the name of one class, got {_TYPES.get(found['type'], found['type'])}"


def _expected_classes(message: str, classes: Mapping[str, Sequence[str]]) -> Sequence[str]:
    """Names of the classes that the option may name which a message is about, maybe an option of a class."""
    keys, owners = KEY.findall(message), _CLASS.findall(message)
    if len(keys) > 1 and owners:
        return named_by(get_type_hints(resolve_name(owners[0]).__init__).get(keys[-1]))
    return classes.get(keys[0], ()) if keys else ()


def _missing(class_path: str) -> str:
    return " and no ".join(sorted(getattr(resolve_name(class_path), "__abstractmethods__", ())))


def _first_of(listing: re.Match[str]) -> str:
    """The first error of a listing: that of the named class; choices of several types become one list."""
    indent = re.search(r"Errors:\n(\s*)- ", listing[0])
    errors = listing["first"].split(f"\n{indent[1]}- ") if indent else [listing["first"]]
    own = [error for error in errors if not error.startswith(("Expected a <class", "Not a valid subclass"))]
    choices = re.findall(r"Expected a typing\.Literal\[([^]]*)\]", listing[0])
    if not listing["first"].startswith("Expected a ") or not choices:
        return (own or errors)[0]
    names = dict.fromkeys(choice.strip(" '\"") for choice in ", ".join(choices).split(","))
    return expected_one_of(list(names), listing[0].rpartition("Given value: ")[2].strip())


def _of_type(found: re.Match[str]) -> str:
    kind, value = _TYPES.get(found["type"], found["type"]), found["value"].strip()
    written = f"; write [{value}]" if kind == "a list" and value[:1] not in ("", "[", "{") else ""
    return f"expected {kind}, got {value!r}{written}"


def _no_config(path: Path) -> str:
    """A configuration file that is not there, and the one that was probably meant."""
    here = Path.cwd()
    kept = [found.name for found in (path if path.is_dir() else path.parent).glob("*.y*ml")]
    question = did_you_mean(path.name, kept)
    shown = path.relative_to(here) if path.is_relative_to(here) else path
    if path.is_dir():
        return f"-c/--config: {shown} is a folder; name one of its files{': ' if kept else ''}{', '.join(sorted(kept))}"
    return f"-c/--config: no such file: {shown}{question and f'; {question}'}"


def _of_plain(listing: re.Match[str]) -> str:
    """The types that there are, without that of nothing."""
    types = [name for name in re.findall(r"<class '(\w+)'>", listing["errors"]) if name != "NoneType"]
    return f"expected {' or '.join(types)}, got {listing['value']}"


def _of_several(listing: re.Match[str]) -> str:
    """What is wrong below the settings of a group, or else the types that there are."""
    errors = [error for error in re.split(r"(?:^|\n)\s*- ", listing["errors"]) if error]
    own = [error for error in errors if not error.startswith("Expected a")]
    types: list[str] = re.findall(r"'(?:\w+\.)*(\w+)'", listing["types"])
    if _PAIRS in listing["types"]:
        return f"expected {', '.join(types)}, or pairs [[student, teacher], ...], got {listing['value']}"
    return own[0] if own else f"expected {' or '.join(types)}, got {listing['value']}"


def refused_name(found: re.Match[str]) -> str:
    return ".".join(name for name in (found["group"], found["option"], found["argument"]) if name)
