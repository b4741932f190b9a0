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
        copies: new rows for each row, before those that are dropped.
        probability: of every word to be replaced, above 0.
        proposals: words to choose from, K; each is as likely as the others.
        max_pieces: words of more pieces stay as they are.
        beam: beginnings of a word that are kept from one of its pieces to the next; more give more different words, and
            the model reads as many more inputs.
        change: halves of a pair whose words are replaced.
        seed: decides which words are replaced, by which proposals.

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
