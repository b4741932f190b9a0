"""Scores where a question may have no answer: SQuAD 2.0's rules, and the threshold below which no answer is given.

The official script of SQuAD 2.0 normalises English (it deletes articles), compares words, and takes an empty answer for
right where there is none. The threshold is the official one too: questions in the order of how much rather there is
no answer, the best place to cut.
"""

import re
import string
from collections import Counter
from collections.abc import Sequence
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchmetrics import Metric

_PUNCTUATION: Final = str.maketrans("", "", string.punctuation)
_ARTICLES: Final = re.compile(r"\b(a|an|the)\b")
ALWAYS: Final = 1e9
"""A threshold above every margin, with which an answer is always given."""


def normalise_english(text: str) -> str:
    """Lower case, ASCII punctuation deleted, articles to spaces, white space collapsed: in this order."""
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def v2_scores(prediction: str, golds: Sequence[str]) -> tuple[bool, float]:
    """Exact match and F1 over words (0 to 1) by SQuAD 2.0's rules, the best over the true answers.

    Args:
        prediction: the answer given; empty for none.
        golds: true answers; a single empty one where there is none. As in the official script, those that normalise to
            nothing do not count.
    """
    known = [gold for gold in golds if normalise_english(gold)] or [""]
    return (
        any(normalise_english(prediction) == normalise_english(gold) for gold in known),
        max(_f1(prediction, gold) for gold in known),
    )


def _f1(prediction: str, gold: str) -> float:
    predicted, actual = (normalise_english(text).split() for text in (prediction, gold))
    if not predicted or not actual:
        return float(predicted == actual)
    shared = (Counter(predicted) & Counter(actual)).total()
    return 2 * shared / (len(predicted) + len(actual))


def best_threshold(margins: Sequence[float], scores: Sequence[float], impossible: Sequence[bool]) -> float:
    """The threshold with the best mean score: no answer is given where the margin is above it.

    Args:
        margins: how much rather there is no answer, one a question.
        scores: what the answer scores if it is given, one a question.
        impossible: whether the question has no answer; giving none scores 1 there, and 0 elsewhere.

    Returns:
        The least margin up to which answers are given; of equal means the one with fewest answers. Below all margins
        where giving none is best; `ALWAYS` where every question has an answer, because nothing then tells when to give
        none.
    """
    if not any(impossible):
        return ALWAYS
    order = np.argsort(margins, kind="stable")
    ranked = np.asarray(margins, dtype=np.float64)[order]
    gains = (np.asarray(scores, dtype=np.float64) - np.asarray(impossible, dtype=np.float64))[order]
    totals = np.concatenate([[0.0], np.cumsum(gains)])
    # Questions of equal margins are answered together.
    ends = [place for place in range(1, len(order)) if ranked[place] > ranked[place - 1]]
    cuts = [0, *ends, len(order)]
    best = max(cuts, key=lambda place: (round(float(totals[place]), 9), -place))
    return float(ranked[best - 1]) if best else float(ranked[0]) - 1.0


class AbstainingScores(Metric):
    """Scores of questions that may have no answer, kept one by one until the threshold is known.

    Args:
        names: what an answer is scored by; `f1` chooses the threshold.
    """

    full_state_update = False
    is_differentiable = False
    higher_is_better = True
    margins: list[Tensor]
    answered: list[Tensor]
    impossible: list[Tensor]

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__()
        self.names = tuple(names)
        for name in ("margins", "answered", "impossible"):
            self.add_state(name, default=[], dist_reduce_fx="cat")

    def update(self, margins: Sequence[float], answered: Sequence[Sequence[float]], impossible: Sequence[bool]) -> None:
        """Add N questions.

        Args:
            margins: how much rather there is no answer, N.
            answered: what the answer scores if it is given, by each of `names`, N of them.
            impossible: whether the question has no answer, N.
        """
        if not margins:
            return
        self.margins.append(torch.tensor(margins, dtype=torch.float64, device=self.device))
        self.answered.append(torch.tensor(answered, dtype=torch.float64, device=self.device))
        self.impossible.append(torch.tensor(impossible, device=self.device))

    def compute(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
        """Margins (N,), scores (N, K) and which have no answer (N,), of all batches and processes."""
        from torchmetrics.utilities import dim_zero_cat

        parts = (dim_zero_cat(part).cpu().numpy() for part in (self.margins, self.answered, self.impossible))
        margins, answered, impossible = parts
        return margins, answered, impossible

    def scores(self, threshold: float | None) -> tuple[dict[str, float], float]:
        """All scores in per cent, and the threshold.

        `has_answer_NAME` is over the questions with an answer, `no_answer_accuracy` over the others; each is left out
        where there is none.

        Args:
            threshold: margin above which no answer is given; None: the one with the best `f1`.
        """
        margins, answered, impossible = self.compute()
        if threshold is None:
            threshold = best_threshold(
                margins.tolist(), answered[:, self.names.index("f1")].tolist(), impossible.tolist()
            )
        given = margins <= threshold
        found = np.where(given[:, None], answered, impossible[:, None].astype(np.float64))
        values = {name: 100 * float(found[:, place].mean()) for place, name in enumerate(self.names)}
        if not impossible.all():
            values |= {
                f"has_answer_{name}": 100 * float(found[~impossible, place].mean())
                for place, name in enumerate(self.names)
            }
        if impossible.any():
            values["no_answer_accuracy"] = 100 * float(found[impossible, self.names.index("f1")].mean())
        return values, threshold
