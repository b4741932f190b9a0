"""Read a study file: its question, the lines of its keys, and its content with that of the file that it shares."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml

from experiments.study.plan.declaration import Settings, Study
from experiments.study.plan.mappings import Options, from_words, merge_options, read_options, to_words, written

SHARED = "shared"
"""Key that names a file with keys that several studies have."""

_OPTIONS = (
    ("arms", "*"),
    ("axes", "*", "*"),
    ("overrides",),
    ("machine",),
    ("teacher", "overrides"),
    ("models", "*", "overrides"),
    ("then", "*", "overrides"),
    ("then", "*", "distil", "overrides"),
    ("corpus", "options"),
)
"""Keys that hold options of a command."""


@dataclass(frozen=True)
class StudyFile:
    """A study file as read.

    Args:
        question: the comment in its first line.
        content: its keys, those of the shared file merged in; options as the words of a command line.
        lines: the first line of each of its keys.
    """

    question: str
    content: dict[str, Any]
    lines: Mapping[str, int]


class OldFormError(ValueError):
    """A file has options as lists of words, as they were once.

    Args:
        message: which file.
        rewritten: the options in the form that they have now, to be pasted.
    """

    def __init__(self, message: str, rewritten: str) -> None:
        super().__init__(message)
        self.rewritten = rewritten


@dataclass(frozen=True)
class _Source:
    """A file while it is read; `lists` collects its options of the old form, in the form that they have now."""

    file: Path
    text: str
    lists: list[str]

    def place(self, line: int) -> str:
        return f"{self.file}, line {line}"


@dataclass(frozen=True)
class _Options:
    mappings: list[Options]


def read_study(file: Path) -> StudyFile:
    """Read a study file and what it shares.

    Checked is what a YAML reader lets pass: the question in line 1, keys that repeat, keys that are no text, options
    in the form of lists, which they had before they were mappings.

    Raises:
        FileNotFoundError: there is no such file, or no such shared file.
        OldFormError: there are such lists.
        ValueError: the file is no YAML mapping, or one of these is wrong; says where.
    """
    if not file.is_file():
        raise FileNotFoundError(f"--config={file}: no such file")
    text, root = _compose(file)
    first = text.splitlines()[0]
    question = first.removeprefix("#").strip()
    if not first.startswith("#") or not question:
        raise ValueError(f"{file}, line 1: expected a comment with the study's question, found {first!r}")
    content, lines = _content(file, text, root)
    return StudyFile(question, _in_words(_with_shared(file, content, lines, (file,))), lines)


def _with_shared(
    file: Path, content: dict[str, Any], lines: Mapping[str, int], users: tuple[Path, ...]
) -> dict[str, Any]:
    """A file's content with that of the file that it shares, and of that one's."""
    name = content.pop(SHARED, None)
    if name is None:
        return content
    shared, place = file.parent / str(name), f"{file}, line {lines[SHARED]}: {SHARED}"
    if not shared.is_file():
        raise FileNotFoundError(f"{place}: {shared}: no such file")
    if shared.resolve() in [user.resolve() for user in users]:
        raise ValueError(f"{place}: {shared} shares this file itself")
    own, own_lines = _content(shared, *_compose(shared))
    return dict(_merged(_with_shared(shared, own, own_lines, (*users, shared)), content))


def _compose(file: Path) -> tuple[str, yaml.MappingNode]:
    try:
        text = file.read_text(encoding="utf-8")
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{file}: no readable YAML ({error})") from error
    if not isinstance(root, yaml.MappingNode):
        raise ValueError(f"{file}: expected the keys of a study, found no mapping")
    return text, root


def _content(file: Path, text: str, root: yaml.MappingNode) -> tuple[dict[str, Any], dict[str, int]]:
    """Content and lines of one file."""
    lines: dict[str, int] = {}
    _check_keys(file, root, lines)
    # The parser lets an unknown key pass whose value is an empty mapping.
    known = [*(part.name for part in (*fields(Settings), *fields(Study))), SHARED]
    for key, _ in root.value:
        if key.value not in known:
            near = get_close_matches(key.value, known, n=1)
            meant = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
            raise ValueError(f"{file}, line {lines[key.value]}: no key {key.value!r}; {meant}")
    lists: list[str] = []
    content = _plain(_Source(file, text, lists), root, (), 1)
    if lists:
        raise OldFormError(
            f"{file}: {len(lists)} lists of options have the old form, and are mappings {{option: value}} now; the new "
            "form of each is printed above",
            "\n".join(lists),
        )
    return content, lines


def _check_keys(file: Path, node: yaml.Node, lines: dict[str, int], above: tuple[str, ...] = ()) -> None:
    """Refuse repeated keys, and note the line of each key by its path, as `then.nsmc.configs`."""
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _check_keys(file, item, lines, above)
    if not isinstance(node, yaml.MappingNode):
        return
    seen: dict[str, int] = {}
    for key, value in node.value:
        line = key.start_mark.line + 1
        if key.tag != "tag:yaml.org,2002:str":
            raise ValueError(f"{file}, line {line}: YAML reads the key {key.value} not as text; put it in quotes")
        if key.value in seen:
            raise ValueError(f"{file}, line {line}: {key.value!r} is in line {seen[key.value]} already")
        seen[key.value] = line
        path = (*above, key.value)
        lines.setdefault(".".join(path), line)
        _check_keys(file, value, lines, path)


def _plain(source: _Source, node: yaml.Node, path: tuple[str, ...], line: int) -> Any:
    """The content of a node, below the key `path` in that line; options of the old form are noted in the source."""
    where = ".".join(path)
    if _holds_options(path):
        items = node.value if isinstance(node, yaml.SequenceNode) else [node]
        if any(isinstance(item, yaml.ScalarNode) for item in items) and isinstance(node, yaml.SequenceNode):
            try:
                mappings = from_words([str(item.value) for item in items], where)
            except ValueError as error:
                found = source.text[node.start_mark.index : node.end_mark.index].strip()
                raise ValueError(f"{source.place(line)}: {where}: expected {{option: value}}, found {found}") from error
            above = f" of {'.'.join(path[:-1])}" if path[1:] else ""
            source.lists.append(f"# line {line}{above}\n{written(path[-1], mappings, '  ' * len(path[1:]))}")
            return _Options(mappings)
        return _Options([read_options(item, source.text, f"{source.place(line)}: {where}") for item in items])
    if isinstance(node, yaml.MappingNode):
        return {
            key.value: _plain(source, value, (*path, key.value), key.start_mark.line + 1) for key, value in node.value
        }
    if isinstance(node, yaml.SequenceNode):
        return [_plain(source, item, (*path, "-"), line) for item in node.value]
    loader: Any = yaml.SafeLoader("")
    return loader.construct_document(node)


def _holds_options(path: tuple[str, ...]) -> bool:
    return any(
        len(path) == len(known) and all(mine in (name, "*") for name, mine in zip(path, known, strict=True))
        for known in _OPTIONS
    )


def _merged(shared: Any, own: Any) -> Any:
    """Both contents: mappings key by key, all else the study's own; null takes away what the shared file has."""
    if isinstance(shared, _Options) and isinstance(own, _Options):
        return _Options(merge_options(shared.mappings, own.mappings))
    if not (isinstance(shared, dict) and isinstance(own, dict)):
        return own
    merged = {**shared, **{key: _merged(shared.get(key), value) for key, value in own.items()}}
    return {key: value for key, value in merged.items() if value is not None or key not in shared}


def _in_words(value: Any) -> Any:
    if isinstance(value, _Options):
        return to_words(value.mappings)
    if isinstance(value, dict):
        return {key: _in_words(item) for key, item in value.items()}
    return value


def in_mappings(content: Mapping[str, Any], path: tuple[str, ...] = ()) -> dict[str, Any]:
    """The keys of a study with options as a study file writes them; the other way from `read_study`.

    Args:
        content: the keys, options as the words of a command line.
        path: keys above them.
    """
    found: dict[str, Any] = {}
    for key, value in content.items():
        place = (*path, key)
        if _holds_options(place):
            mappings = from_words(value, ".".join(place))
            found[key] = mappings[0] if len(mappings) == 1 else mappings
        else:
            found[key] = in_mappings(value, place) if isinstance(value, dict) else value
    return found
