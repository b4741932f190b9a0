"""Options of the trainer as a study file writes them, `option: value`, and the words that they are on a command line.

    {configs: [configs/distill/attention.yaml], trainer.max_steps: 500}
    -c configs/distill/attention.yaml --trainer.max_steps=500

A value keeps the letters it is written with: `3.0e-4` is not 0.0003 on the command line, by which a run is known.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

import yaml

from experiments._shared.parsing.words import CONFIG_OPTIONS

CONFIGS = "configs"
_OWN_OPTIONS = ("run", "seed_everything", "ckpt_path", "model.teacher", "model.init_from")
_NO_SETTINGS = ("help", "print_config")
Options: TypeAlias = dict[str, str | list[str]]
"""Option, without dashes, to the text of its value; `configs` to config files."""


def read_options(node: yaml.Node, text: str, where: str) -> Options:
    """The options of a YAML mapping.

    Args:
        node: the mapping.
        text: the file that it is in.
        where: the key that holds it, for messages.

    Raises:
        ValueError: it is not a mapping, or an option has dashes, no value, or a group of options as its value.
    """
    if not isinstance(node, yaml.MappingNode):
        raise ValueError(
            f"{where}: expected options as {{option: value}}, found {_slice(node, text)!r}; {{}} adds none"
        )
    options: Options = {}
    for key, value in node.value:
        name, place = str(key.value), f"{where}.{key.value}"
        if name.startswith("-"):
            meant = CONFIGS if name in CONFIG_OPTIONS else name.lstrip("-").partition("=")[0]
            raise ValueError(f"{where}: write the option {name} without dashes, as `{meant}: VALUE`")
        if name == CONFIGS:
            items = value.value if isinstance(value, yaml.SequenceNode) else [value]
            if not all(isinstance(item, yaml.ScalarNode) for item in items):
                raise ValueError(f"{place}: expected config files, found {_slice(value, text)!r}")
            options[name] = [item.value for item in items]
            continue
        if isinstance(value, yaml.MappingNode) and "." not in name:
            inner = next((str(inner.value) for inner, _ in value.value), "OPTION")
            raise ValueError(f"{place}: write each option with its whole name: `{name}.{inner}: VALUE`")
        if isinstance(value, yaml.ScalarNode) and not value.value and not value.style:
            raise ValueError(f"{place}: has no value; write null where it shall have none")
        options[name] = _text_of(value, text)
    return options


def _text_of(node: yaml.Node, text: str) -> str:
    """A value as one word of a command line."""
    if isinstance(node, yaml.ScalarNode):
        return str(node.value)
    written = _slice(node, text)
    if isinstance(node, yaml.CollectionNode) and node.flow_style and "\n" not in written:
        return written
    constructor: Any = yaml.SafeLoader("")
    value = constructor.construct_document(node)
    return yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10**6, sort_keys=False).strip()


def _slice(node: yaml.Node, text: str) -> str:
    return text[node.start_mark.index : node.end_mark.index]


def group_args(args: Sequence[str], where: str) -> list[tuple[str, ...]]:
    """The arguments, each option together with its value: `-c FILE`, `--option=value`, `--option value`.

    Raises:
        ValueError: an argument is neither an option nor a value of one.
    """
    groups: list[tuple[str, ...]] = []
    for arg in args:
        if arg.startswith("-") and not re.fullmatch(r"-[\d.].*", arg):
            groups.append((arg,))
        elif groups and len(groups[-1]) == 1 and "=" not in groups[-1][0]:
            groups[-1] = (groups[-1][0], arg)
        else:
            raise ValueError(f"{where}: {arg!r} is not an option; write -c FILE or --option=value")
    return groups


def merge_words(first: Sequence[str], then: Sequence[str]) -> list[str]:
    """Both; an option that both have is in its first place with its second value, config files follow each other.

    All words follow each other where one mapping cannot hold both, and where an option adds to a list (`name+`).
    """
    (one, *more), (other, *others) = from_words(first, ""), from_words(then, "")
    if more or others or any(name.endswith("+") for name in one.keys() & other.keys()):
        return [*first, *then]
    merged: Options = {**one, **other}
    if CONFIGS in one and CONFIGS in other:
        merged[CONFIGS] = [*one[CONFIGS], *other[CONFIGS]]
    return to_words([merged])


def to_words(mappings: Iterable[Options]) -> list[str]:
    """The words of the command line, in the order of the options."""
    words: list[str] = []
    for name, value in (pair for options in mappings for pair in options.items()):
        files = value if isinstance(value, list) else []
        words += [word for file in files for word in ("-c", file)] if name == CONFIGS else [f"--{name}={value}"]
    return words


def from_words(words: Sequence[str], where: str) -> list[Options]:
    """Words of the command line as mappings, one after the other where one cannot hold them in their order.

    Raises:
        ValueError: a word is neither an option nor a value of one, or an option has no value.
    """
    mappings: list[Options] = [{}]
    for group in group_args(words, where):
        name, _, value = group[0].partition("=")
        value = value if len(group) == 1 else group[1]
        current = mappings[-1]
        if len(group) == 1 and "=" not in group[0]:  # it would take the next argument of the command line
            right = f"{group[0]} FILE" if group[0] in CONFIG_OPTIONS else f"{group[0]}=VALUE"
            raise ValueError(f"{where}: {group[0]} has no value; write {right}")
        if name in CONFIG_OPTIONS:
            if CONFIGS in current and list(current)[-1] != CONFIGS:
                mappings.append({})
            files = mappings[-1].setdefault(CONFIGS, [])
            assert isinstance(files, list)
            files.append(value)
            continue
        if name.lstrip("-") in current:
            mappings.append({})
        mappings[-1][name.lstrip("-")] = value
    return mappings


def check_words(words: Sequence[str], where: str) -> None:
    """Refuse options that the study would overrule, or that set nothing.

    Raises:
        ValueError: see `from_words`; or an option is none of the study file's.
    """
    for option, value in (pair for options in from_words(words, where) for pair in options.items()):
        name = option.removesuffix("+").replace(".init_args.", ".")
        if name in _NO_SETTINGS or name.endswith(".help"):
            raise ValueError(f"{where}: --{option}={value} is not a setting; leave it out")
        if any(name == own or name.startswith(f"{own}.") for own in _OWN_OPTIONS):
            raise ValueError(f"{where}: --{option}={value} is set by the study itself; leave it out")
