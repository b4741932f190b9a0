"""The JSON files of a run folder."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from distilkobert.io.files import write_text

METRICS_FILE = "metrics.json"
CONFIG_FILE = "config.yaml"
PREDICTIONS_FILE = "predictions.jsonl"

RUNNING, STOPPED, FINISHED = "running", "stopped", "finished"
"""Values of `status` in `metrics.json`; a run that was killed while it trained on keeps the first."""
EARLY_STOPPING = "early_stopping"
"""Value of `stopped_by` where the run's own rule has ended it."""


def read_metrics(folder: Path) -> dict[str, Any]:
    """The run's `metrics.json`, or an empty dictionary where there is none yet.

    Raises:
        ValueError: the file is no JSON object.
    """
    path = folder / METRICS_FILE
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(
            f"{path}: not readable as JSON ({error}); remove the file and run the command again"
        ) from error
    if not isinstance(content, dict):
        raise ValueError(f"{path}: expected a JSON object, found {type(content).__name__}")
    return content


def how_to_finish(folder: Path) -> str:
    """Why a run is not finished and which command goes on from there; empty where its training and validation ended.

    A training that its own early stopping has ended is finished.

    Raises:
        ValueError: its `metrics.json` is no JSON object.
    """
    metrics, config = read_metrics(folder), folder / CONFIG_FILE
    last = folder / "checkpoints" / "last.ckpt"
    if not config.is_file():
        return ""
    command = f"python -m experiments.train {{}} -c {config} --ckpt_path={last}".format
    if reason := why_unfinished(metrics):
        again = f"go on with: {command('fit')}" if last.is_file() else "remove the folder and start it again"
        return f"{folder}: {reason}; {again}"
    if metrics.get("val/step") != metrics["steps"]:
        return f"{folder}: its last step was not validated; measure it with: {command('validate')}"
    return ""


def why_unfinished(metrics: Mapping[str, Any]) -> str:
    """Why the training behind a run's metrics has not come to its end; empty where it has.

    Runs from before there was a `status` count as finished where they have their number of steps.
    """
    stopped_by = metrics.get("stopped_by")
    if "steps" not in metrics or metrics.get("status") == RUNNING:
        return "training has not ended"
    if metrics.get("status") == STOPPED and stopped_by != EARLY_STOPPING:
        return f"training was stopped by {stopped_by} after optimizer step {metrics['steps']}"
    return ""


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write `content`, keys in order, whole or not at all."""
    write_text(path, json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True) + "\n")
