"""Stored predictions as counts: for every test example what it adds to the numerator and denominator of each score."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from distilkobert.io.run_files import PREDICTIONS_FILE
from experiments.report.reading.tasks import TaskKind

Record: TypeAlias = Mapping[str, Any]


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


def read_records(folder: Path) -> list[dict[str, Any]]:
    """The records of a run's `predictions.jsonl`.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is empty, or a line is no JSON object; names the line.
    """
    path = folder / PREDICTIONS_FILE
    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist; `experiments.train test` writes it")
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
        raise ValueError(f"{path} is empty; expected one JSON object a line")
    return records


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
        numerators, denominators = _COUNTS[kind](ordered)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ValueError(f"{path}: the records do not fit the task, {kind} ({error!r})") from error
    return Outcomes(keys, golds, numerators, denominators)


def difference(one: Outcomes, other: Outcomes) -> str:
    """Why two runs' predictions cannot be paired, in words; empty where they can."""
    if not np.array_equal(one.keys, other.keys):
        more, fewer = (len(np.setdiff1d(a.keys, b.keys)) for a, b in ((one, other), (other, one)))
        return f"it has {more} examples that the base arm's lack, and lacks {fewer} that they have"
    differing = int((one.golds != other.golds).sum())
    return f"the true answers of {differing} examples differ from the base arm's" if differing else ""


def suffix_tags(records: Sequence[Record]) -> bool:
    """Whether tags are written PER-B (Naver) and not B-PS (KLUE).

    Raises:
        ValueError: they are written neither way, or both ways.
    """
    tags = {tag for record in records for tag in record["gold"]} - {"O"}
    prefixed = all(tag[:2] in ("B-", "I-") for tag in tags)
    suffixed = all(tag[-2:] in ("-B", "-I") for tag in tags)
    if prefixed == suffixed and tags:
        raise ValueError(
            f"expected tags that all look like B-PS, or all like PS-B; found {', '.join(sorted(tags)[:5])}"
        )
    return suffixed and bool(tags)


_Counts: TypeAlias = tuple[dict[str, NDArray[np.float64]], dict[str, NDArray[np.float64]]]


def _classification(records: Sequence[Record]) -> _Counts:
    right = np.array([record["gold"] == record["predicted"] for record in records], dtype=np.float64)
    return {"accuracy": right}, {"accuracy": np.ones_like(right)}


def _tagging(records: Sequence[Record]) -> _Counts:
    """F1 over entities is 2 * right / (predicted + annotated), each summed over sentences before dividing."""
    from distilkobert.metrics.entities import lenient_entities

    suffix = suffix_tags(records)
    doubled, both = np.zeros(len(records)), np.zeros(len(records))
    for number, record in enumerate(records):
        if len(record["gold"]) != len(record["predicted"]):
            raise ValueError(f"{len(record['predicted'])} predicted tags for {len(record['gold'])} true ones")
        guessed = set(lenient_entities(record["predicted"], suffix))
        annotated = set(lenient_entities(record["gold"], suffix))
        doubled[number] = 2 * len(guessed & annotated)
        both[number] = len(guessed) + len(annotated)
    return {"F1": doubled}, {"F1": both}


def _answering(records: Sequence[Record]) -> _Counts:
    from distilkobert.metrics.korquad import total_scores

    totals = [total_scores({"": record["predicted"]}, {"": record["gold"]}) for record in records]
    exact = np.array([total.exact_match for total in totals], dtype=np.float64)
    overlap = np.array([total.f1 for total in totals], dtype=np.float64)
    ones = np.ones_like(exact)
    return {"EM": exact, "F1": overlap}, {"EM": ones, "F1": ones}


_COUNTS = {"classification": _classification, "tagging": _tagging, "answering": _answering}
