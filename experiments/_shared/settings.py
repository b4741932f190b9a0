"""A run's settings as one flat table: full names for comparing, short ones for people."""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict
from typing import Any

PATHS = ("data_dir", "tokenizer", "cache_dir", "predict_file")
"""Where files are on this machine."""
MODEL_SOURCES = ("teacher", "init_from", "student.init_from")
"""Settings of a module that name the model it starts from."""
_NO_CHOICES = ("seed", "num_workers", "unknown_limit")

_TRAINER = ("max_steps", "max_epochs", "accumulate_grad_batches", "gradient_clip_val", "precision")
"""Settings of the trainer that a result may depend on."""


def flatten(settings: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings as one level, keys joined by dots as on the command line; lists become text.

    TensorBoard takes scalars only.
    """
    flat: dict[str, Any] = {}
    for name, value in settings.items():
        if isinstance(value, dict):
            flat |= flatten(value, prefix if name == "init_args" else f"{prefix}{name}.")
        else:
            flat[f"{prefix}{name}"] = str(list(value)) if isinstance(value, (list, tuple)) else value
    return flat


def as_json(settings: Any) -> Any:
    """Settings as JSON gives them back, so that tuples, lists and groups compare equal with what a YAML file gives."""
    return json.loads(json.dumps(settings, default=asdict))


def short_names(names: list[str]) -> dict[str, str]:
    """For each dotted name its shortest ending that no other name has: `model.student.layers` is `layers`.

    Of names that share an ending all become longer; a whole name that is the ending of another stays as it is. An
    objective's settings always carry its name, `cosine.weight`, so that runs with other objectives have the same names.
    """

    def ending(name: str, parts: int) -> str:
        return ".".join(name.split(".")[-parts:])

    short = {}
    for name in names:
        depth = name.count(".") + 1
        least = name.partition(".objectives.")[2].count(".") + 1
        unique = (n for n in range(least, depth) if sum(ending(other, n) == ending(name, n) for other in names) == 1)
        short[name] = ending(name, next(unique, depth))
    return short


def places_of(value: Any) -> list[str]:
    """What an option names: one file or folder, several, or several with a weight each; empty where it names none."""
    return [value] if isinstance(value, str) else list(value or ())


def model_sources(settings: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The models that a module starts from: the option, and the folder, checkpoint or hub id that it names."""
    for option in MODEL_SOURCES:
        value: Any = settings
        for name in option.split("."):
            value = value.get(name) if isinstance(value, Mapping) else None
        if isinstance(value, str):
            yield option, value


def without_places(data: dict[str, Any]) -> dict[str, Any]:
    """Settings of the data without places of files; `weights` are those of corpora, stored with their folders."""
    kept = {name: value for name, value in data.items() if name not in PATHS}
    folders = data.get("data_dir")
    if isinstance(folders, (dict, list, tuple)):
        weights = folders.values() if isinstance(folders, dict) else [1.0] * len(folders)
        kept["weights"] = [float(weight) for weight in weights]
    return {name: value for name, value in kept.items() if name != "weights" or value != [1.0]}


def comparable_settings(config: dict[str, Any], facts: dict[str, Any], linked: Collection[str]) -> dict[str, Any]:
    """What distinguishes runs, under short names: recipe, arm and seed, then settings of module, data and trainer.

    Left out are places of files, settings without a value, the data's copy of the seed and its limit of unknown pieces,
    and the module's copies of what data tells it: they are no choices, and would make names longer for some modules and
    not for others.

    Args:
        config: the parsed command line.
        facts: recipe, arm and seed.
        linked: settings that the module takes from the data.
    """
    model = config["model"].get("init_args", {})
    data = config["data"].get("init_args", {})
    trainer = {name: config["trainer"].get(name) for name in _TRAINER}
    chosen = flatten(
        {
            "model": {name: value for name, value in model.items() if name not in linked},
            "data": {name: value for name, value in without_places(data).items() if name not in _NO_CHOICES},
            "trainer": trainer,
        }
    )
    chosen = {name: value for name, value in chosen.items() if value is not None and not name.endswith(".class_path")}
    short = short_names([*facts, *chosen])
    return {**facts, **{short[name]: value for name, value in chosen.items()}}
