"""The words of a text that a masked language model can propose others for, and the pieces that each is made of.

A word is the text between white space (in Korean an eojeol: a noun with its particles, a verb with its ending)
without the punctuation at its ends, which stays. Its pieces are those that the whole text is cut into.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from distilkobert.tokenizers.inputs import Span
from distilkobert.tokenizers.loading import TextEncoder

_BETWEEN_SPACES: Final = re.compile(r"\S+")


@dataclass(frozen=True)
class Word:
    """A word of a text.

    Args:
        start: its first character.
        end: behind its last one.
        first: its first piece.
        stop: behind its last one.
        outer: characters from the white space before it to that behind it: the word with its punctuation.
        outer_pieces: the pieces of these, from and to.
    """

    start: int
    end: int
    first: int
    stop: int
    outer: Span
    outer_pieces: Span

    @property
    def pieces(self) -> int:
        """How many pieces it is made of."""
        return self.stop - self.first

    def replaced(self, text: str, other: str) -> str:
        """The text between the white space with another word instead of this one, as it is in the text.

        A space comes first where one is in the text: some tokenizers cut the first word of a text in another way.
        """
        start, end = self.outer
        space = " " if start else ""
        return f"{space}{text[start : self.start]}{other}{text[self.end : end]}"


def is_letters(text: str) -> bool:
    """Whether a text has letters, digits and their marks alone, at least one."""
    return bool(text) and all(character.isalnum() or unicodedata.category(character)[0] == "M" for character in text)


def find_words(text: str, encoder: TextEncoder) -> tuple[list[int], list[Word]]:
    """The pieces of a text, and its words.

    A word whose pieces hold white space, or that the tokenizer drops, is left out. Where a piece holds a letter and the
    punctuation next to it, the punctuation belongs to the word.
    """
    ids, spans = encoder.encode_with_offsets(text)
    words = []
    for found in _BETWEEN_SPACES.finditer(text):
        letters = [place for place in range(*found.span()) if is_letters(text[place])]
        word = _word(found.span(), (letters[0], letters[-1] + 1), spans) if letters else None
        if word is not None:
            words.append(word)
    return list(ids), words


def _word(outer: Span, core: Span, spans: Sequence[Span]) -> Word | None:
    inside = _pieces_in(core, spans)
    around = _pieces_in(outer, spans)
    if inside is None or around is None:
        return None
    start = min(core[0], min(spans[place][0] for place in range(*inside)))
    end = max(core[1], max(spans[place][1] for place in range(*inside)))
    first, before = inside[0], around[0]
    # A lone mark of a word's start has no character; it belongs to the word that it starts.
    while before and spans[before - 1][0] == spans[before - 1][1] == outer[0]:
        before -= 1
    if first == around[0]:
        first = before
    if start < outer[0] or end > outer[1]:
        return None
    return Word(start, end, first, inside[1], outer, (before, around[1]))


def _pieces_in(part: Span, spans: Sequence[Span]) -> Span | None:
    """The pieces that have a character in a part of the text; None where there is none."""
    places = [place for place, (start, end) in enumerate(spans) if start < part[1] and end > part[0]]
    return (places[0], places[-1] + 1) if places else None
