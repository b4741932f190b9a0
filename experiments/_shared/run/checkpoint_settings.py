"""Whether the settings of a command fit a checkpoint: all of them to resume training, fewer to evaluate."""

from collections.abc import Collection, Mapping
from inspect import signature
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

from jsonargparse import Namespace

from distilkobert.io.model_files import content_of_model
from distilkobert.io.run_files import run_of
from distilkobert.models.checkpoints import read_checkpoint
from experiments._shared.settings import MODEL_SOURCES, as_json, flatten, model_sources, without_places
from experiments._shared.start_checks import refuse_another_run
from experiments._shared.training.saved_paths import with_absolute_paths
from lightning_modules.base import MODULE_ENTRY, SOURCES_ENTRY
from lightning_modules.callbacks.run_record import DATA_ENTRY
from lightning_modules.run.remedies import new_run, other_weights

_FREE_ON_RESUME = ("num_workers", "eval_batch_size", "unknown_limit", "rouge_w")
"""Settings of the data that do not change what is trained on; nor do places of files."""

_FREE_IN_EVALUATION = (
    *(f"model.{option}" for option in MODEL_SOURCES), "model.optimizer.", "model.train_first",
    "model.train_first_share",
)  # fmt: skip
"""Settings of the module, or prefixes of their names, that do not define the network. A teacher may be moved;
the module checks that it is the same."""


def check_checkpoint(
    config: Namespace, folder: Path, linked: Collection[str], *, fit: bool, given: str = "--ckpt_path"
) -> int:
    """Check `--ckpt_path` against the module and the data this command configures.

    A setting that only one of the two sides has is a difference too. One that the checkpoint does not have, because it
    is newer than the checkpoint, counts there as its default, which is how the run was made. A model that the run
    starts from may have moved.

    Args:
        config: the command's settings.
        folder: into which it writes.
        linked: settings that the module takes from the data; they are no settings of the command.
        fit: whether it trains.
        given: the option that has named the checkpoint, for messages.

    Returns:
        Optimizer steps that the checkpoint's weights have taken.

    Raises:
        FileNotFoundError: the checkpoint does not exist.
        ValueError: it belongs to another module or another run; on `fit`, a setting of module or data differs from
            the run's; in evaluation, one that makes the network, or into the run's own folder one of the data.
    """
    path, settings = config.ckpt_path, config.model.init_args
    checkpoint = read_checkpoint(path)
    saved = checkpoint.get(MODULE_ENTRY, {"class": "an unknown module", "settings": {}})
    asked = config.model.class_path.rpartition(".")[2]
    if saved["class"] != asked:
        raise ValueError(
            f"--ckpt_path={path} was written by {saved['class']}, this command configures {asked}; --ckpt_path only "
            f"resumes or evaluates the same module. {other_weights(settings.keys())}"
        )
    refuse_another_run(folder, Path(path))
    own = {name: value for name, value in settings.as_dict().items() if name not in linked}
    now, before = (with_absolute_paths(flatten({"model": one})) for one in (as_json(own), saved["settings"]))
    defaults = flatten({"model": _defaults(config.model.class_path)})
    data, data_before, notes = data_settings(config), checkpoint.get(DATA_ENTRY, {}), dict[str, str]()
    if fit:
        notes = _compare_moved(before, now, checkpoint.get(SOURCES_ENTRY, {}))
        purpose, remedy = "resumes a run as it was", f"Drop the override, or {new_run(settings.keys(), path)}"
    else:
        now, before = ({n: value for n, value in side.items() if not _is_free(n)} for side in (now, before))
        purpose, remedy = "evaluates a model as it was trained", "Drop the override"
        if run_of(Path(path)) == folder.resolve():  # metrics of other data are written next to the run, not in it
            remedy += ", or for a data setting use another --run.arm"
        else:
            data_before = {}
    if data_before:
        now, before = now | data, before | data_before
        defaults |= flatten({"data": _defaults(config.data.class_path)})
    changes = "; ".join(_differences(before, now, defaults, notes))
    if changes:
        raise ValueError(f"{given} {purpose}, but settings differ from the checkpoint's ({changes}). {remedy}")
    return int(checkpoint["global_step"])


def content_of_sources(settings: Mapping[str, Any]) -> dict[str, str]:
    """Content of the models that a module starts from, by option; hub ids are left out."""
    found = {option: content_of_model(source) for option, source in model_sources(settings)}
    return {option: content for option, content in found.items() if content is not None}


def _compare_moved(before: dict[str, Any], now: Mapping[str, Any], contents: Mapping[str, str]) -> dict[str, str]:
    """Take models that have only moved for no difference; of others, by full name, what makes them one.

    Args:
        before: flat settings of the checkpoint; the path of a moved model becomes the present one.
        now: flat settings of the command.
        contents: those of the models that the run has started from, by option.
    """
    notes = {}
    for option in MODEL_SOURCES:
        name = f"model.{option}"
        old, new = before.get(name), now.get(name)
        if old is None or new is None or old == new:
            continue
        content = content_of_model(new)
        if content is None:
            notes[name] = ", where no weights are to compare with the run's"
        elif option not in contents:
            notes[name] = ", which cannot be compared: the checkpoint has no content of the run's"
        elif content != contents[option]:
            notes[name] = ", whose files have other content"
        else:
            before[name] = new
    return notes


def _differences(
    before: Mapping[str, Any], now: Mapping[str, Any], defaults: Mapping[str, Any], notes: Mapping[str, str]
) -> list[str]:
    """What differs between two flat tables of settings, in words; `notes` are added to those of their names."""
    found = []
    for name in sorted(before.keys() | now.keys()):
        if name not in now:
            found.append(f"{name}: checkpoint {before[name]!r}, now no setting")
        elif name not in before:
            if name not in defaults or now[name] != defaults[name]:
                found.append(f"{name}: checkpoint does not have it, now {now[name]!r}")
        elif now[name] != before[name]:
            found.append(f"{name}: checkpoint {before[name]!r}, now {now[name]!r}{notes.get(name, '')}")
    return found


def _defaults(class_path: str) -> dict[str, Any]:
    """The settings of a class that have defaults, in plain types."""
    parameters = signature(resolve_name(class_path)).parameters.values()
    given = {parameter.name: parameter.default for parameter in parameters if parameter.default is not parameter.empty}
    return dict(as_json(given))


def _is_free(name: str) -> bool:
    return any(name == free or (free.endswith(".") and name.startswith(free)) for free in _FREE_IN_EVALUATION)


def data_settings(config: Namespace) -> dict[str, Any]:
    """What this command makes its data with, flat; the seed under its own name."""
    given = without_places(as_json(config.data.init_args.as_dict()))
    kept = {name: value for name, value in given.items() if name not in (*_FREE_ON_RESUME, "seed")}
    return {
        "seed_everything": int(config.seed_everything),
        "data.class_path": config.data.class_path,
        **flatten({"data": kept}),
    }
