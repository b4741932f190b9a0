"""The JSON files of a run folder."""

import json
from pathlib import Path
from typing import Any

from distilkobert.files import write_text

METRICS_FILE = "metrics.json"


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


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write `content`, keys in order, whole or not at all."""
    write_text(path, json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True) + "\n")
