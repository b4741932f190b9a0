"""What a model scores that answers every example alike, the floor of all scores, and which runs do that."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from distilkobert.io.metric_names import LIMITED_TEST
from distilkobert.io.prediction_files import read_records
from distilkobert.tasks.kinds import MULTI_LABEL_CLASSIFICATION, SEQUENCE_CLASSIFICATION
from experiments.report.reading.runs import Run, Study
from experiments.report.reading.tasks import Metric

MAJORITY = "majority class"


@dataclass(frozen=True)
class Constant:
    """What answering every example alike scores.

    Args:
        answer: the most frequent true answer, in words.
        percent: its score.
        in_part: it is that of the part of the file which was tested, because no run was tested on the whole.
    """

    answer: str
    percent: float
    in_part: bool = False


def constant_answers(study: Study, metrics: Sequence[Metric]) -> tuple[dict[str, Constant], list[str]]:
    """The most frequent true answer of one task's test file, and what answering it everywhere scores.

    Args:
        study: its runs; the true answers are those of the first whose predictions can be read, one that was tested on
            the whole file where there is any.
        metrics: the task's scores; where they are not of classes, nothing is found.

    Returns:
        By column heading the answer and its score; and a sentence for each of the task's runs that gives one answer to
        every example.
    """
    kind = metrics[0].kind
    constants: dict[str, Constant] = {}
    alike: list[str] = []
    for run in study.of(metrics[0].stage) if kind in (SEQUENCE_CLASSIFICATION, MULTI_LABEL_CLASSIFICATION) else ():
        records = _records(run)
        in_part = LIMITED_TEST in run.metrics
        if records and (not constants or (not in_part and any(one.in_part for one in constants.values()))):
            counts = Counter(_plain(record["gold"]) for record in records)
            answer = min(counts, key=lambda one: (-counts[one], one))
            gold = next(record["gold"] for record in records if _plain(record["gold"]) == answer)
            sums = kind.load_codec().counts([{**record, "predicted": gold} for record in records])
            constants = {one.heading: Constant(answer, sums[one.score.title].percent, in_part) for one in metrics}
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
