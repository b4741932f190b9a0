"""Read a study's command line: the file, settings, options that win over the file's, and the file's variables."""

import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, is_dataclass, replace
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from string import Template
from typing import Any

import yaml
from jsonargparse import ArgumentError

from experiments._shared.parsing.explanations import KEY, REFUSED, explain, refused_name
from experiments._shared.parsing.home_folder import with_home_configs
from experiments._shared.parsing.parsers import StrictParser
from experiments._shared.parsing.words import option_values
from experiments.study.plan.declaration import Declared, Settings, Study
from experiments.study.plan.keys import check_name
from experiments.study.plan.reading import StudyFile, read_study

_PART = re.compile(r"\b\w+Part: ")
"""Classes of a study's parts, in messages of the parser."""

_REMOVED = re.compile(r"--(then|arms|axes|models|arm_seeds|arm_fine_tuning)\.([^.=]+)=(?:null|~)")
"""Options that remove one of the named parts of a file, as null does in a file that shares another."""

_VARIABLE = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)")

DESCRIPTION = """Run a study: arms, seeds, controls and fine-tunings declared in one YAML, each command a process.

    python -m experiments.study --config configs/study/demo.yaml --dry_run
    python -m experiments.study --config configs/study/loss_terms.yaml --variables.ner=klue_ner --workers 2

The options under "What is compared" are the keys of the file; on the command line they override it, and options of the
trainer are written as the trainer takes them: --overrides+=--data.max_tokens=8192.

To continue an interrupted study, start the same command again. Start it several times, on one machine or on several
with a common file system, and the workers share the runs. docs/studies.md has the details."""


class _StudyParser(StrictParser):
    """Takes the content of a study file as `read_study` gives it; that of a file of settings is parsed as it is."""

    file = StudyFile("", {}, {})

    def parse_path(self, cfg_path: Any, *args: Any, **kwargs: Any) -> Any:
        """Parse the study's file, which has been read."""
        content = yaml.safe_dump(self.file.content, allow_unicode=True, sort_keys=False, width=10**6)
        return self.parse_string(content, *args, **kwargs)


def parse_study(arguments: Sequence[str] | None = None) -> Declared:
    """Read a study from its command line: `--config FILE`, settings, and options that win over the file's.

    Args:
        arguments: the command line; None takes the process' own.

    Raises:
        ValueError: something is not as it should be; the file and its line or key are named.
        FileNotFoundError: the file does not exist.
    """
    parser = _StudyParser(prog="python -m experiments.study", description=DESCRIPTION)
    parser.exit_on_error = False
    parser.add_argument("--config", action="config", required=True, help="the study's YAML file")
    parser.add_switch("dry_run", "check the study, write plan.json, print the command of every run, and start nothing")
    parser.add_class_arguments(Settings)
    parser.add_class_arguments(Study)
    words = _quoted_patterns(with_home_configs(sys.argv[1:] if arguments is None else arguments))
    file = Path(option_values(words, "--config")[-1]) if option_values(words, "--config") else None
    if file is not None:
        parser.file = read_study(file)
        words = _without_removed(words, parser.file.content)
    try:
        options = parser.instantiate(parser.parse_args(words))
    except (ArgumentError, ValueError) as error:
        text = _PART.sub("", explain(str(error), [part.name for part in fields(Study)]))
        raise ValueError(f"{_place(file, parser.file.lines, str(error))}{text}") from error
    assert file is not None  # the parser refuses a command line without one
    settings = Settings(**{part.name: options[part.name] for part in fields(Settings)})
    study = Study(**{part.name: options[part.name] for part in fields(Study)})
    name = settings.name or file.stem
    check_name(name, "the study's name (--name)")
    filled = fill_variables(study, file)
    return Declared(parser.file.question, name, filled, settings, options.dry_run, file, parser.file.lines)


def _quoted_patterns(words: Sequence[str]) -> list[str]:
    """The words, with each pattern of `--only` in quotes: YAML takes one that begins with `*` for a reference.

    Brackets around the list may be left out.
    """
    quoted = list(words)
    for place, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name != "--only" or (not equals and place + 1 == len(words)):
            continue
        value = value if equals else words[place + 1]
        inner = value[1:-1] if value.startswith("[") and value.endswith("]") else value
        patterns = json.dumps(
            [part.strip().strip("'\"") for part in inner.split(",") if part.strip()], ensure_ascii=False
        )
        quoted[place : place + 1 + (not equals)] = [f"--only={patterns}"] if equals else ["--only", patterns]
    return quoted


def _without_removed(words: Sequence[str], content: dict[str, Any]) -> list[str]:
    """The words without those that remove a named part, `--then.NAME=null`, which is done in `content`.

    Raises:
        ValueError: there is no such part.
    """
    left = []
    for word in words:
        found = _REMOVED.fullmatch(word)
        if found is None:
            left.append(word)
            continue
        group, name = found.groups()
        parts = content.get(group) or {}
        if name not in parts:
            raise ValueError(f"{word}: there is no {group}.{name} to remove; there are {', '.join(parts) or 'none'}")
        content[group] = {other: part for other, part in parts.items() if other != name}
    return left


def _place(file: Path | None, lines: Mapping[str, int], message: str) -> str:
    """`FILE, line N: ` of the innermost key that a message names; a message leaves out names such as a task's."""
    keys = ".".join([*KEY.findall(message), *re.findall(r"'([^']+)' is not accepted", message)]).split(".")
    for length in range(len(keys), 0, -1):
        path = re.compile(r"(?:\.[^.]+)?\.".join(map(re.escape, keys[:length])))
        found = [line for name, line in lines.items() if path.fullmatch(name)]
        if len(found) == 1:
            return f"{file}, line {found[0]}: "
    return ""


def option_place(declared: Declared, message: str) -> str:
    """`FILE, line N: ` of the option that the trainer refuses; empty where the study's own file has none.

    The parser names an option as it is typed, a class by the end of its name (`optimizer.lr`, `masking probability`).

    Args:
        declared: the study.
        message: begins with the key that the command comes from, `arm NAME` or `then.TASK`.
    """
    refused = REFUSED.search(message)
    name = refused_name(refused) if refused else ""
    found = {key: line for key, line in declared.lines.items() if name and f".{key}".endswith(f".{name}")}
    above, _, text = message.partition(": ")
    above = above.replace("arm ", "arms.", 1)
    lines = [line for key, line in found.items() if key.startswith(f"{above}.")] or list(found.values())
    if not lines:
        ends = [f".{word.rstrip('.')}" for word in re.findall(r"[\w.]+", text)]
        below = {key: line for key, line in declared.lines.items() if key.startswith(f"{above}.")}
        lines = [line for end in ends for key, line in below.items() if key.endswith(end)][:1]
    return f"{declared.file}, line {lines[0]}: " if len(lines) == 1 else ""


def fill_variables(study: Study, file: Path) -> Study:
    """The study with `$name` replaced by the file's variables, which may use each other.

    Raises:
        ValueError: a name is no variable of the file, variables use each other in a circle, or one is used nowhere.
    """
    uses = {name: _VARIABLE.findall(str(text)) for name, text in study.variables.items()}
    values: dict[str, str] = {}
    try:
        for name in TopologicalSorter(uses).static_order():
            if name in uses:
                values[name] = _fill(str(study.variables[name]), values, f"{file}: variables.{name}")
    except CycleError as error:
        first, *others = sorted(set(error.args[1]))
        raise ValueError(
            f"{file}: variables.{first}: it uses itself, by way of {' and '.join([first, *others])}"
        ) from None
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
            raise ValueError(f"{where}: a '$' in {value!r} does not name a variable; write $$ for a plain $") from error
    if isinstance(value, list):
        return [_fill(item, values, where) for item in value]
    if isinstance(value, dict):
        return {_fill(key, values, where): _fill(item, values, f"{where}.{key}") for key, item in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        filled = {part.name: _fill(getattr(value, part.name), values, f"{where}.{part.name}") for part in fields(value)}
        return replace(value, **filled)
    return value
