"""Objectives in configuration files: a later file changes those of earlier ones by name.

jsonargparse takes a mapping as one value, so a file that names one objective would drop all others. Here the
mappings of the files are merged before they are parsed. `NAME: null` removes an objective; a file that gives another
class replaces it whole; everything else is merged setting by setting. Options before a file count as files do.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import yaml

from experiments._shared.parsing.objective_options import OPTION, STRING, objective_options

_ABOVE = ("model", "init_args", "objectives")
_NULL = "tag:yaml.org,2002:null"
_BOOLEAN = "tag:yaml.org,2002:bool"
_PACKAGE = "distilkobert.objectives"


class ObjectiveFiles:
    """The objectives of the files that were read so far."""

    def __init__(self) -> None:
        self.entries: dict[str, yaml.MappingNode] = {}
        """Objective, with class_path and init_args, by name."""
        self._removed: set[str] = set()
        self._words = 0
        """Words of the command line whose options the entries have."""

    def merge(self, path: Path, settings: yaml.Node | None, words: Sequence[str] = ()) -> bool:
        """Replace a file's objectives with those of all files and options so far; returns whether it has any.

        Args:
            path: of the file.
            settings: its content.
            words: of the command line, those before the file.

        Raises:
            ValueError: an objective is unknown and has no class_path, or is not a mapping; names file and line. Or an
                option before the file changes the class of an objective.
        """
        parent = _below(_below(settings, _ABOVE[0]), _ABOVE[1])
        if parent is None:
            return False
        mapping = _below(parent, _ABOVE[2])
        if mapping is None:
            return False
        if not isinstance(mapping, yaml.MappingNode):
            raise ValueError(
                f"{path}, line {mapping.start_mark.line + 1}: objectives: expected names with their settings below them"
            )
        self._take_options(path, words)
        _keys_are_text(mapping)
        for key, value in mapping.value:
            self._change(path, key, value)
        mapping.value = [(yaml.ScalarNode(STRING, name), node) for name, node in self.entries.items()]
        return True

    def class_path(self, name: str) -> str:
        """The class of an objective.

        Raises:
            ValueError: the files have no objective of this name.
        """
        if name not in self.entries:
            raise ValueError(self._unknown(name))
        return str(_below(self.entries[name], "class_path").value)

    def refused(self, arguments: Sequence[str]) -> str:
        """What is wrong with options on the command line that name an objective; empty where nothing is."""
        for option in filter(None, map(OPTION.match, arguments)):
            if f"{option[0]}=null" in arguments:
                return (
                    f"{option[0]}=null: an option cannot remove an objective; set {option[0]}.weight=0, or write "
                    f"'{option['name']}: null' below objectives in a file"
                )
            if option["name"] not in self.entries and not any(
                other.startswith((f"{option[0]}=", f"{option[0]}.class_path=")) for other in arguments
            ):
                return f"{option[0]}: {self._unknown(option['name'])}; a new one needs {option[0]}.class_path=CLASS"
        return ""

    def _take_options(self, path: Path, words: Sequence[str]) -> None:
        """Change the objectives by the options between the file before and this one, which would else undo them."""
        for option in objective_options(words[self._words :]):
            known = self.entries.get(option.name)
            if known is not None and _other_class(known, option.entry):
                raise ValueError(
                    f"{option.written} is before {path}, which has objectives: an option that changes a class comes "
                    "after all files; or change it in a file"
                )
            _keys_are_text(option.entry)
            if known is not None or _below(option.entry, "class_path") is not None:
                self.entries[option.name] = option.entry if known is None else _merged(known, option.entry, deep=True)
        self._words = len(words)

    def _change(self, path: Path, key: yaml.Node, value: yaml.Node) -> None:
        name, line = str(key.value), key.start_mark.line + 1
        known = self.entries.get(name)
        if value.tag == _NULL:
            if known is None and name not in self._removed:
                raise ValueError(f"{path}, line {line}: {self._unknown(name)}, so there is nothing to remove")
            self.entries.pop(name, None)
            self._removed.add(name)
            return
        if not isinstance(value, yaml.MappingNode):
            raise ValueError(f"{path}, line {line}: {name}: expected class_path and init_args below it, or null")
        if known is None and _below(value, "class_path") is None:
            raise ValueError(f"{path}, line {line}: {self._unknown(name)}; a new one needs class_path")
        if known is None or _other_class(known, value):
            self.entries[name] = value
        else:
            self.entries[name] = _merged(known, value)

    def _unknown(self, name: str) -> str:
        return f"there is no objective {name!r}; the files have {', '.join(self.entries) or 'none'}"


def merge_objectives(
    path: Path,
    content: str,
    files: ObjectiveFiles,
    commands: Mapping[str, ObjectiveFiles],
    words: Sequence[str] = (),
) -> str:
    """A file's content with the objectives of the files before it.

    Args:
        path: of the file.
        content: YAML.
        files: the files that were read so far.
        commands: those of commands, whose settings are in `content` below the command's name.
        words: of the command line, those before the file.

    Raises:
        ValueError: see `ObjectiveFiles.merge`.
    """
    root = yaml.compose(content)
    found = [files.merge(path, root, words)]
    found += [commands[key.value].merge(path, value) for key, value in _pairs(root) if key.value in commands]
    return str(yaml.serialize(root)) if any(found) else content


def _below(node: yaml.Node | None, name: str) -> Any:
    """The value of a key, a node of whatever kind; None where there is none or it is null."""
    return next((value for key, value in _pairs(node) if key.value == name and value.tag != _NULL), None)


def _keys_are_text(node: yaml.Node) -> None:
    """Let keys such as `on`, which YAML 1.1 reads as true, be the text that they are."""
    for key, value in _pairs(node):
        if key.tag == _BOOLEAN:
            key.tag = STRING
        _keys_are_text(value)


def _pairs(node: yaml.Node | None) -> Iterator[tuple[yaml.Node, yaml.Node]]:
    if isinstance(node, yaml.MappingNode):
        yield from node.value


def _merged(before: yaml.MappingNode, after: yaml.MappingNode, deep: bool = False) -> yaml.MappingNode:
    """Both mappings, the later value of each key; mappings below `init_args`, or all, are merged in their turn."""
    values = {key.value: (key, value) for key, value in before.value}
    for key, value in after.value:
        old = values[key.value][1] if key.value in values else None
        if isinstance(old, yaml.MappingNode) and isinstance(value, yaml.MappingNode):
            value = _merged(old, value, deep) if deep or key.value == "init_args" else value
        values[key.value] = (key, value)
    return yaml.MappingNode(before.tag, list(values.values()), before.start_mark, before.end_mark)


def _other_class(before: yaml.MappingNode, after: yaml.MappingNode) -> bool:
    """Whether the later of two entries names a class, and not that of the earlier one in this or another spelling."""
    asked = _below(after, "class_path")
    if asked is None:
        return False
    names = [str(_below(before, "class_path").value), str(asked.value)]
    if names[0] == names[1]:
        return False
    classes = [class_named(name) for name in names]
    if None not in classes:
        return classes[0] is not classes[1]
    one, other = (name.rpartition(".") for name in names)
    return one[2] != other[2] or bool(one[0] and other[0])


def class_named(name: str) -> Any:
    """What a class_path names, with or without its package; None where nothing of that name can be imported."""
    try:
        return resolve_name(name if "." in name else f"{_PACKAGE}.{name}")
    except Exception:  # noqa: BLE001 - a user's file may raise anything; the parser says what
        return None
