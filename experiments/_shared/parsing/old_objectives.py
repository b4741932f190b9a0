"""The form that three fixed losses had in configurations and checkpoints before there were objectives."""

from collections.abc import Mapping
from typing import Any

NEW_NAMES = {
    "soft_target": "objectives.soft_target.weight",
    "masked_lm": "objectives.masked_lm.weight",
    "cosine": "objectives.cosine.weight",
    "temperature": "objectives.soft_target.temperature",
    "soft_target_on": "objectives.soft_target.on",
}
"""Setting below `losses` to the setting that it is now."""

_CLASSES = {
    "soft_target": "distilkobert.objectives.SoftTargets",
    "masked_lm": "distilkobert.objectives.MaskedLM",
    "cosine": "distilkobert.objectives.HiddenCosine",
}
_DEFAULTS: dict[str, dict[str, Any]] = {
    "soft_target": {"weight": 0.33, "temperature": 2.0, "on": "real_tokens"},
    "masked_lm": {"weight": 0.33},
    "cosine": {"weight": 0.33, "on": "real_tokens"},
}


def objectives_of(losses: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The objectives that settings of the old form stand for, each with class_path and init_args.

    Args:
        losses: settings by their old names; those that are not there had the values of DistilKoBERT.

    Raises:
        ValueError: a name that the old form did not have.
    """
    unknown = sorted(losses.keys() - NEW_NAMES.keys())
    if unknown:
        raise ValueError(f"losses.{unknown[0]}: unknown; the old settings are {', '.join(NEW_NAMES)}")
    objectives = {name: {"class_path": _CLASSES[name], "init_args": dict(_DEFAULTS[name])} for name in _CLASSES}
    for old, value in losses.items():
        _, name, setting = NEW_NAMES[old].split(".")
        init_args = objectives[name]["init_args"]
        assert isinstance(init_args, dict)
        init_args[setting] = value
    return objectives
