"""The JSON files of a run folder."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from distilkobert.io.files import write_text
from distilkobert.io.metric_names import STATUS, STEPS, STOPPED_BY

METRICS_FILE = "metrics.json"
CONFIG_FILE = "config.yaml"
LOGGERS_FILE = "loggers.json"
"""Ids that loggers other than TensorBoard have given the run."""

RUNNING, STOPPED, FINISHED = "running", "stopped", "finished"
"""Values of `status` in `metrics.json`; a run that was killed while it trained on keeps the first."""
EARLY_STOPPING = "early_stopping"
"""Value of `stopped_by` where the run's own rule has ended it."""


def read_metrics(folder: Path) -> dict[str, Any]:
    """The run's `metrics.json`, or an empty dictionary where there is none yet.

    Raises:
        ValueError: the file is not a JSON object.
    """
    return read_json_object(folder / METRICS_FILE)


def read_json_object(path: Path) -> dict[str, Any]:
    """The object in a JSON file of a run folder, or an empty dictionary where there is no file.

    Raises:
        ValueError: the file is not a JSON object.
    """
    if not path.is_file():
        return {}
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(
            f"{path}: not readable as JSON ({error}); remove the file and run the command again"
        ) from error
    if not isinstance(values, dict):
        raise ValueError(f"{path}: expected a JSON object, found {type(values).__name__}")
    return values


def run_of(checkpoint: Path) -> Path:
    """Folder of a checkpoint's run, without links; its `checkpoints/` may be a link to another disk."""
    named, real = checkpoint.absolute().parent, checkpoint.resolve().parent
    run = named.parent.resolve()
    return run if named.resolve() == real and (run / CONFIG_FILE).is_file() else real.parent


def no_checkpoint(path: Path) -> FileNotFoundError:
    """The error where a checkpoint is not there; names those that its run has."""
    run = path if path.is_dir() else path.parent.parent
    kept = sorted(str(found) for found in (run / "checkpoints").glob("*.ckpt"))
    hint = f"; there are {', '.join(kept)}" if kept else ""
    if not kept and (run / CONFIG_FILE).is_file():
        hint = f"; the run in {run} has none: remove the folder and start it again"
    return FileNotFoundError(f"{path}: no such checkpoint file{hint}")


def why_unfinished(metrics: Mapping[str, Any]) -> str:
    """Why the training behind a run's metrics has not come to its end; empty where it has.

    Runs from before there was a `status` count as finished where they have their number of steps.
    """
    stopped_by = metrics.get(STOPPED_BY)
    if STEPS not in metrics or metrics.get(STATUS) == RUNNING:
        return "training has not ended"
    if metrics.get(STATUS) == STOPPED and stopped_by != EARLY_STOPPING:
        return f"training was stopped by {stopped_by} after optimizer step {metrics[STEPS]}"
    return ""


def write_json(path: Path, values: Mapping[str, Any]) -> None:
    """Write `values`, keys in order, whole or not at all."""
    write_text(path, json.dumps(values, ensure_ascii=False, indent=1, sort_keys=True) + "\n")
