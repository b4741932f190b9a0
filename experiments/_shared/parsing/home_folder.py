"""`~/` at the start of a path: shells leave it as it is behind `=` and in files of settings."""

import os
import re
from collections.abc import Iterable
from typing import Any, Final

from jsonargparse import Namespace

from experiments._shared.parsing.words import CONFIG_OPTIONS

_TEXTS: Final = ("text", "text_pair")
"""Options that hold texts."""
_CONFIG: Final = re.compile(rf"({'|'.join(CONFIG_OPTIONS)})=(~/.*)", re.DOTALL)


def with_home_folder(settings: Any) -> Any:
    """The parsed settings, in which values that begin with `~/` begin with the user's home folder."""
    return _expanded(settings) if isinstance(settings, Namespace) else settings


def with_home_configs(words: Iterable[str]) -> list[str]:
    """The words of a command line; `--config=~/FILE` names the file in the user's home folder."""
    return [_CONFIG.sub(lambda found: f"{found[1]}={_expanded(found[2])}", word) for word in words]


def _expanded(value: Any) -> Any:
    if isinstance(value, str):
        return os.path.expanduser(value) if value.startswith("~/") else value  # noqa: PTH111 - keeps `./` and `//`
    if isinstance(value, list):
        return [_expanded(one) for one in value]
    if isinstance(value, dict):
        return {_expanded(name): _expanded(one) for name, one in value.items()}
    if isinstance(value, Namespace):
        for name, one in list(value.items()):
            if name.rpartition(".")[2] not in _TEXTS:
                value[name] = _expanded(one)
    return value
