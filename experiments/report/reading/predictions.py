"""Stored predictions as counts: for every test example what it adds to the numerator and denominator of each score."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from distilkobert.io.prediction_files import PREDICTIONS_FILE, read_records
from distilkobert.tasks.kinds import TaskKind


@dataclass(frozen=True)
class Outcomes:
    """One run's predictions; a score in per cent is 100 * sum(numerators) / sum(denominators).

    Args:
        keys: what an example is known by, its id or its row in the data file, sorted; (N,).
        golds: hash of each example's true answer, within this process; (N,).
        numerators: by name of the score (`accuracy`, `EM`, `F1`), (N,).
        denominators: likewise.
    """

    keys: NDArray[np.str_]
    golds: NDArray[np.int64]
    numerators: Mapping[str, NDArray[np.float64]]
    denominators: Mapping[str, NDArray[np.float64]]

    def percent(self, name: str) -> float:
        """The score over all examples, in per cent; 0 where there is nothing to divide by."""
        total = float(self.denominators[name].sum())
        return 100.0 * float(self.numerators[name].sum()) / total if total else 0.0


def read_outcomes(folder: Path, kind: TaskKind) -> Outcomes:
    """Count a run's predictions.

    Raises:
        FileNotFoundError: see `read_records`.
        ValueError: see `read_records`; or a record lacks what its task writes, or an example occurs twice.
    """
    records = read_records(folder)
    path = folder / PREDICTIONS_FILE
    try:
        # An id is the example's own; a row only says where it stood in the file.
        keyed = sorted(
            ((str(record["id"] if "id" in record else record["row"]), record) for record in records),
            key=lambda pair: pair[0],
        )
    except KeyError as error:
        raise ValueError(f"{path}: a record has no {error}; was it written by `experiments.train test`?") from None
    if len({key for key, _ in keyed}) != len(records):
        raise ValueError(f"{path}: an example occurs twice; remove the file and run `experiments.train test` again")
    keys = np.array([key for key, _ in keyed])
    ordered = [record for _, record in keyed]
    try:
        golds = np.array([hash(json.dumps(record["gold"])) for record in ordered], dtype=np.int64)
        numerators, denominators = kind.load_codec().counts(ordered)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ValueError(f"{path}: the records do not fit the task, {kind.name} ({error!r})") from error
    return Outcomes(keys, golds, numerators, denominators)


def difference(one: Outcomes, other: Outcomes) -> str:
    """Why two runs' predictions cannot be paired, in words; empty where they can."""
    if not np.array_equal(one.keys, other.keys):
        more, fewer = (len(np.setdiff1d(a.keys, b.keys)) for a, b in ((one, other), (other, one)))
        return f"it has {more} examples that the base arm's lack, and lacks {fewer} that they have"
    differing = int((one.golds != other.golds).sum())
    return f"the true answers of {differing} examples differ from the base arm's" if differing else ""
