"""Which keys of a study hold options of a command, which name config files, and names that become folders."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import is_dataclass
from typing import Any, TypeAlias

Path: TypeAlias = tuple[str, ...]
"""Names of keys, one below the other; `*` is any."""

TRAINING_OPTIONS: tuple[Path, ...] = (
    ("overrides",),
    ("machine",),
    ("arms", "*"),
    ("axes", "*", "*"),
    ("arm_fine_tuning", "*"),
    ("teacher", "overrides"),
    ("models", "*", "overrides"),
    ("then", "*", "overrides"),
    ("then", "*", "arm_fine_tuning", "*"),
    ("then", "*", "distil", "overrides"),
)
CONFIGS: tuple[Path, ...] = (
    ("base",),
    ("teacher", "configs"),
    ("then", "*", "configs"),
    ("then", "*", "distil", "configs"),
)
_NAME = re.compile(r"\w[\w.+=-]{0,99}")
_OPTIONS = (*TRAINING_OPTIONS, ("corpus", "options"))


def holds_options(path: Path) -> bool:
    """Whether the value of a key is options of a command."""
    return any(
        len(path) == len(known) and all(name in (mine, "*") for mine, name in zip(path, known, strict=True))
        for known in _OPTIONS
    )


def values_at(value: Any, paths: Iterable[Path], above: Path = ()) -> Iterator[tuple[str, Any]]:
    """The whole names of the keys that a study has at these places, with their values.

    Args:
        value: a study, or a part of it.
        paths: the places, below it.
        above: names of the keys above it.
    """
    for path in paths:
        if not path:
            yield ".".join(above), value
            continue
        own = vars(value) if is_dataclass(value) else value if isinstance(value, dict) else {}
        for name in own if path[0] == "*" else path[:1]:
            if own.get(name) is not None:
                yield from values_at(own[name], [path[1:]], (*above, name))


def check_name(name: str, what: str) -> None:
    """Refuse a name that cannot be a folder everywhere.

    Raises:
        ValueError: it holds other signs than letters, digits and `-_.+=`, starts with one of these, or is too long.
    """
    if not _NAME.fullmatch(name) or name.endswith("."):
        raise ValueError(
            f"{what}: {name!r} cannot be a folder name; use up to 100 letters, digits and '-', '_', '.', '+', '=', "
            "starting with a letter or a digit"
        )


def check_names(names: Iterable[str], what: str) -> None:
    """Check several names that become folders in one folder.

    Raises:
        ValueError: one cannot be a folder name, or two are the same where case does not count.
    """
    seen: dict[str, str] = {}
    for name in names:
        check_name(name, what)
        if name.casefold() in seen:
            other = seen[name.casefold()]
            reason = "is there twice" if other == name else f"differs from {other!r} by case alone"
            raise ValueError(f"{what}: {name!r} {reason}; every name is a folder, so give each its own")
        seen[name.casefold()] = name
