"""Read a study file: strict YAML, the parser that also checks the trainer's options, and the file's own variables."""

import argparse
import re
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from string import Template
from typing import Any

import yaml
from jsonargparse import ArgumentError

from experiments._shared.parsing.parsers import StrictParser
from experiments.study.plan.args import check_name
from experiments.study.plan.declaration import Declared, Settings, Study

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
    file = _file_of(arguments)
    question, lines = ("", {}) if file is None else check_yaml(file)
    try:
        options = parser.instantiate(parser.parse_args(arguments))
    except (ArgumentError, ValueError) as error:
        raise ValueError(f"{_place(file, lines, str(error))}{error}") from error
    settings = Settings(**{part.name: options[part.name] for part in fields(Settings)})
    study = Study(**{part.name: options[part.name] for part in fields(Study)})
    file = Path(str(options.config[0]))
    name = settings.name or file.stem
    check_name(name, "the study's name (--name)")
    return Declared(question, name, fill_variables(study, file), settings, options.dry_run)


def check_yaml(file: Path) -> tuple[str, dict[str, int]]:
    """Check what a YAML reader lets pass: the question in line 1, keys that repeat, keys that are no text.

    Returns:
        The question, and the first line of each key.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is no YAML mapping, or one of these is wrong; says where.
    """
    if not file.is_file():
        raise FileNotFoundError(f"--config={file}: no such file")
    try:
        text = file.read_text(encoding="utf-8")
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{file}: no readable YAML ({error})") from error
    if not isinstance(root, yaml.MappingNode):
        raise ValueError(f"{file}: expected the keys of a study, found no mapping")
    first = text.splitlines()[0]
    question = first.removeprefix("#").strip()
    if not first.startswith("#") or not question:
        raise ValueError(f"{file}, line 1: expected a comment with the study's question, found {first!r}")
    lines: dict[str, int] = {}
    _check_keys(file, root, lines)
    # The parser lets an unknown key pass whose value is an empty mapping.
    known = [part.name for part in (*fields(Settings), *fields(Study))]
    for key, _ in root.value:
        if key.value not in known:
            near = get_close_matches(key.value, known, n=1)
            meant = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
            raise ValueError(f"{file}, line {lines[key.value]}: no key {key.value!r}; {meant}")
    return question, lines


def _check_keys(file: Path, node: yaml.Node, lines: dict[str, int]) -> None:
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _check_keys(file, item, lines)
    if not isinstance(node, yaml.MappingNode):
        return
    seen: dict[str, int] = {}
    for key, value in node.value:
        line = key.start_mark.line + 1
        if key.tag != "tag:yaml.org,2002:str":
            raise ValueError(f"{file}, line {line}: YAML reads the key {key.value} not as text; put it in quotes")
        if key.value in seen:
            raise ValueError(f"{file}, line {line}: {key.value!r} stands in line {seen[key.value]} already")
        seen[key.value] = line
        lines.setdefault(key.value, line)
        _check_keys(file, value, lines)


def _file_of(arguments: Sequence[str] | None) -> Path | None:
    """The study's file, looked up before the parser reads it, so that its faults are told with their lines."""
    finder = argparse.ArgumentParser(allow_abbrev=False, add_help=False)
    finder.add_argument("--config")
    known, _ = finder.parse_known_args(arguments)
    return Path(known.config) if known.config else None


def _place(file: Path | None, lines: Mapping[str, int], message: str) -> str:
    """`FILE, line N: ` where the message quotes a key of the file."""
    quoted = [lines[name] for name in re.findall(r"'([^']+)' is not accepted", message) if name in lines]
    quoted += [lines[name] for name in re.findall(r'Parser key "([^".]+)', message) if name in lines]
    return f"{file}, line {quoted[0]}: " if quoted else ""


def fill_variables(study: Study, file: Path) -> Study:
    """The study with `$name` replaced by the file's variables; a variable may use those above it.

    Raises:
        ValueError: a name is no variable of the file, or the command line sets one that the file does not use.
    """
    values: dict[str, str] = {}
    for name, value in study.variables.items():
        values[name] = _fill(str(value), values, f"{file}: variables.{name}")
    used = set(re.findall(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)", file.read_text(encoding="utf-8")))
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
