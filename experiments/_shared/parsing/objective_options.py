"""Options of the command line that name an objective: what they change in the objectives of files, as YAML nodes."""

import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import yaml

OPTION: Final = re.compile(r"--model\.(?:init_args\.)?objectives\.(?P<name>\w+)")
"""Beginning of an option that names an objective."""
STRING: Final = "tag:yaml.org,2002:str"
_MAPPING: Final = "tag:yaml.org,2002:map"


class ObjectiveOption(NamedTuple):
    """One option.

    Args:
        written: its word, with the value where that is in it.
        name: of the objective.
        entry: class_path, init_args or both, as far as the option gives them.
    """

    written: str
    name: str
    entry: yaml.MappingNode


def objective_options(words: Sequence[str]) -> Iterator[ObjectiveOption]:
    """Yield the options among words, in their order, `--option=value` and `--option value`.

    Args:
        words: of a command line, which the parser has accepted.
    """
    for word, following in zip(words, [*words[1:], ""], strict=False):
        option = OPTION.match(word)
        if option is None:
            continue
        setting, equals, text = word[option.end() :].removeprefix(".").partition("=")
        value = _node(text if equals else following)
        if setting in ("", "class_path"):
            entry = value if isinstance(value, yaml.MappingNode) else _mapping("class_path", value)
        else:
            for key in reversed(setting.removeprefix("init_args.").split(".")):
                value = _mapping(key, value)
            entry = _mapping("init_args", value)
        yield ObjectiveOption(word, option["name"], entry)


def _node(text: str) -> yaml.Node:
    """A value as the parser reads it: YAML, else text."""
    try:
        node = yaml.compose(text)
    except yaml.YAMLError:
        node = None
    return yaml.ScalarNode(STRING, text) if node is None else node


def _mapping(key: str, value: yaml.Node) -> yaml.MappingNode:
    return yaml.MappingNode(_MAPPING, [(yaml.ScalarNode(STRING, key), value)])
