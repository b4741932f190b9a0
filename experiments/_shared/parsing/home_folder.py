"""`~/` at the start of a path: shells leave it as it is behind `=` and in files of settings."""

import os
from typing import Any, Final

from jsonargparse import Namespace

_TEXTS: Final = ("text", "text_pair")
"""Options that hold texts."""


def with_home_folder(settings: Any) -> Any:
    """The parsed settings, in which values that begin with `~/` begin with the user's home folder."""
    if isinstance(settings, Namespace):
        for name, value in list(settings.items()):
            if name.rpartition(".")[2] not in _TEXTS:
                settings[name] = _expanded(value)
    return settings


def _expanded(value: Any) -> Any:
    if isinstance(value, str):
        return os.path.expanduser(value) if value.startswith("~/") else value  # noqa: PTH111 - keeps `./` and `//`
    if isinstance(value, list):
        return [_expanded(one) for one in value]
    if isinstance(value, dict):
        return {_expanded(name): _expanded(one) for name, one in value.items()}
    return value
