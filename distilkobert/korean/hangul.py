"""Hangul syllables: the final consonant of a word, and the particle forms that follow from it.

A composed syllable is ``0xAC00 + (initial * 21 + vowel) * 28 + final`` (The Unicode Standard, section 3.12), so the
final consonant is one remainder away. Digits and Latin capitals are read aloud by their Korean names.
"""

import re
from typing import Final

FIRST_SYLLABLE: Final = 0xAC00
LAST_SYLLABLE: Final = 0xD7A3
FINALS: Final[tuple[str, ...]] = ("", *"ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ")

# 영(십, 백) 일 이 삼 사 오 육 칠 팔 구; a number that ends in 0 never ends in a vowel or in ㄹ.
_DIGIT_FINALS: Final = dict(zip("0123456789", ("ㅇ", "ㄹ", "", "ㅁ", "", "", "ㄱ", "ㄹ", "ㄹ", ""), strict=True))
# Names of the capitals: 엘 엠 엔 알 close with a consonant, all others are open (에이, 비, 씨, ...).
_CLOSED_CAPITALS: Final = {"L": "ㄹ", "M": "ㅁ", "N": "ㄴ", "R": "ㄹ"}
_NOT_READ: Final = re.compile(r"(?:\([^()]*\)|[\s\"'”’»》〉」』\])}.,!?])+$")


def is_syllable(character: str) -> bool:
    """Whether ``character`` is one composed Hangul syllable."""
    return len(character) == 1 and FIRST_SYLLABLE <= ord(character) <= LAST_SYLLABLE


def syllable_final(syllable: str) -> str:
    """Final consonant of one composed syllable as a compatibility jamo, "" where it is open.

    Raises:
        ValueError: ``syllable`` is not one composed Hangul syllable.
    """
    if not is_syllable(syllable):
        raise ValueError(f"expected one composed Hangul syllable, got {syllable!r}")
    return FINALS[(ord(syllable) - FIRST_SYLLABLE) % len(FINALS)]


def with_final(syllable: str, final: str) -> str:
    """The same syllable with another final consonant: ``with_final("르", "ㄴ")`` is ``"른"``."""
    return chr(ord(syllable) - FINALS.index(syllable_final(syllable)) + FINALS.index(final))


def spoken_final(text: str) -> str | None:
    """Final consonant with which ``text`` is read aloud: "" where it ends open, None where it is unknown.

    Closing quotes, sentence punctuation and a gloss in round brackets are not read: ``현미경(microscope)`` ends in ㅇ.
    A digit is read by its Sino-Korean name, a capital by the name of the letter; for other letters the answer is None.
    """
    last = _NOT_READ.sub("", text)[-1:]
    if is_syllable(last):
        return syllable_final(last)
    if last.isascii() and last.isupper():
        return _CLOSED_CAPITALS.get(last, "")
    return _DIGIT_FINALS.get(last)


def choose_particle(word: str, after_consonant: str, after_vowel: str) -> str:
    """The form of a particle that follows ``word``: ``choose_particle("강", "을", "를")`` is ``"을"``.

    Forms that begin with 으 lose it after ㄹ too (서울로, 팔면서). Where the end of the word cannot be read, the vowel
    form is used.
    """
    final = spoken_final(word)
    if not final or (final == "ㄹ" and after_consonant.startswith("으")):
        return after_vowel
    return after_consonant
