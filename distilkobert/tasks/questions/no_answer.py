"""To give an answer or none: what a threshold makes of a record."""

from collections.abc import Mapping
from typing import Any

from distilkobert.metrics.korquad import NO_ANSWER


def decided(record: Mapping[str, Any], threshold: float) -> dict[str, Any]:
    """A record of a question that may have no answer, with the answer that the threshold leaves.

    Args:
        record: of `AnsweringCodec.records`, with `no_answer`, how much better no answer scores.
        threshold: from which margin on none is given.
    """
    if record["no_answer"] > threshold:
        return {**record, "predicted": NO_ANSWER, "raw": NO_ANSWER, "start": 0, "end": 0}
    start, end = record["place"]
    return {**record, "predicted": record["best"], "raw": record["best_raw"], "start": start, "end": end}
