"""Paths in the settings that a run keeps: they hold from any working folder."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from jsonargparse import Namespace

from experiments._shared.settings import PATHS

_NAMES: Final = {
    "run": ("root",),
    "probe": ("data_dir",),
    "data": PATHS,
    "model": ("teacher", "init_from"),
}
"""Last parts of the options that name files, by their first part."""


def with_absolute_paths(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Flat settings, full names to values, with the paths of what is here in absolute form; hub ids stay."""
    return {name: _absolute(name, value) for name, value in settings.items()}


def keepable(config: Namespace) -> Namespace:
    """The settings of a command with absolute paths, as a run keeps them."""
    kept = config.clone()
    for name, value in config.items():
        kept[name] = _absolute(name, value)
    return kept


def _absolute(name: str, value: Any) -> Any:
    first, last = name.partition(".")[0], name.rpartition(".")[2]
    if not value or last not in _NAMES.get(first, ()):
        return value
    if isinstance(value, dict):  # several corpora, each with its weight
        return {_absolute(name, folder): weight for folder, weight in value.items()}
    if isinstance(value, (list, tuple)):
        return [_absolute(name, folder) for folder in value]
    if not isinstance(value, str):
        return value
    return str(Path(value).absolute()) if first == "run" or Path(value).exists() else value
