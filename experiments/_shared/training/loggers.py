"""The loggers that a command adds to TensorBoard, with the run's folder and name."""

import os
from collections.abc import Iterator
from functools import partial
from importlib.util import find_spec
from inspect import signature
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

from jsonargparse import Namespace
from pytorch_lightning.loggers import CSVLogger, Logger, TensorBoardLogger

from lightning_modules.loggers.late_logger import LateLogger
from lightning_modules.loggers.mlflow_names import mlflow_name
from lightning_modules.loggers.run_csv import CSV_FILE, RunCSV

_PACKAGES = {"MLFlowLogger": "mlflow", "WandbLogger": "wandb"}
_IDS = {"MLFlowLogger": "run_id", "WandbLogger": "id"}
"""Option of a logger that names the run to continue."""
_NAMED = {"MLFlowLogger": mlflow_name}
"""What a logger's metrics are called, where not as in TensorBoard."""

_ALWAYS = "--trainer.logger: runs always log to TensorBoard in their run folder; leave it out"


def fill_folder(loggers: Any, root: str) -> None:
    """Give loggers of files the folder without which the parser does not take them; they write into the run's anyway.

    Args:
        loggers: `trainer.logger` as it was parsed.
        root: folder of all runs.
    """
    for asked in _asked(loggers):
        if asked.class_path.endswith((".CSVLogger", ".TensorBoardLogger")) and asked.init_args.get("save_dir") is None:
            asked.init_args.save_dir = root


def check_loggers(asked: Any) -> None:
    """Check the loggers of a command before anything is made.

    Args:
        asked: `trainer.logger` as it was parsed.

    Raises:
        ValueError: TensorBoard is switched off or named, CSVLogger has options, or a logger's package is not installed.
    """
    if asked is False:
        raise ValueError(_ALWAYS)
    for logger in _asked(asked):
        kind = resolve_name(logger.class_path)
        if issubclass(kind, TensorBoardLogger):
            raise ValueError(_ALWAYS)
        if issubclass(kind, CSVLogger) and (ignored := _chosen(logger).keys() - {"save_dir"}):
            raise ValueError(
                f"--trainer.logger: CSVLogger writes {CSV_FILE} into the run folder, at every logged step; leave out "
                f"its options: {', '.join(sorted(ignored))}"
            )
        package = _PACKAGES.get(_name(logger))
        if package and find_spec(package) is None:
            raise ValueError(
                f"--trainer.logger: {_name(logger)} needs a package that is not installed: pip install {package}"
            )


def make_loggers(asked: Any, folder: Path, resumed_step: int | None) -> list[Logger]:
    """Make the loggers in addition to TensorBoard.

    Args:
        asked: `trainer.logger` as it was parsed.
        folder: the run's, `<root>/<recipe>/<arm>_seed<k>`.
        resumed_step: optimizer step at which training resumes; None where it does not.
    """
    return [
        LateLogger(partial(_make, one, folder, resumed_step), _name(one), folder, _NAMED.get(_name(one), str))
        for one in _asked(asked)
    ]


def _make(asked: Namespace, folder: Path, resumed_step: int | None, run_id: str | None) -> Logger:
    kind, name = resolve_name(asked.class_path), _name(asked)
    if issubclass(kind, CSVLogger):
        return RunCSV(folder, resumed_step)
    known = {} if run_id is None or name not in _IDS else {_IDS[name]: run_id}
    logger: Logger = kind(**{**asked.init_args.as_dict(), **_of_run(name, folder), **_chosen(asked), **known})
    return logger


def _chosen(asked: Namespace) -> dict[str, Any]:
    """Options of a logger that are not its defaults."""
    defaults = {name: option.default for name, option in signature(resolve_name(asked.class_path)).parameters.items()}
    return {key: value for key, value in asked.init_args.as_dict().items() if value != defaults.get(key)}


def _of_run(name: str, folder: Path) -> dict[str, Any]:
    """Settings of a logger that its run gives it, where the command does not."""
    recipe, run, root = folder.parent.name, folder.name, folder.parent.parent
    if name == "MLFlowLogger":
        place = os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{(root / 'mlflow.db').resolve()}"
        return {"experiment_name": recipe, "run_name": run, "tracking_uri": place}
    if name == "WandbLogger":
        return {
            "project": os.environ.get("WANDB_PROJECT") or "distilkobert",
            "name": f"{recipe}/{run}",
            "save_dir": folder,
        }
    return {}


def _asked(loggers: Any) -> Iterator[Namespace]:
    found = loggers if isinstance(loggers, list) else [loggers]
    yield from (one for one in found if isinstance(one, Namespace))


def _name(asked: Namespace) -> str:
    return str(asked.class_path.rpartition(".")[2])
