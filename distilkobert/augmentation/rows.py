"""New rows of training text: which words are replaced by which proposals, and which rows are worth keeping."""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final, NamedTuple, TypeAlias

from distilkobert.augmentation.proposals import Asked, Proposer
from distilkobert.augmentation.spec import AugmentSpec, Change
from distilkobert.augmentation.words import Word, find_words
from distilkobert.seeds import derived_seed
from distilkobert.tokenizers.loading import TextEncoder

Texts: TypeAlias = tuple[str, ...]
"""Of a row: one, or the two of a pair."""
_ROWS_AT_A_TIME: Final = 64
_HALVES: Final[dict[Change, tuple[int, ...]]] = {"both": (0, 1), "text": (0,), "text_pair": (1,)}


class NewRow(NamedTuple):
    """The texts of a new row, the number of the row that it is made of, and which one of its new rows it is."""

    source: int
    copy: int
    texts: Texts


@dataclass
class Counts:
    """What became of the rows.

    Args:
        rows: rows of the training part.
        without_words: of them those without a word, of which none is made.
        drawn: new rows that were drawn.
        unchanged: of them those in which no word was replaced.
        duplicates: those whose texts are there already.
        kept: the others.
        words: words replaced in the rows that were kept.
    """

    rows: int = 0
    without_words: int = 0
    drawn: int = 0
    unchanged: int = 0
    duplicates: int = 0
    kept: int = 0
    words: int = 0


class _Cut(NamedTuple):
    """The pieces and the words of a text."""

    ids: list[int]
    words: list[Word]


class _Place(NamedTuple):
    """A word of a row: its half, and its number there."""

    half: int
    word: int


class TextSet:
    """Texts of rows, kept as numbers of 63 bits."""

    def __init__(self) -> None:
        self._known: set[int] = set()

    def add(self, texts: Texts) -> bool:
        """Add the texts of a row; whether they were not there."""
        number, before = derived_seed("texts", *(f"{len(text)} {text}" for text in texts)), len(self._known)
        self._known.add(number)
        return len(self._known) > before


class Augmenter:
    """Makes new rows.

    Args:
        proposer: proposes words.
        encoder: the tokenizer.
        spec: how many rows, and how different.
        there: texts that no new row may have; those of new rows are added.
    """

    def __init__(self, proposer: Proposer, encoder: TextEncoder, spec: AugmentSpec, there: TextSet) -> None:
        self._proposer, self._encoder, self._spec, self._there = proposer, encoder, spec, there
        self._halves = _HALVES[spec.change]
        self.counts = Counts()

    def rows(self, texts: Iterable[tuple[int, Texts]]) -> Iterator[NewRow]:
        """Yield the new rows of all rows, in their order.

        Args:
            texts: number and texts of each row; what is drawn for it depends on the seed and its number alone.
        """
        rest = iter(texts)
        while block := list(islice(rest, _ROWS_AT_A_TIME)):
            yield from self._of_block(block)

    def _of_block(self, block: Sequence[tuple[int, Texts]]) -> Iterator[NewRow]:
        cuts = {text: _Cut(*find_words(text, self._encoder)) for _, texts in block for text in texts}
        drawn = [self._draw(number, texts, cuts) for number, texts in block]
        wanted = dict.fromkeys(
            (texts[place.half], place.word)
            for (_, texts), copies in zip(block, drawn, strict=True)
            for chosen in copies
            for place in chosen
        )
        asked = [Asked(text, cuts[text].ids, cuts[text].words[word]) for text, word in wanted]
        proposed = dict(zip(wanted, self._proposer.propose(asked), strict=True))
        for (number, texts), copies in zip(block, drawn, strict=True):
            for copy, chosen in enumerate(copies):
                words = {}
                for place, choice in chosen.items():
                    if others := proposed[texts[place.half], place.word]:
                        words[place] = others[int(choice * len(others))]
                new = tuple(_replaced(text, half, words, cuts[text].words) for half, text in enumerate(texts))
                if self._is_kept(new, len(words)):
                    yield NewRow(number, copy, new)

    def _draw(self, number: int, texts: Texts, cuts: dict[str, _Cut]) -> list[dict[_Place, float]]:
        """For each copy the words to be replaced, each with a number from 0 to 1 that chooses the proposal."""
        halves = [half for half in self._halves if half < len(texts)]
        places = [_Place(half, word) for half in halves for word in range(len(cuts[texts[half]].words))]
        copies = []
        for copy in range(self._spec.copies if places else 0):
            draw = random.Random(derived_seed("augment", self._spec.seed, number, copy))
            copies.append({place: draw.random() for place in places if draw.random() < self._spec.probability})
        self.counts.rows += 1
        self.counts.without_words += not places
        self.counts.drawn += len(copies)
        return copies

    def _is_kept(self, texts: Texts, words: int) -> bool:
        new = bool(words) and self._there.add(texts)
        self.counts.unchanged += not words
        self.counts.duplicates += bool(words) and not new
        self.counts.kept += new
        self.counts.words += words if new else 0
        return new


def _replaced(text: str, half: int, others: dict[_Place, str], words: Sequence[Word]) -> str:
    """The text of one half with other words in their places."""
    for place in sorted((place for place in others if place.half == half), reverse=True):
        word = words[place.word]
        text = text[: word.start] + others[place] + text[word.end :]
    return text
