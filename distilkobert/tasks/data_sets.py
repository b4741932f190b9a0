"""The data sets of the shipped recipes, each with its task kind."""

from dataclasses import dataclass
from typing import Final, Literal

from distilkobert.tasks.kinds import (
    QUESTION_ANSWERING,
    SEQUENCE_CLASSIFICATION,
    SEQUENCE_REGRESSION,
    TOKEN_CLASSIFICATION,
    TaskKind,
)

DatasetName = Literal[
    "nsmc",
    "naver_ner",
    "klue_ner",
    "korquad",
    "korsts",
    "kornli",
    "question_pair",
    "hate_speech",
    "klue_nli",
    "klue_sts",
    "klue_ynat",
    "klue_mrc",
    "paws_x_ko",
]


@dataclass(frozen=True)
class Dataset:
    """A data set that recipes are shipped for.

    Args:
        name: of its recipe, and for `prepare fetch`.
        title: in tables and messages.
        kind: what kind of task it is.
    """

    name: DatasetName
    title: str
    kind: TaskKind


DATASETS: Final = (
    Dataset("nsmc", "NSMC", SEQUENCE_CLASSIFICATION),
    Dataset("naver_ner", "Naver NER", TOKEN_CLASSIFICATION),
    Dataset("klue_ner", "KLUE-NER", TOKEN_CLASSIFICATION),
    Dataset("korquad", "KorQuAD", QUESTION_ANSWERING),
    Dataset("korsts", "KorSTS", SEQUENCE_REGRESSION),
    Dataset("kornli", "KorNLI", SEQUENCE_CLASSIFICATION),
    Dataset("question_pair", "Question pairs", SEQUENCE_CLASSIFICATION),
    Dataset("hate_speech", "Hate speech", SEQUENCE_CLASSIFICATION),
    Dataset("klue_nli", "KLUE-NLI", SEQUENCE_CLASSIFICATION),
    Dataset("klue_sts", "KLUE-STS", SEQUENCE_REGRESSION),
    Dataset("klue_ynat", "KLUE-YNAT", SEQUENCE_CLASSIFICATION),
    Dataset("klue_mrc", "KLUE-MRC", QUESTION_ANSWERING),
    Dataset("paws_x_ko", "PAWS-X (ko)", SEQUENCE_CLASSIFICATION),
)


def kind_of_recipe(recipe: str) -> TaskKind | None:
    """The task kind of the shipped data set that a recipe is named after: `klue_ner_plus` is KLUE-NER.

    A name with all words of the data set's comes first, then one with its last word: `my_ner`.

    Args:
        recipe: words joined by `_`.
    """
    words = set(recipe.split("_"))
    whole = (known.kind for known in DATASETS if words.issuperset(known.name.split("_")))
    last = (known.kind for known in DATASETS if known.name.split("_")[-1] in words)
    return next(whole, next(last, None))
