"""Label sets of the entity tasks, in the order of the label files that come with the data."""

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
# UNK never occurs in the data, but it is a class of the published classifier heads.
NAVER_NER_LABELS: Final = ("UNK", "O", *(f"{kind}-{part}" for kind in NAVER_ENTITY_TYPES for part in "BI"))

# Six types of KLUE-NER 1.1: person, place, organisation, date, time, quantity.
KLUE_ENTITY_TYPES: Final = ("PS", "LC", "OG", "DT", "TI", "QT")
KLUE_NER_LABELS: Final = (*(f"{part}-{kind}" for kind in KLUE_ENTITY_TYPES for part in "BI"), "O")

NSMC_LABELS: Final = ("negative", "positive")


def has_suffix_tags(labels: Iterable[str]) -> bool:
    """Whether tags are written PER-B (Naver NER) and not B-PS (KLUE-NER)."""
    return any(label.endswith(("-B", "-I")) for label in labels)
