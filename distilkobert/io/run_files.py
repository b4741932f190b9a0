"""The JSON files of a run folder."""

import json
from pathlib import Path
from typing import Any

from distilkobert.io.files import write_text

METRICS_FILE = "metrics.json"
CONFIG_FILE = "config.yaml"
PREDICTIONS_FILE = "predictions.jsonl"


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
    """What a run folder lacks and which command goes on from there; empty where its training and validation ended.

    Raises:
        ValueError: its `metrics.json` is no JSON object.
    """
    metrics, config = read_metrics(folder), folder / CONFIG_FILE
    last = folder / "checkpoints" / "last.ckpt"
    if not config.is_file():
        return ""
    command = f"python -m experiments.train {{}} -c {config} --ckpt_path={last}".format
    if "steps" not in metrics:
        again = f"go on with: {command('fit')}" if last.is_file() else "remove the folder and start it again"
        return f"{folder}: training has not ended; {again}"
    if metrics.get("val/step") != metrics["steps"]:
        return f"{folder}: its last step was not validated; measure it with: {command('validate')}"
    return ""


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write `content`, keys in order, whole or not at all."""
    write_text(path, json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True) + "\n")
