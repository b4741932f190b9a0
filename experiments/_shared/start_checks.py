"""What is refused before anything is made: a folder that is taken, a checkpoint that does not fit."""

from collections.abc import Collection, Mapping
from inspect import signature
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

from jsonargparse import Namespace

from distilkobert.io.run_files import CONFIG_FILE
from distilkobert.models.checkpoints import read_checkpoint
from experiments._shared.settings import as_json, flatten, without_places
from experiments._shared.training.saved_paths import with_absolute_paths
from lightning_modules.base import MODULE_ENTRY
from lightning_modules.callbacks.run_record import DATA_ENTRY
from lightning_modules.run.remedies import new_run, other_weights

_FREE_ON_RESUME = ("num_workers", "eval_batch_size", "unknown_limit", "rouge_w")
"""Settings of the data that do not change what is trained on; nor do places of files."""

_FREE_IN_EVALUATION = (
    "model.teacher", "model.init_from", "model.student.init_from", "model.optimizer.", "model.train_first",
    "model.train_first_share",
)  # fmt: skip
"""Settings of the module, or prefixes of their names, that do not define the network. A teacher may be moved;
the module checks that it is the same."""


def refuse_used_folder(folder: Path) -> None:
    """Refuse a run folder in which a run was started before.

    Raises:
        ValueError: the folder has a configuration; says how to resume it or to start another run.
    """
    if not (folder / CONFIG_FILE).is_file():
        kept = sorted((folder / "checkpoints").glob("*.ckpt"))
        if kept:
            raise ValueError(
                f"{folder} has checkpoints ({kept[0].name}) and no {CONFIG_FILE}, so their settings are unknown; "
                "move them away, or start the run with another --run.arm"
            )
        return
    last, without = folder / "checkpoints" / "last.ckpt", ", without a checkpoint"
    resume = f"Resume it with -c {folder / CONFIG_FILE} --ckpt_path={last}, start" if last.is_file() else "Start"
    raise ValueError(
        f"{folder} already contains a run{'' if last.is_file() else without}. {resume} a new run with "
        "another --run.arm or --seed_everything, or remove the folder"
    )


def refuse_another_run(folder: Path, checkpoint: Path) -> None:
    """Refuse to write the output of one run's checkpoint into the folder of another run.

    Raises:
        ValueError: the folder holds a run, and the checkpoint is not in it.
    """
    home = checkpoint.resolve().parent.parent
    if (folder / CONFIG_FILE).is_file() and home != folder.resolve():
        own = f" ({checkpoint.parent.parent / CONFIG_FILE})" if (home / CONFIG_FILE).is_file() else ""
        raise ValueError(
            f"--ckpt_path={checkpoint} does not belong to the run in {folder}, where this command would write. Use the "
            f"configuration of the checkpoint's run{own}, or another --run.arm"
        )


def refuse_evaluating_the_start(folder: Path, command: str) -> None:
    """Refuse to put metrics of untrained weights into the folder of a run that has trained ones.

    Raises:
        ValueError: the folder has a run's configuration or checkpoints; names these.
    """
    kept = sorted((folder / "checkpoints").glob("*.ckpt"))
    if not kept and not (folder / CONFIG_FILE).is_file():
        return
    usual = [path for path in kept if path.name in ("best.ckpt", "last.ckpt")]
    named = (
        f"Name the weights: --ckpt_path={' or '.join(map(str, usual or kept[:1]))}" if kept else "It has no checkpoint"
    )
    raise ValueError(
        f"{folder} contains a run; without --ckpt_path {command} would overwrite its metrics by untrained ones. "
        f"{named}; to evaluate untrained weights, use another --run.arm"
    )


def check_checkpoint(
    config: Namespace, folder: Path, linked: Collection[str], *, fit: bool, given: str = "--ckpt_path"
) -> int:
    """Check `--ckpt_path` against the module and the data this command configures.

    A setting that only one of the two sides has is a difference too. One that the checkpoint does not have, because it
    is newer than the checkpoint, counts there as its default, which is how the run was made.

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
    home = Path(path).parent.parent
    own = {name: value for name, value in settings.as_dict().items() if name not in linked}
    now, before = (with_absolute_paths(flatten({"model": one})) for one in (as_json(own), saved["settings"]))
    defaults = flatten({"model": _defaults(config.model.class_path)})
    data, data_before = data_settings(config), checkpoint.get(DATA_ENTRY, {})
    if fit:
        purpose, remedy = "resumes a run as it was", f"Drop the override, or {new_run(settings.keys(), path)}"
    else:
        now, before = ({n: value for n, value in side.items() if not _is_free(n)} for side in (now, before))
        purpose, remedy = "evaluates a model as it was trained", "Drop the override"
        if home.resolve() == folder.resolve():  # metrics of other data are written next to the run, not in it
            remedy += ", or for a data setting use another --run.arm"
        else:
            data_before = {}
    if data_before:
        now, before = now | data, before | data_before
        defaults |= flatten({"data": _defaults(config.data.class_path)})
    changes = "; ".join(_differences(before, now, defaults))
    if changes:
        raise ValueError(f"{given} {purpose}, but settings differ from the checkpoint's ({changes}). {remedy}")
    return int(checkpoint["global_step"])


def _differences(before: Mapping[str, Any], now: Mapping[str, Any], defaults: Mapping[str, Any]) -> list[str]:
    """What differs between two flat tables of settings, in words."""
    found = []
    for name in sorted(before.keys() | now.keys()):
        if name not in now:
            found.append(f"{name}: checkpoint {before[name]!r}, now no setting")
        elif name not in before:
            if name not in defaults or now[name] != defaults[name]:
                found.append(f"{name}: checkpoint does not have it, now {now[name]!r}")
        elif now[name] != before[name]:
            found.append(f"{name}: checkpoint {before[name]!r}, now {now[name]!r}")
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
