"""KorQuAD 1.0 exact match and F1 by the rules of the official scorer, and its prediction files.

Both scores compare normalised answers. Exact match asks for equal strings. F1 treats an answer as a bag of characters,
blanks left out; of several gold answers the best counts. Every question counts, one without a prediction as 0.
"""

import json
import string
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import torch
from torch import Tensor
from torchmetrics import Metric

from distilkobert.io.files import write_text

# What the official script for version 1.0 turns into a space, and then what it deletes. Other punctuation (the middle
# dot, corner brackets, curly double quotes) stays and can make an answer differ.
_TO_SPACE: Final = "'\"《》<>〈〉()‘’"
_SPACING: Final = str.maketrans(_TO_SPACE, " " * len(_TO_SPACE))
NO_ANSWER: Final = ""
"""Placeholder for the answer of a question that has none."""
_DELETING: Final = str.maketrans("", "", string.punctuation)


def normalise_answer(text: str) -> str:
    """Quotes and brackets to spaces, lower case, ASCII punctuation deleted, white space collapsed: in this order."""
    return " ".join(text.translate(_SPACING).lower().translate(_DELETING).split())


def exact_match(prediction: str, gold: str) -> bool:
    """Whether the normalised answers are equal."""
    return normalise_answer(prediction) == normalise_answer(gold)


def f1(prediction: str, gold: str) -> float:
    """Harmonic mean (0 to 1) of precision and recall over the characters of the normalised answers.

    0 where no character is shared, also when both answers are empty after normalisation.
    """
    predicted, actual = (Counter(normalise_answer(text).replace(" ", "")) for text in (prediction, gold))
    shared = (predicted & actual).total()
    return 2 * shared / (predicted.total() + actual.total()) if shared else 0.0


def best_scores(prediction: str, golds: Sequence[str]) -> tuple[bool, float]:
    """Exact match and F1 (0 to 1), the best over the true answers.

    Args:
        prediction: the answer given; empty for none.
        golds: true answers; a single empty one where there is none, which nothing but an empty answer matches.
    """
    if list(golds) == [NO_ANSWER]:
        right = not normalise_answer(prediction)
        return right, float(right)
    return any(exact_match(prediction, gold) for gold in golds), max(f1(prediction, gold) for gold in golds)


class Totals(NamedTuple):
    """Sums over questions: of exact matches, of F1, of questions, and of those without a prediction."""

    exact_match: int
    f1: float
    questions: int
    missing: int


def total_scores(predictions: Mapping[str, str], golds: Mapping[str, Sequence[str]]) -> Totals:
    """Sum the best score of every question in ``golds``; predictions for other questions are not read.

    Args:
        predictions: question id to answer text.
        golds: question id to its gold answers.

    Raises:
        ValueError: a question has no gold answer.
    """
    matches, overlap, missing = 0, 0.0, 0
    for identifier, answers in golds.items():
        if not answers:
            raise ValueError(f"question {identifier!r} has no gold answer to score against")
        if identifier not in predictions:
            missing += 1
            continue
        prediction = predictions[identifier]
        matches += any(exact_match(prediction, gold) for gold in answers)
        overlap += max(f1(prediction, gold) for gold in answers)
    return Totals(matches, overlap, len(golds), missing)


class KorQuadScore(Metric):
    """``exact_match`` and ``f1`` of KorQuAD 1.0 in percent (0 to 100), over all questions of all processes."""

    full_state_update = False
    is_differentiable = False
    higher_is_better = True
    matches: Tensor
    overlap: Tensor
    questions: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.add_state("matches", default=torch.tensor(0), dist_reduce_fx="sum")
        self.add_state("overlap", default=torch.tensor(0.0, dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("questions", default=torch.tensor(0), dist_reduce_fx="sum")

    def update(self, predictions: Mapping[str, str], golds: Mapping[str, Sequence[str]]) -> None:
        """Add the questions in ``golds``, each once over all calls and processes; see ``total_scores``."""
        totals = total_scores(predictions, golds)
        self.matches += totals.exact_match
        self.overlap += totals.f1
        self.questions += totals.questions

    def compute(self) -> dict[str, Tensor]:
        """Both scores in percent; 0 where no question was seen."""
        count = self.questions.clamp(min=1)
        return {"exact_match": 100 * self.matches.double() / count, "f1": 100 * self.overlap / count}


def write_predictions(path: Path, predictions: Mapping[str, str]) -> None:
    """Write a prediction file of the official format, whole or not at all."""
    write_text(path, json.dumps(dict(predictions), ensure_ascii=False, indent=1) + "\n")
