"""Read a study's command line: the file, settings, options that win over the file's, and the file's variables."""

import argparse
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, is_dataclass, replace
from pathlib import Path
from string import Template
from typing import Any

import yaml
from jsonargparse import ArgumentError

from experiments._shared.parsing.explanations import KEY, explain
from experiments._shared.parsing.parsers import StrictParser
from experiments.study.plan.args import check_name
from experiments.study.plan.declaration import Declared, Settings, Study
from experiments.study.plan.reading import StudyFile, read_study

_PART = re.compile(r"\b\w+Part: ")
"""Classes of a study's parts, in messages of the parser."""

_VARIABLE = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)")

DESCRIPTION = """Run a study: arms, seeds, controls and fine-tunings declared in one YAML, each run in a fresh process.

A study that was broken off goes on where it stopped: start the same command again. Start it several times, on one
machine or on several with a common file system, and the workers share the runs. docs/studies.md says the rest."""


def parse_study(arguments: Sequence[str] | None = None) -> Declared:
    """Read a study from its command line: `--config FILE`, settings, and options that win over the file's.

    Args:
        arguments: the command line; None takes the process' own.

    Raises:
        ValueError: something is not as it should be; the file and its line or key are named.
        FileNotFoundError: there is no such file.
    """
    parser = StrictParser(prog="python -m experiments.study", description=DESCRIPTION)
    parser.exit_on_error = False
    parser.add_argument("--config", action="config", required=True, help="the study's YAML")
    parser.add_argument("--dry_run", action="store_true", help="print the command lines and start nothing")
    parser.add_class_arguments(Settings)
    parser.add_class_arguments(Study)
    words = list(sys.argv[1:] if arguments is None else arguments)
    file = _file_of(words)
    study_file = StudyFile("", {}, {}) if file is None else read_study(file)
    content = yaml.safe_dump(study_file.content, allow_unicode=True, sort_keys=False, width=10**6)
    try:
        options = parser.instantiate(parser.parse_args(_with_content(words, content)))
    except (ArgumentError, ValueError) as error:
        message = str(error).replace(content, str(file))
        words = _PART.sub("", explain(message, [part.name for part in fields(Study)]))
        raise ValueError(f"{_place(file, study_file.lines, message)}{words}") from error
    assert file is not None  # the parser refuses a command line without one
    settings = Settings(**{part.name: options[part.name] for part in fields(Settings)})
    study = Study(**{part.name: options[part.name] for part in fields(Study)})
    name = settings.name or file.stem
    check_name(name, "the study's name (--name)")
    return Declared(study_file.question, name, fill_variables(study, file), settings, options.dry_run)


def _file_of(arguments: Sequence[str]) -> Path | None:
    """The study's file, looked up before the parser reads it, so that its faults are named with their lines."""
    finder = argparse.ArgumentParser(allow_abbrev=False, add_help=False)
    finder.add_argument("--config")
    known, _ = finder.parse_known_args(arguments)
    return Path(known.config) if known.config else None


def _with_content(words: Sequence[str], content: str) -> list[str]:
    """The command line with the content of the file in place of its name."""
    found = list(words)
    for place, word in enumerate(words):
        if word == "--config" and place + 1 < len(words):
            found[place + 1] = content
        elif word.startswith("--config="):
            found[place] = f"--config={content}"
    return found


def _place(file: Path | None, lines: Mapping[str, int], message: str) -> str:
    """`FILE, line N: ` of the innermost key that a message names; a message leaves out names such as a task's."""
    keys = ".".join([*KEY.findall(message), *re.findall(r"'([^']+)' is not accepted", message)]).split(".")
    for length in range(len(keys), 0, -1):
        path = re.compile(r"(?:\.[^.]+)?\.".join(map(re.escape, keys[:length])))
        found = [line for name, line in lines.items() if path.fullmatch(name)]
        if len(found) == 1:
            return f"{file}, line {found[0]}: "
    return ""


def fill_variables(study: Study, file: Path) -> Study:
    """The study with `$name` replaced by the file's variables, which may use each other.

    Raises:
        ValueError: a name is no variable of the file, variables use each other in a circle, or one is used nowhere.
    """
    values: dict[str, str] = {}

    def resolve(name: str, users: tuple[str, ...]) -> None:
        if name in users:
            raise ValueError(f"{file}: variables.{name}: it uses itself, by way of {' and '.join(users)}")
        text = str(study.variables[name])
        for used in _VARIABLE.findall(text):
            if used in study.variables and used not in values:
                resolve(used, (*users, name))
        values[name] = _fill(text, values, f"{file}: variables.{name}")

    for name in study.variables:
        resolve(name, ())
    used = set(_VARIABLE.findall(str(asdict(study))))
    if unused := sorted(set(values) - used):
        known = f"; the file uses {', '.join(sorted(used))}" if used else ""
        raise ValueError(
            f"{file}: variables.{unused[0]}: nothing uses it; write ${unused[0]} where it belongs, or remove it{known}"
        )
    parts = {p.name: _fill(getattr(study, p.name), values, f"{file}: {p.name}") for p in fields(study)}
    return replace(study, **{**parts, "variables": {}})


def _fill(value: Any, values: Mapping[str, str], where: str) -> Any:
    if isinstance(value, str):
        try:
            return Template(value).substitute(values)
        except KeyError as error:
            known = ", ".join(values) or "none"
            raise ValueError(f"{where}: ${error.args[0]} in {value!r} is no variable; known here: {known}") from error
        except ValueError as error:
            raise ValueError(f"{where}: a '$' in {value!r} names no variable; write $$ for the sign itself") from error
    if isinstance(value, list):
        return [_fill(item, values, where) for item in value]
    if isinstance(value, dict):
        return {_fill(key, values, where): _fill(item, values, f"{where}.{key}") for key, item in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        filled = {part.name: _fill(getattr(value, part.name), values, f"{where}.{part.name}") for part in fields(value)}
        return replace(value, **filled)
    return value
