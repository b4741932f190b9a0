"""Configuration files of a command line: checked before they are parsed, and kept to say in which line a key is."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from distilkobert.io.reading.texts import read_lines

_HIDDEN = ("init_args",)
"""Levels of a file that no option on the command line has."""

RECIPE_PARTS = ("model", "data")
"""Keys whose classes a recipe chooses."""

_OF_STUDIES = ("arms", "axes", "base", "controls", "seeds", "shared", "then")
"""Keys of a study's file that no file of settings has."""

_SECTIONS = ("trainer", "model", "data", "run", "probe", "best_checkpoint", "last_checkpoint")
"""Keys that hold settings, and cannot be nothing."""


@dataclass(frozen=True)
class ConfigFile:
    """A configuration file that was read.

    Args:
        path: as it was named.
        lines: line of each key, by its name on the command line (`model.objectives.cosine`).
        classes: names of the classes that it chooses, of `RECIPE_PARTS`.
    """

    path: Path
    lines: Mapping[str, int]
    classes: Mapping[str, str] = field(default_factory=dict)

    def place(self, key: str) -> str:
        """The file, and the line of `key`, of `key+`, or of the nearest level above it that the file has."""
        while key:
            for name in (key, f"{key}+"):
                if name in self.lines:
                    return f"{self.path}, line {self.lines[name]}"
            key = key.rpartition(".")[0]
        return str(self.path)


def read_config(path: Path) -> ConfigFile:
    """Read a file of settings in YAML.

    Raises:
        FileNotFoundError: the file does not exist.
        ValueError: it is empty, not UTF-8 or not YAML, has a key twice, holds no settings, or is a study; names file
            and line.
    """
    _, root = compose(path)
    keys = [key.value for key, _ in root.value]
    if any(key in _OF_STUDIES for key in keys) and not any(key in _SECTIONS for key in keys):
        raise ValueError(f"{path}: a study, not a recipe; run it with: python -m experiments.study --config {path}")
    for key, value in root.value:
        place = f"{path}, line {key.start_mark.line + 1}: {key.value}:"
        if key.value not in _SECTIONS or isinstance(value, yaml.MappingNode) or value.tag == "tag:yaml.org,2002:str":
            continue
        if value.tag == "tag:yaml.org,2002:null":
            raise ValueError(f"{place} is empty; write settings below it, or remove the line")
        raise ValueError(f"{place} expected settings below it, each with its name: `NAME: VALUE`")
    return ConfigFile(path, key_lines(path, root), _classes(root))


def settings_sum(path: Path) -> str:
    """SHA-256 sum of the settings in a file: the same whatever its comments, its layout and the order of its keys.

    Where a value names another file of settings (`optimizer: shared/optimizer.yaml`), the settings in that count.

    Raises:
        FileNotFoundError, ValueError: as `read_config`.
    """
    return hashlib.sha256(repr(_normal_form(compose(path)[1], path.parent)).encode()).hexdigest()


def compose(path: Path) -> tuple[str, yaml.MappingNode]:
    """The text of a file of settings, and its YAML as nodes, which know their lines.

    Raises:
        FileNotFoundError, ValueError: as `read_config`.
    """
    text = "\n".join(read_lines(path))
    try:
        root = yaml.compose(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ValueError(
            f"{path}, line {line}: not YAML ({error.problem}); check brackets, quotes and indents there and just above"
        ) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise ValueError(f"{path}, line {line}: U+{error.character:04X} is not allowed in YAML; remove it") from None
    if not isinstance(root, yaml.MappingNode):
        kinds = {yaml.ScalarNode: "a scalar", yaml.SequenceNode: "a sequence"}
        found = kinds.get(type(root), "comments only")
        raise ValueError(f"{path}: found {found}; expected settings, each with its name: `NAME: VALUE`")
    return text, root


def key_lines(path: Path, root: yaml.MappingNode, *, text_only: bool = False) -> dict[str, int]:
    """The line of each key of a file, by its name on the command line (`model.objectives.cosine`).

    Args:
        path: the file, for messages.
        root: what is in it.
        text_only: refuse keys that YAML reads as something else, such as `on` and `1`.

    Raises:
        ValueError: a key occurs twice, or is not text; names file and line.
    """
    lines: dict[str, int] = {}
    for name, key in _keys(root, ()):
        line = key.start_mark.line + 1
        if text_only and key.tag != "tag:yaml.org,2002:str":
            raise ValueError(f"{path}, line {line}: YAML reads the key {key.value} not as text; put it in quotes")
        if name in lines:
            raise ValueError(f"{path}, line {line}: {name} occurs twice, first in line {lines[name]}; remove one")
        lines[name] = line
    return lines


def _classes(root: yaml.MappingNode) -> dict[str, str]:
    """Of each part whose class a file chooses the class's name, without its module."""
    parts = [(key.value, value) for key, value in root.value if isinstance(value, yaml.MappingNode)]
    return {
        part: str(value.value).rpartition(".")[2]
        for part, node in parts
        for key, value in node.value
        if part in RECIPE_PARTS and key.value == "class_path"
    }


def _normal_form(node: yaml.Node, folder: Path) -> tuple[object, ...]:
    if isinstance(node, yaml.MappingNode):
        return (node.tag, sorted((_normal_form(key, folder), _normal_form(value, folder)) for key, value in node.value))
    if isinstance(node, yaml.SequenceNode):
        return (node.tag, [_normal_form(value, folder) for value in node.value])
    if node.value.endswith(".yaml") and (folder / node.value).is_file():
        shared = folder / node.value
        return _normal_form(compose(shared)[1], shared.parent)
    return (node.tag, node.value)


def _keys(node: yaml.Node, above: Sequence[str]) -> Iterator[tuple[str, yaml.Node]]:
    """Names of the keys below a node, with their nodes; those in a sequence have its index in their name."""
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _keys(item, [*above, str(index)])
    for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
        names = above if key.value in _HIDDEN else [*above, str(key.value)]
        if names is not above:
            yield ".".join(names), key
        yield from _keys(value, names)
