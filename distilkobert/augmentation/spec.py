"""How many new rows are made, and how much they differ; imports nothing heavy, so that commands start fast."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

Change: TypeAlias = Literal["both", "text", "text_pair"]


@dataclass(frozen=True)
class AugmentSpec:
    """How many rows are made, and how much they differ.

    The defaults are those of TinyBERT's published script (huawei-noah/Pretrained-Language-Model,
    TinyBERT/data_augmentation.py; for single sentences of movie reviews, SST-2), but for `max_pieces` and `beam`, which
    are ours.

    Args:
        copies: new rows per row, before some are dropped.
        probability: probability of replacing a word, above 0.
        proposals: words to choose from, K, with equal probability.
        max_pieces: words with more pieces are kept.
        beam: width of the beam search for words of several pieces; a wider beam finds more different words and takes
            more forward passes.
        change: texts of a pair in which words are replaced.
        seed: seed of the choice of words and proposals.

    Raises:
        ValueError: a number is out of range.
    """

    copies: int = 20
    probability: float = 0.4
    proposals: int = 15
    max_pieces: int = 4
    beam: int = 5
    change: Change = "both"
    seed: int = 42

    def __post_init__(self) -> None:
        for name in ("copies", "proposals", "max_pieces", "beam"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; expected 1 or more")
        if not 0.0 < self.probability <= 1.0:
            raise ValueError(f"probability is {self.probability:g}; expected more than 0 and at most 1")
