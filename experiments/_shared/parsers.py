"""How every command line of this project is read: no abbreviations, help as it was written, errors of a line or two."""

import re
import sys
from argparse import RawDescriptionHelpFormatter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn, get_args, get_type_hints

from jsonargparse import ArgumentParser, DefaultHelpFormatter

from experiments._shared.config_files import ConfigFile, read_config
from experiments._shared.objective_files import ObjectiveFiles, merge_objectives
from experiments._shared.renamed_options import remedy

_LISTING = re.compile(
    r"Does not validate against any of the Union subtypes\s+Subtypes: .*?\s+Errors:\s+- (?P<first>.*?)"
    r"\s+- Expected a <class 'NoneType'>.*",
    re.DOTALL,
)
"""jsonargparse lists every type that an option could have had; the first is the class that was asked for."""

_SEVERAL = re.compile(
    r"Does not validate against any of the Union subtypes\s+Subtypes: \[(?P<types>.*?)\]\s+Errors:\s+"
    r"(?P<errors>.*?)\s+Given value type: .*?\s+Given value: (?P<value>.*)",
    re.DOTALL,
)
"""The same of an option that may be one of several types, none of them nothing: a number or a group of settings."""

_PAIRS = "Sequence[collections.abc.Sequence[int]]"
"""Type of pairs of layers; see `LayerMap`."""

_CLASS = re.compile(r"Problem with given class_path '(?P<path>[\w.]+)':\s+")
_KEY = re.compile(r'Parser key "([\w.]+)":\s+')
_REFUSED = re.compile(
    r"(?:Group '(?P<group>[\w.]+)' does not accept )?[Oo]ption '(?P<option>[\w.]+)'|--(?P<argument>[\w.]+)"
)
_PATH = re.compile(r"- Expected a path but \S+ either not accessible or invalid\s+- ")
"""Said of the name of a class, which might have been that of a file."""

_NO_CLASS = re.compile(
    r"Expected a dot import path string: (?P<bare>\S+)"
    r"|Problem with given class_path '(?P<path>[\w.]+)':\s+(?:No module named|module '[\w.]+' has no attribute).*"
)
_ABSTRACT = re.compile(r"Expected an instantiatable class, but (?P<path>[\w.]+) is abstract")
_CHOICES = re.compile(r"Expected a typing\.Literal\[(?P<choices>[^]]*)\]\. Got value: (?P<value>\S+)")


class HelpFormatter(DefaultHelpFormatter, RawDescriptionHelpFormatter):
    """Help that keeps the lines of the description as they were written."""


class StrictParser(ArgumentParser):
    """A parser that takes no abbreviated option: a shortened name is a typing mistake, never another setting."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("formatter_class", HelpFormatter)
        super().__init__(*args, allow_abbrev=False, **kwargs)
        self._config_files: list[ConfigFile] = []
        self._objective_files = ObjectiveFiles()
        self._reading = False
        self._arguments: list[str] = []

    def parse_args(self, args: Any = None, *others: Any, **kwargs: Any) -> Any:
        """Parse the command line; options of the old form are refused with their new names."""
        self._arguments = list(sys.argv[1:] if args is None else args)
        return super().parse_args(args, *others, **kwargs)

    def parse_path(self, cfg_path: Any, *args: Any, **kwargs: Any) -> Any:
        """Parse a configuration file; its errors name it and the line."""
        try:
            self._config_files.append(read_config(Path(cfg_path)))
        except (OSError, ValueError) as error:
            self.error(str(error), error)
        self._reading = True
        try:
            return super().parse_path(cfg_path, *args, **kwargs)
        finally:
            self._reading = False

    def parse_string(self, content: str, path: Any = "", *args: Any, **kwargs: Any) -> Any:
        """Parse the content of a configuration file, with the objectives of the files before it."""
        if self._reading:
            try:
                commands = {name: parser._objective_files for name, parser in self._commands().items()}
                content = merge_objectives(self._config_files[-1].path, content, self._objective_files, commands)
            except ValueError as error:
                self._reading = False  # the message names file and line already
                self.error(str(error), error)
        return super().parse_string(content, path, *args, **kwargs)

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        """Say what is wrong and what was probably meant, without the list of all options."""
        # An option that a file alone may hold is refused when all has been read, by the parser above the command's.
        parser = getattr(ex, "subcommand_parser", None) or self._command()
        refused = "" if self._reading else parser._objective_files.refused(parser._arguments)
        message = refused or parser._placed(message)
        if not self.exit_on_error:
            super().error(message, ex)
        options = [name.lstrip("-") for action in parser._actions for name in action.option_strings]
        print(f"error: {explain(message, options, parser._classes())}", file=sys.stderr)
        program = " ".join(word for word in parser.prog.split() if word != "[options]")
        print(f"All options: {program} --help", file=sys.stderr)
        sys.exit(2)

    def _command(self) -> "StrictParser":
        """The parser of the command whose files have been read, where this one only chooses among commands."""
        return next((parser for parser in self._commands().values() if parser._config_files), self)

    def _commands(self) -> "dict[str, StrictParser]":
        """The parsers of the commands by name, where this one only chooses among commands."""
        action = self._subcommands_action
        parsers = action._name_parser_map.items() if action else ()
        return {name: parser for name, parser in parsers if isinstance(parser, StrictParser)}

    def _placed(self, message: str) -> str:
        """The message behind the file and line that it is about, if it is about one."""
        refused = _REFUSED.search(message)
        asked = _refused_name(refused) if refused and refused["option"] else ""
        key = ".".join([*_KEY.findall(message), *([asked] if asked else [])])
        if self._reading:
            files = self._config_files[-1:]
            key += ".class_path" if _NO_CLASS.search(message) else ""
        else:
            files = [file for file in self._config_files if asked in file.lines][-1:]
        return f"{files[0].place(key)}: {message}" if files else message

    def _classes(self) -> dict[str, list[str]]:
        """Names of the classes that an option may name, for the options that name one."""
        hints = {action.dest: getattr(action, "_typehint", None) for action in self._actions}
        return {name: _named_by(hint) for name, hint in hints.items()}


def explain(message: str, options: Iterable[str], classes: Mapping[str, Sequence[str]] | None = None) -> str:
    """The parser's message on one line, without what does not help, and with the nearest options there are.

    Args:
        message: message of jsonargparse.
        options: names of the parser's options, without dashes.
        classes: by option, the classes that it may name.
    """
    short = _PATH.sub("", _LISTING.sub(lambda listing: listing["first"], _PATH.sub("", message)))
    short = _SEVERAL.sub(_of_several, short)
    near, answer = list[str](), ""
    if any(phrase in short for phrase in ("is not accepted", "does not accept", "unrecognized arguments")):
        asked = _CLASS.search(short)
        known = option_names(asked["path"]) if asked else list(options)
        for name in map(_refused_name, _REFUSED.finditer(short)):
            answer = remedy(name) or answer
            near += get_close_matches(name, known, n=2, cutoff=0.75)
    short = _CHOICES.sub(lambda found: _expected_one_of(found["choices"].split(","), found["value"]), short)
    names = _expected_classes(short, classes or {})
    if names:
        short = _NO_CLASS.sub(lambda found: _no_class(names, found["bare"] or found["path"]), short)
    short = _ABSTRACT.sub(lambda found: f"{found['path']} is abstract: it defines no {_missing(found['path'])}", short)
    short = _CLASS.sub(lambda found: f"{found['path'].rpartition('.')[2]}: ", short)
    short = _KEY.sub(lambda found: f"{found[1]}: ", short)
    answer = answer or (f"; did you mean {' or '.join(near)}?" if near else "")
    return " ".join(short.split()) + answer


def _expected_classes(message: str, classes: Mapping[str, Sequence[str]]) -> Sequence[str]:
    """Names of the classes that the option may name which a message is about, maybe an option of a class."""
    keys, owners = _KEY.findall(message), _CLASS.findall(message)
    if len(keys) > 1 and owners:
        return _named_by(get_type_hints(_class_of(owners[0]).__init__).get(keys[-1]))
    return classes.get(keys[0], ()) if keys else ()


def _named_by(hint: Any) -> list[str]:
    """Names of the classes that an option of this type may name; none where it names none."""
    bases = [base for base in (hint, *get_args(hint)) if isinstance(base, type) and base.__module__ != "builtins"]
    return [found for base in bases for found in class_names(base)]


def _missing(class_path: str) -> str:
    return " and no ".join(sorted(getattr(_class_of(class_path), "__abstractmethods__", ())))


def _class_of(class_path: str) -> Any:
    module, _, name = class_path.rpartition(".")
    return getattr(import_module(module), name)


def _of_several(listing: re.Match[str]) -> str:
    """What is wrong below the settings of a group, or else the types that there are."""
    errors = [error for error in re.split(r"(?:^|\n)\s*- ", listing["errors"]) if error]
    own = [error for error in errors if not error.startswith("Expected a")]
    types: list[str] = re.findall(r"'(?:\w+\.)*(\w+)'", listing["types"])
    if _PAIRS in listing["types"]:
        return f"expected {', '.join(types)}, or pairs [[student, teacher], ...], got {listing['value']}"
    return own[0] if own else f"expected {' or '.join(types)}, got {listing['value']}"


def _refused_name(found: re.Match[str]) -> str:
    return ".".join(name for name in (found["group"], found["option"], found["argument"]) if name)


def _no_class(names: Sequence[str], given: str) -> str:
    """Why a class cannot be taken: its module cannot be imported or has no such name, or it is none of the choices."""
    module, _, name = given.rpartition(".")
    if not module:
        return _expected_one_of(names, given)
    try:
        found = import_module(module)
    except Exception as error:  # noqa: BLE001 - whatever a file of somebody's own raises
        reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
        return f"cannot import {module} ({reason}); the folder of a file of your own goes into PYTHONPATH"
    own = module.partition(".")[0] in ("datamodules", "distilkobert", "lightning_modules")  # the choices are listed
    if not own and not hasattr(found, name):
        return f"{module} has no class {name}"
    return _expected_one_of(names, given)


def _expected_one_of(written: Sequence[str], value: str) -> str:
    choices = [choice.strip(" '\"") for choice in written]
    near = get_close_matches(value.rpartition(".")[2], choices, n=1)
    question = f"; did you mean {near[0]}?" if near else ""
    listed = " or ".join([", ".join(choices[:-1]), choices[-1]] if choices[1:] else choices)
    return f"expected {listed}, got {value}{question}"


def class_names(base: type) -> list[str]:
    """Names of the classes below `base` that can be named alone: those that their package offers, or its root."""

    def below(parent: type) -> Iterator[type]:
        children: list[type] = parent.__subclasses__()
        for child in children:
            yield child
            yield from below(child)

    found = {kind.__name__: kind for kind in below(base)}

    def offered(name: str, kind: type) -> bool:
        module = kind.__module__
        packages = (module.partition(".")[0], module.rpartition(".")[0])
        return any(getattr(sys.modules.get(package), name, None) is kind for package in packages)

    return sorted(name for name, kind in found.items() if offered(name, kind))


def option_names(class_path: str) -> list[str]:
    """Options that a class' constructor has on the command line, those of its groups included."""
    parser = ArgumentParser()
    parser.add_class_arguments(_class_of(class_path), fail_untyped=False)
    return [option.lstrip("-") for action in parser._actions for option in action.option_strings]
