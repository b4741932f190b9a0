"""Gold answers of a KorQuAD file, read apart from the project's own reader."""

from collections.abc import Mapping
from typing import Any


def gold_answers(korquad: Mapping[str, Any]) -> dict[str, list[str]]:
    """Question id to its gold answer texts, from a parsed KorQuAD or SQuAD 1.1 file."""
    questions = [
        question for article in korquad["data"] for paragraph in article["paragraphs"] for question in paragraph["qas"]
    ]
    golds = {question["id"]: [answer["text"] for answer in question["answers"]] for question in questions}
    assert len(golds) == len(questions) > 0
    return golds
