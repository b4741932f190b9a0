"""Stored predictions as sums: what every test example adds to each score."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from distilkobert.io.prediction_files import GROUP, PREDICTIONS_FILE, read_records
from distilkobert.tasks.kinds import TaskKind
from distilkobert.tasks.score_sums import ScoreSums


@dataclass(frozen=True)
class Outcomes:
    """One run's predictions.

    Args:
        keys: what an example is known by, its id or its row in the data file, sorted; (N,).
        golds: hash of each example's true answer, within this process; (N,).
        scores: what each example adds, by name of the score (`accuracy`, `EM`, `F1`).
        groups: number of the group that each example belongs to, (N,); None where every example stands alone.
    """

    keys: NDArray[np.str_]
    golds: NDArray[np.int64]
    scores: Mapping[str, ScoreSums]
    groups: NDArray[np.int64] | None = None

    def percent(self, name: str) -> float:
        """The score over all examples, in per cent."""
        return self.scores[name].percent


def read_outcomes(folder: Path, kind: TaskKind) -> Outcomes:
    """Count a run's predictions.

    Raises:
        FileNotFoundError: see `read_records`.
        ValueError: see `read_records`; or a record has not what its task writes, or an example occurs twice.
    """
    records = read_records(folder)
    path = folder / PREDICTIONS_FILE
    try:
        # An id is the example's own; a row only says where it stood in the file.
        keyed = {str(record["id"] if "id" in record else record["row"]): record for record in records}
    except KeyError as error:
        raise ValueError(f"{path}: a record has no {error}; was it written by `experiments.train test`?") from None
    if len(keyed) != len(records):
        raise ValueError(f"{path}: an example occurs twice; remove the file and run `experiments.train test` again")
    keys = sorted(keyed)
    ordered = [keyed[key] for key in keys]
    try:
        golds = np.array([hash(json.dumps(record["gold"])) for record in ordered], dtype=np.int64)
        scores = kind.load_codec().counts(ordered)
        grouped = all(GROUP in record for record in ordered)
        groups = np.array([int(record[GROUP]) for record in ordered]) if grouped else None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ValueError(f"{path}: the records do not fit the task, {kind.name} ({error!r})") from error
    return Outcomes(np.array(keys), golds, scores, groups)


def difference(one: Outcomes, other: Outcomes) -> str:
    """Why two runs' predictions cannot be paired, in words; empty where they can."""
    if not np.array_equal(one.keys, other.keys):
        more, fewer = (len(np.setdiff1d(a.keys, b.keys)) for a, b in ((one, other), (other, one)))
        return f"{more} of its examples are not in the base arm, and {fewer} of the base arm's are missing"
    differing = int((one.golds != other.golds).sum())
    return f"the true answers of {differing} examples differ from the base arm's" if differing else ""
