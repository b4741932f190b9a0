"""The record next to a table of augmented rows, and the data that such a table may not be used with.

A row that is made of another one is not independent of it: where a hash divides such rows, texts made of one text come
into several parts, and the score of the dev part is that of texts which were trained on.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from distilkobert.io.files import sha256_of_file
from distilkobert.tasks.splits import HashSplit

ENDING: Final = ".augment.json"
"""Added to the name of a table; the name of its record."""


def record_path(table: Path) -> Path:
    """Where the record of a table is."""
    return table.with_name(f"{table.name}{ENDING}")


def split_entry(split: HashSplit, key: str) -> dict[str, Any] | None:
    """What a record keeps of a division, from which the training rows of the source follow; None where all are.

    Args:
        split: the division.
        key: what is hashed, in words.
    """
    if not (split.dev or split.test):
        return None
    return {"key": key, "buckets": split.buckets, "dev": sorted(split.dev), "test": sorted(split.test)}


def read_record(table: Path) -> dict[str, Any] | None:
    """The record of a table; None where it has none.

    Raises:
        ValueError: the record is that of other rows.
    """
    path = record_path(table)
    if not path.is_file():
        return None
    record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if record["sha256"] != sha256_of_file(table):
        raise ValueError(f"{path}: it belongs to another version of {table.name}; remove it, or run augment again")
    return record


def check_augmented(
    train: Path, others: Mapping[str, Path | None], unlabelled: Path | None, split: HashSplit, key: str
) -> None:
    """Refuse augmented rows where they make a score that means nothing.

    Args:
        train: training file.
        others: files that are evaluated on, by the options that name them.
        unlabelled: file of unlabelled texts.
        split: how the training file is divided.
        key: what is hashed for it, in words.

    Raises:
        ValueError: the training file has augmented rows and is divided; a dev or test file has some; or unlabelled ones
            were made of rows of the training file that are not trained on.
    """
    for option, file in others.items():
        if file is not None and read_record(file) is not None:
            raise ValueError(f"{option}={file}: `prepare augment` wrote it; evaluate on original texts")
    entry = split_entry(split, key)
    if entry is None:
        return
    if read_record(train) is not None:
        raise ValueError(
            f"train_file={train}: `prepare augment` wrote it, so variants of one text would be in several parts; set "
            "dev_file, and test_file or test_share=0"
        )
    record = None if unlabelled is None else read_record(unlabelled)
    if record and record["source"]["sha256"] == sha256_of_file(train) and record["split"] != entry:
        raise ValueError(
            f"unlabelled_file={unlabelled}: `prepare augment` made it from rows of {train.name} that are not training "
            f"rows; make it again with --dev_share={len(split.dev) / split.buckets:g} "
            f"--test_share={len(split.test) / split.buckets:g} and the data's id or split_by"
        )
