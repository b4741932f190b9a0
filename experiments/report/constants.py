"""What a model scores that answers every example alike, the floor of all scores, and which runs do that."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from distilkobert.io.prediction_files import read_records
from distilkobert.tasks.kinds import MULTI_LABEL_CLASSIFICATION, SEQUENCE_CLASSIFICATION
from experiments.report.reading.runs import Run, Study
from experiments.report.reading.tasks import Metric

MAJORITY = "majority class"


def constant_answers(study: Study, metrics: Sequence[Metric]) -> tuple[dict[str, tuple[str, float]], list[str]]:
    """The most frequent true answer of one task's test file, and what answering it everywhere scores.

    Args:
        study: its runs; the true answers are those of the first whose predictions can be read.
        metrics: the task's scores; where they are not of classes, nothing is found.

    Returns:
        By column heading the answer, in words, and its score in per cent; and a sentence for each of the task's runs
        that gives one answer to every example.
    """
    kind = metrics[0].kind
    constants: dict[str, tuple[str, float]] = {}
    alike = []
    for run in study.of(metrics[0].stage) if kind in (SEQUENCE_CLASSIFICATION, MULTI_LABEL_CLASSIFICATION) else ():
        records = _records(run)
        if records and not constants:
            counts = Counter(_plain(record["gold"]) for record in records)
            answer = min(counts, key=lambda one: (-counts[one], one))
            gold = next(record["gold"] for record in records if _plain(record["gold"]) == answer)
            sums = kind.load_codec().counts([{**record, "predicted": gold} for record in records])
            constants = {one.heading: (answer, sums[one.score.title].percent) for one in metrics}
        said = {_plain(record["predicted"]) for record in records}
        if len(records) > 1 and len(said) == 1:
            alike.append(f"{run.label} answers {said.pop()!r} to all of its {len(records):,} test examples.")
    return constants, alike


def _plain(answer: Any) -> str:
    return ", ".join(answer) or "no label" if isinstance(answer, list) else str(answer)


def _records(run: Run) -> list[dict[str, Any]]:
    """The run's predictions; none where they cannot be read, which the table of differences says."""
    try:
        records = read_records(run.folder) if run.metrics else []
    except (OSError, ValueError):
        return []
    return records if all({"gold", "predicted"} <= record.keys() for record in records) else []
