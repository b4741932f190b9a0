"""ROUGE-W as KLUE scores reading comprehension: the longest run of characters that the answer and the true one share.

KLUE takes the name from Lin (2004), whose score weighs all parts of a longest common subsequence by their lengths. The
scorer behind KLUE's published numbers has no such weight: it takes the one longest run, and gives the F1 of its length
over the lengths of both answers, spaces counted (KLUE-benchmark/KLUE-baseline, `klue_baseline/metrics/utils.py`; Park
et al. 2021, arXiv:2105.09680). This module does the same. Two corners of that scorer are left out: it finds shorter
runs in true answers of 200 characters and more (`difflib` ignores their frequent characters), and it puts a space for
a bracket or quote that is followed by the four characters ()‘’.
"""

import string
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Final

_DELETING: Final = str.maketrans("", "", string.punctuation)


def normalise_klue(text: str) -> str:
    """Lower case, ASCII punctuation deleted, white space collapsed: in this order. Korean brackets and quotes stay."""
    return " ".join(text.lower().translate(_DELETING).split())


def rouge_w(prediction: str, golds: Sequence[str]) -> float:
    """The score (0 to 1) of an answer, the best over the true ones.

    Args:
        prediction: the answer given; empty for none.
        golds: true answers; a single empty one where there is none, which nothing but an empty answer matches.
    """
    given = normalise_klue(prediction)
    return max(_score(given, normalise_klue(gold)) for gold in golds)


def _score(given: str, gold: str) -> float:
    if given == gold or not given or not gold:
        return float(given == gold)
    run = SequenceMatcher(None, given, gold, autojunk=False).find_longest_match().size
    return 2 * run / (len(given) + len(gold))
