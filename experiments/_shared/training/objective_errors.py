"""What an objective or its schedule refuses, with the option that names it."""

from collections.abc import Mapping
from typing import Any

from jsonargparse import Namespace

from distilkobert.objectives.contract.schedules import LinearSchedule

_SCHEDULE = frozenset(("start", "end", "begin", "until"))


def named_objective(error: BaseException, objectives: Any) -> BaseException:
    """The error with the name of its option in front; unchanged where it is not about an objective.

    The classes do not know the names of their options in the YAML, and the parser does not add them.

    Args:
        error: what a constructor has raised.
        objectives: `model.objectives` as they were parsed; anything else where the module has none.
    """
    message = str(error)
    for name, objective in objectives.items() if isinstance(objectives, Mapping) else ():
        kind = str(objective.get("class_path", "")).rpartition(".")[2]
        for option, value in _settings(objective).items():
            given = [_settings(value)[end] for end in ("start", "end")] if _is_schedule(value) else [value]
            place = f"--model.objectives.{name}.{option}"
            if _is_schedule(value) and _refused(_settings(value)) == message:
                return ValueError(f"{place}: {message}")
            if any(message.startswith(f"{kind}.{option}={number}:") for number in given):
                return ValueError(f"{place}{message.removeprefix(f'{kind}.{option}')}")
    return error


def _settings(value: Any) -> dict[str, Any]:
    """The settings of a group; of a class those of its constructor."""
    found = value.get("init_args", value)
    return (
        dict(vars(found) if isinstance(found, Namespace) else found) if isinstance(found, (Namespace, Mapping)) else {}
    )


def _is_schedule(value: Any) -> bool:
    return isinstance(value, (Namespace, Mapping)) and _settings(value).keys() >= _SCHEDULE


def _refused(settings: Mapping[str, Any]) -> str:
    """What a schedule of these settings is refused with; empty where it is not."""
    try:
        LinearSchedule(**{name: settings[name] for name in _SCHEDULE})
    except ValueError as error:
        return str(error)
    return ""
