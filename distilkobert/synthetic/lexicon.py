"""Invented Korean words, each of a class that only its contexts tell.

A class is a kind of thing (persons, animals, plants, ...) or a verdict of film reviews. Nothing in a word's form says
its class, so it has to be learnt from the sentences that the word occurs in, as a real encoder learns it from a
corpus. Half of the nouns are shared by two classes: there the sentence at hand decides.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from random import Random
from typing import Final

from distilkobert.synthetic.topics import word_list

# Slot to the noun that names the class in questions. The slots are types of Naver NER.
CLASS_NOUNS: Final = {
    "PER": "사람",
    "LOC": "고장",
    "ORG": "회사",
    "ANM": "동물",
    "PLT": "식물",
    "MAT": "광물",
    "AFW": "책",
    "EVT": "행사",
}
_NOUNS: Final = 10  # of each class alone; it shares as many with two other classes
_VERDICTS: Final = 20  # words of each verdict
# Chosen so that few usual words come out, which are left out, and none ends like a particle.
_FIRST: Final = "가나다라마바사아하고노도로모보소오호구누두루무부수우후"
_SECOND: Final = "람솔빈담늘온별란움름결빛돌달들봄샘숨실울"
_THIRD: Final = "미루디래비타카피"
_USUAL: Final = frozenset(word_list("사람 바람 보람 구름 하늘 우울 사별 고별 수달 수술 가별 오늘 마늘 바늘"))


@dataclass(frozen=True)
class Lexicon:
    """The invented words.

    Args:
        own: slot to the nouns of that class alone.
        shared: two slots to the nouns that are of both classes.
        praise: words of favourable verdicts.
        blame: words of unfavourable verdicts.
    """

    own: dict[str, tuple[str, ...]]
    shared: dict[tuple[str, str], tuple[str, ...]]
    praise: tuple[str, ...]
    blame: tuple[str, ...]

    def shared_nouns(self, slot: str) -> tuple[str, ...]:
        """The nouns of ``slot`` that are also of another class."""
        return tuple(word for slots, words in self.shared.items() if slot in slots for word in words)

    def split(self, share: float) -> tuple["Lexicon", "Lexicon"]:
        """The first ``share`` of every list, and the rest: words for a training file and words for its test file."""

        def part(last: bool) -> "Lexicon":
            def cut(words: tuple[str, ...]) -> tuple[str, ...]:
                place = round(len(words) * share)
                return words[place:] if last else words[:place]

            own = {slot: cut(words) for slot, words in self.own.items()}
            shared = {slots: cut(words) for slots, words in self.shared.items()}
            return Lexicon(own, shared, cut(self.praise), cut(self.blame))

        return part(last=False), part(last=True)


def make_lexicon(seed: int) -> Lexicon:
    """A lexicon whose words are all different; the same seed gives the same words."""
    words, slots = _invented(Random(seed)), tuple(CLASS_NOUNS)
    own = {slot: tuple(islice(words, _NOUNS)) for slot in slots}
    pairs = zip(slots, (*slots[1:], slots[0]), strict=True)
    shared = {pair: tuple(islice(words, _NOUNS // 2)) for pair in pairs}
    praise, blame = (tuple(islice(words, _VERDICTS)) for _ in range(2))
    return Lexicon(own, shared, praise, blame)


def _invented(rng: Random) -> Iterator[str]:
    """Words of three syllables in random order, of which no two begin with the same two."""
    starts = [first + second for first in _FIRST for second in _SECOND if first + second not in _USUAL]
    rng.shuffle(starts)
    for start in starts:
        yield start + rng.choice(_THIRD)
