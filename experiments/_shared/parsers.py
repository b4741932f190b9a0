"""How every command line of this project is read: no abbreviations, help as it was written, errors of a line or two."""

import re
import sys
from argparse import RawDescriptionHelpFormatter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn, get_args

from jsonargparse import ArgumentParser, DefaultHelpFormatter

from experiments._shared.config_files import ConfigFile, read_config
from experiments._shared.objective_files import ObjectiveFiles
from experiments._shared.renamed_options import NEW_NAMES

_LISTING = re.compile(
    r"Does not validate against any of the Union subtypes\s+Subtypes: .*?\s+Errors:\s+- (?P<first>.*?)"
    r"\s+- Expected a <class 'NoneType'>.*",
    re.DOTALL,
)
"""jsonargparse lists every type that an option could have had; the first is the class that was asked for."""

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
                content = self._objective_files.merge(self._config_files[-1].path, content)
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
        action = self._subcommands_action
        commands = action._name_parser_map.values() if action else ()
        return next((parser for parser in commands if getattr(parser, "_config_files", ())), self)

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
        bases = {
            name: [base for base in (hint, *get_args(hint)) if isinstance(base, type)] for name, hint in hints.items()
        }
        return {name: [found for base in known for found in class_names(base)] for name, known in bases.items()}


def explain(message: str, options: Iterable[str], classes: Mapping[str, Sequence[str]] | None = None) -> str:
    """The parser's message on one line, without what does not help, and with the nearest options there are.

    Args:
        message: message of jsonargparse.
        options: names of the parser's options, without dashes.
        classes: by option, the classes that it may name.
    """
    short = _PATH.sub("", _LISTING.sub(lambda listing: listing["first"], _PATH.sub("", message)))
    near, answer = list[str](), ""
    if any(phrase in short for phrase in ("is not accepted", "does not accept", "unrecognized arguments")):
        asked = _CLASS.search(short)
        known = option_names(asked["path"]) if asked else list(options)
        for name in map(_refused_name, _REFUSED.finditer(short)):
            group, dot, last = name.rpartition(".")
            if last in NEW_NAMES:
                answer = f"; the option is {group}{dot}{NEW_NAMES[last]} now"
            near += get_close_matches(name, known, n=2, cutoff=0.75)
    short = _CHOICES.sub(lambda found: _expected_one_of(found["choices"].split(","), found["value"]), short)
    key = _KEY.search(short)
    names = (classes or {}).get(key[1], ()) if key else ()
    if names:
        short = _NO_CLASS.sub(lambda found: _expected_one_of(names, found["bare"] or found["path"]), short)
    short = _CLASS.sub(lambda found: f"{found['path'].rpartition('.')[2]}: ", short)
    short = _KEY.sub(lambda found: f"{found[1]}: ", short)
    answer = answer or (f"; did you mean {' or '.join(near)}?" if near else "")
    return " ".join(short.split()) + answer


def _refused_name(found: re.Match[str]) -> str:
    return ".".join(name for name in (found["group"], found["option"], found["argument"]) if name)


def _expected_one_of(written: Sequence[str], value: str) -> str:
    choices = [choice.strip(" '\"") for choice in written]
    near = get_close_matches(value.rpartition(".")[2], choices, n=1)
    question = f"; did you mean {near[0]}?" if near else ""
    listed = " or ".join([", ".join(choices[:-1]), choices[-1]] if choices[1:] else choices)
    return f"expected {listed}, got {value}{question}"


def class_names(base: type) -> list[str]:
    """Names of the classes below `base` that can be named without their package: those it offers at its root."""

    def below(parent: type) -> Iterator[type]:
        children: list[type] = parent.__subclasses__()
        for child in children:
            yield child
            yield from below(child)

    found = {kind.__name__: kind for kind in below(base)}
    roots = {name: sys.modules.get(kind.__module__.partition(".")[0]) for name, kind in found.items()}
    return sorted(name for name, kind in found.items() if getattr(roots[name], name, None) is kind)


def option_names(class_path: str) -> list[str]:
    """Options that a class' constructor has on the command line, those of its groups included."""
    module, _, name = class_path.rpartition(".")
    parser = ArgumentParser()
    parser.add_class_arguments(getattr(import_module(module), name), fail_untyped=False)
    return [option.lstrip("-") for action in parser._actions for option in action.option_strings]
