"""Stored predictions of a run: `<stem>.jsonl`, one JSON object per line, in the order of the data file."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from distilkobert.io.files import write_text

STEMS: Final = {"test": "predictions", "predict": "predict"}
"""File name, without its ending, for each command of the trainer."""
PREDICTIONS_FILE: Final = f"{STEMS['test']}.jsonl"

GROUP: Final = "group"
"""Entry of a record, where examples belong together: row of the first example of its group."""


def write_records(folder: Path, stem: str, records: Iterable[Mapping[str, Any]]) -> None:
    """Write `<stem>.jsonl`, whole or not at all."""
    lines = (json.dumps(record, ensure_ascii=False) + "\n" for record in records)
    write_text(folder / f"{stem}.jsonl", "".join(lines))


def read_records(folder: Path) -> list[dict[str, Any]]:
    """The records that `test` has stored in a run's folder.

    Raises:
        FileNotFoundError: there are none.
        ValueError: the file is empty, or a line is not a JSON object; names the line.
    """
    path = folder / PREDICTIONS_FILE
    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist; the trainer's command `test` writes it")
    records = []
    with path.open(encoding="utf-8") as stream:
        for number, line in enumerate(stream, start=1):
            try:
                record = json.loads(line)
            except ValueError:
                record = None
            if not isinstance(record, dict):
                raise ValueError(f"{path}, line {number}: expected a JSON object, found {line.strip()[:40]!r}")
            records.append(record)
    if not records:
        raise ValueError(f"{path} is empty; expected one JSON object per line")
    return records
