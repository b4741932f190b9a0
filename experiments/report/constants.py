"""What a model scores that answers every example alike, the floor of all scores, and which runs do that."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from distilkobert.io.prediction_files import read_records
from distilkobert.tasks.kinds import MULTI_LABEL_CLASSIFICATION, SEQUENCE_CLASSIFICATION
from experiments.report.reading.runs import Run, Study
from experiments.report.reading.tasks import Metric

MAJORITY = "majority class"


@dataclass(frozen=True)
class Constant:
    """The most frequent true answer of a test file.

    Args:
        answer: in words.
        percent: what answering it everywhere scores, by the score's title.
    """

    answer: str
    percent: Mapping[str, float]


def constant_answers(study: Study, metrics: Sequence[Metric]) -> tuple[Constant | None, list[str]]:
    """The constant of one task, and a sentence for each of its runs that gives one answer to every example.

    Args:
        study: its runs; the true answers are those of the first whose predictions can be read.
        metrics: the task's scores; where they are not of classes, there is neither.
    """
    kind = metrics[0].kind
    constant, alike = None, []
    for run in study.of(metrics[0].stage) if kind in (SEQUENCE_CLASSIFICATION, MULTI_LABEL_CLASSIFICATION) else ():
        records = _records(run)
        if records and constant is None:
            counts = Counter(_plain(record["gold"]) for record in records)
            answer = min(counts, key=lambda one: (-counts[one], one))
            gold = next(record["gold"] for record in records if _plain(record["gold"]) == answer)
            sums = kind.load_codec().counts([{**record, "predicted": gold} for record in records])
            constant = Constant(answer, {title: one.percent for title, one in sums.items()})
        said = {_plain(record["predicted"]) for record in records}
        if len(records) > 1 and len(said) == 1:
            alike.append(f"{run.label} answers {said.pop()!r} to all of its {len(records):,} test examples.")
    return constant, alike


def _plain(answer: Any) -> str:
    return ", ".join(answer) or "no label" if isinstance(answer, list) else str(answer)


def _records(run: Run) -> list[dict[str, Any]]:
    """The run's predictions; none where they cannot be read, which the table of differences says."""
    try:
        records = read_records(run.folder) if run.metrics else []
    except (OSError, ValueError):
        return []
    return records if all({"gold", "predicted"} <= record.keys() for record in records) else []
