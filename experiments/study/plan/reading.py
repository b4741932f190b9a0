"""Read a study file: its question, the lines of its keys, and its content with that of the file that it shares."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import yaml

from experiments._shared.parsing.config_files import compose, key_lines
from experiments._shared.parsing.mistakes import meant_or_known
from experiments.study.plan.declaration import Settings, Study
from experiments.study.plan.keys import holds_options
from experiments.study.plan.mappings import merge_words, read_options, to_words

_OF_TRAINING = ("model", "data", "trainer")
"""Keys of a configuration of `experiments.train`, which no study has."""

SHARED = "shared"
"""Key that names a file with keys that several studies have."""


@dataclass(frozen=True)
class StudyFile:
    """A study file as read.

    Args:
        question: the comment in its first line.
        content: its keys, those of the shared file merged in; options as the words of a command line.
        lines: line of each key, by its full name (`then.nsmc.configs`).
    """

    question: str
    content: dict[str, Any]
    lines: Mapping[str, int]


def read_study(file: Path) -> StudyFile:
    """Read a study file and what it shares.

    Checked is what a YAML reader lets pass: the question in line 1, keys that repeat, keys that are no text, options
    that are no mappings.

    Raises:
        FileNotFoundError: there is no such file, or no such shared file.
        ValueError: the file is no YAML mapping, or one of these is wrong; says where.
    """
    if not file.is_file():
        raise FileNotFoundError(f"--config={file}: no such file")
    content = _Content(file)
    first = content.text.splitlines()[0]
    question = first.removeprefix("#").strip()
    if not first.startswith("#") or not question:
        raise ValueError(f"{file}, line 1: expected a comment with the study's question, found {first!r}")
    return StudyFile(question, _with_shared(content, (file,)), content.lines)


class _Content:
    """The keys of one file, options as words.

    Args:
        file: its path.

    Raises:
        ValueError: see `read_study`.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self.text, root = compose(file)
        if found := [key.value for key, _ in root.value if key.value in _OF_TRAINING]:
            raise ValueError(
                f"{file}: a configuration of experiments.train (it has the keys {', '.join(found)}), not a study; run "
                f"it with: python -m experiments.train fit -c {file}"
            )
        self.lines = key_lines(file, root, text_only=True)
        # The parser lets an unknown key pass whose value is an empty mapping.
        known = [*(part.name for part in (*fields(Settings), *fields(Study))), SHARED]
        for key, _ in root.value:
            if key.value not in known:
                meant = meant_or_known(key.value, known)
                raise ValueError(f"{self._place((key.value,))}: no key {key.value!r}; {meant}")
        self.keys: dict[str, Any] = self._plain(root, ())

    def _place(self, path: tuple[str, ...]) -> str:
        return f"{self.file}, line {self.lines['.'.join(path)]}"

    def _plain(self, node: yaml.Node, path: tuple[str, ...]) -> Any:
        """The content of a node below the key `path`."""
        if holds_options(path):
            return self._words(node, path)
        if isinstance(node, yaml.MappingNode):
            return {key.value: self._plain(value, (*path, key.value)) for key, value in node.value}
        loader: Any = yaml.SafeLoader("")
        return loader.construct_document(node)

    def _words(self, node: yaml.Node, path: tuple[str, ...]) -> list[str]:
        where = f"{self._place(path)}: {'.'.join(path)}"
        items = node.value if isinstance(node, yaml.SequenceNode) else [node]
        return to_words([read_options(item, self.text, where) for item in items])


def _with_shared(content: _Content, users: tuple[Path, ...]) -> dict[str, Any]:
    """The keys of a file with those of the file that it shares, and of that one's."""
    keys = dict(content.keys)
    name = keys.pop(SHARED, None)
    if name is None:
        return keys
    shared = content.file.parent / Path(str(name)).expanduser()
    place = f"{content.file}, line {content.lines[SHARED]}: {SHARED}"
    if not shared.is_file():
        raise FileNotFoundError(f"{place}: {shared}: no such file")
    if shared.resolve() in [user.resolve() for user in users]:
        raise ValueError(f"{place}: {shared} shares this file itself")
    merged: dict[str, Any] = _merged(_with_shared(_Content(shared), (*users, shared)), keys, ())
    return merged


def _merged(shared: Any, own: Any, path: tuple[str, ...]) -> Any:
    """Both contents: mappings key by key, all else the study's own; null takes away what the shared file has."""
    if shared is not None and own is not None and holds_options(path):
        return merge_words(shared, own)
    if not (isinstance(shared, dict) and isinstance(own, dict)):
        return own
    merged = {**shared, **{key: _merged(shared.get(key), value, (*path, key)) for key, value in own.items()}}
    return {key: value for key, value in merged.items() if value is not None or key not in shared}
