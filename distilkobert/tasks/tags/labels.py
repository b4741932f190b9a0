"""Label sets of the entity tasks, in the order of the label files that come with the data."""

import re
from collections.abc import Iterable
from typing import Final

# Fourteen types of the Naver and Changwon NLP Challenge 2018: person, field of study, artefact, organisation, place,
# civilisation (occupations among it), date, time, number, event, animal, plant, material, term.
NAVER_ENTITY_TYPES: Final = (
    "PER",
    "FLD",
    "AFW",
    "ORG",
    "LOC",
    "CVL",
    "DAT",
    "TIM",
    "NUM",
    "EVT",
    "ANM",
    "PLT",
    "MAT",
    "TRM",
)


def naver_labels(types: Iterable[str]) -> list[str]:
    """Tags of these types as Naver's label file has them.

    UNK never occurs in the data, but it is a class of the published classifier heads.
    """
    return ["UNK", "O", *(f"{kind}-{part}" for kind in types for part in "BI")]


NAVER_NER_LABELS: Final = tuple(naver_labels(NAVER_ENTITY_TYPES))

# Six types of KLUE-NER 1.1: person, place, organisation, date, time, quantity.
KLUE_ENTITY_TYPES: Final = ("PS", "LC", "OG", "DT", "TI", "QT")


def bio_labels(types: Iterable[str]) -> list[str]:
    """All tags of these types, O last, as KLUE-NER's label file has them."""
    return [*(f"{letter}-{kind}" for kind in types for letter in "BI"), "O"]


KLUE_NER_LABELS: Final = tuple(bio_labels(KLUE_ENTITY_TYPES))

NSMC_LABELS: Final = ("negative", "positive")


def has_suffix_tags(labels: Iterable[str]) -> bool:
    """Whether tags are written PER-B (Naver NER) and not B-PS (KLUE-NER)."""
    tags = [label for label in labels if label not in ("O", "UNK")]
    before = all(label.startswith(("B-", "I-")) for label in tags)
    return any(label.endswith(("-B", "-I")) for label in tags) and not before


WORD: Final = re.compile(r"\S+")
"""A word of a text, for tags of words."""

_NAVER_WORD: Final = re.compile("[^ \t\r\n]+")
"""The same in files of Naver NER, where other white space may be a word of its own."""


def word_pattern(labels: Iterable[str]) -> re.Pattern[str]:
    """What a word is where these labels are tags of words: what it was in the files of the training."""
    return _NAVER_WORD if has_suffix_tags(labels) else WORD
