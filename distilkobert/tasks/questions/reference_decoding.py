"""Answer labels and decoding as the original KoBERT-KorQuAD pipeline made them, to reproduce its numbers.

That pipeline used the SQuAD code of transformers 2.9.1. It works on white-space words and strings where ``spans.py``
uses character positions, and two of its steps lose answers in Korean text:

- labels: the tokenised answer is searched among the pieces of its words. An answer alone begins with the word-start
  mark, and its last piece differs where the vocabulary joins noun and particle; then the label is the whole words;
- decoding: the pieces are joined to a string, which is searched in the words with punctuation set apart by spaces.
  SentencePiece text has no such spaces; where the string is not found the whole words are the answer.

Fed with its own labels this decoding scores 77.3 exact match and 96.7 F1 on the KorQuAD 1.0 development set: the most
that a model trained and read out this way can reach. Windows are those of ``windows.py``, ranking is that of
``spans.py``.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from distilkobert.tasks.questions.windows import PieceRange

Tokenize: TypeAlias = Callable[[str], Sequence[str]]
# White space of that code: a narrow no-break space separates words, other Unicode spaces do not.
_WORD: Final = re.compile("[^ \t\r\n\u202f]+")
_WORD_START: Final = "▁"
_IDEOGRAPHS: Final = (
    *(
        (0x4E00, 0x9FFF),
        (0x3400, 0x4DBF),
        (0x20000, 0x2A6DF),
        (0x2A700, 0x2B73F),
        (0x2B740, 0x2B81F),
        (0x2B820, 0x2CEAF),
    ),
    *((0xF900, 0xFAFF), (0x2F800, 0x2FA1F)),
)


@dataclass(frozen=True)
class ReferenceContext:
    """A context as white-space words and the pieces of each word, tokenised one by one.

    Args:
        words: the words.
        word_of_character: for each character of the context, the number of its word; for white space, of the word
            before it (-1 before the first).
        pieces: pieces of all words in order; their ids are ``convert_tokens_to_ids(pieces)``.
        piece_words: for each piece the number of its word.
    """

    words: tuple[str, ...]
    word_of_character: tuple[int, ...]
    pieces: tuple[str, ...]
    piece_words: tuple[int, ...]


def read_context(context: str, tokenize: Tokenize) -> ReferenceContext:
    """Cut ``context`` into words and tokenise each."""
    words: list[str] = []
    word_of_character: list[int] = []
    pieces: list[str] = []
    piece_words: list[int] = []
    for number, match in enumerate(_WORD.finditer(context)):
        words.append(match[0])
        word_of_character += [number - 1] * (match.start() - len(word_of_character)) + [number] * len(match[0])
        parts = tokenize(match[0])
        pieces += parts
        piece_words += [number] * len(parts)
    word_of_character += [len(words) - 1] * (len(context) - len(word_of_character))
    return ReferenceContext(tuple(words), tuple(word_of_character), tuple(pieces), tuple(piece_words))


def reference_answer_pieces(
    context: ReferenceContext, answer: str, start: int, tokenize: Tokenize
) -> PieceRange | None:
    """First and last piece (inclusive) of the label for ``answer`` at character ``start``.

    The pieces of its whole words, or a part of them whose strings equal those of the tokenised answer. None where the
    words have no piece.
    """
    last_character = min(start + len(answer) - 1, len(context.word_of_character) - 1)
    first_word, last_word = context.word_of_character[start], context.word_of_character[last_character]
    inside = [number for number, word in enumerate(context.piece_words) if first_word <= word <= last_word]
    if not inside:
        return None
    first, last = inside[0], inside[-1]
    wanted = " ".join(tokenize(answer))
    for new_first in range(first, last + 1):
        for new_last in range(last, new_first - 1, -1):
            if " ".join(context.pieces[new_first : new_last + 1]) == wanted:
                return new_first, new_last
    return first, last


def reference_answer_text(context: ReferenceContext, first: int, last: int) -> str:
    """The answer that the pieces ``first`` to ``last`` (inclusive) are read out as."""
    joined = "".join(context.pieces[first : last + 1]).replace(_WORD_START, " ")
    predicted = " ".join(joined.split())
    original = " ".join(context.words[context.piece_words[first] : context.piece_words[last] + 1])
    return _project(predicted, original)


def _project(predicted: str, original: str) -> str:
    """The part of ``original`` that ``predicted`` names; all of it where that cannot be found."""
    spaced = " ".join(_basic_words(original))
    begin = spaced.find(predicted)
    if begin < 0:
        return original
    spaced_places = [place for place, character in enumerate(spaced) if character != " "]
    original_places = [place for place, character in enumerate(original) if character != " "]
    if not predicted or len(spaced_places) != len(original_places):
        return original
    count = {place: number for number, place in enumerate(spaced_places)}
    first, last = count.get(begin), count.get(begin + len(predicted) - 1)
    if first is None or last is None:
        return original
    return original[original_places[first] : original_places[last] + 1]


def _basic_words(text: str) -> list[str]:
    """Words as BERT's basic tokenizer cuts them: control characters dropped, punctuation and ideographs set apart."""
    spaced = ""
    for character in text:
        if character in " \t\n\r" or unicodedata.category(character) == "Zs":
            spaced += " "
        elif unicodedata.category(character).startswith("C") or character == "\ufffd":
            continue
        elif _is_punctuation(character) or any(low <= ord(character) <= high for low, high in _IDEOGRAPHS):
            spaced += f" {character} "
        else:
            spaced += character
    return spaced.split()


def _is_punctuation(character: str) -> bool:
    """ASCII characters that are no letter, digit or space count as punctuation, as does every Unicode category P."""
    printable = character.isascii() and character.isprintable()
    return (printable and not character.isalnum() and character != " ") or unicodedata.category(character)[0] == "P"
