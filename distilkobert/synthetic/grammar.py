"""Sentence templates with slots and Korean particles, and the verb forms that go into them.

``{LOC}에서 {object}[을/를]`` has two slots and one particle, which is chosen by the final consonant of what comes
before it. Every filled slot is remembered as a mention with exact character positions, so entity tags and answer
positions need no search.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from distilkobert.korean.hangul import choose_particle, syllable_final, with_final
from distilkobert.synthetic.topics import PAST_STEMS

_MARK: Final = re.compile(r"\{(\w+)\}|\[([^/\[\]]+)/([^/\[\]]+)\]")


@dataclass(frozen=True)
class Mention:
    """Characters ``start`` to ``end`` (exclusive) of a sentence that came from ``slot``, for example LOC or LOC2."""

    slot: str
    start: int
    end: int

    @property
    def label(self) -> str:
        """The slot without its number: LOC for LOC2."""
        return self.slot.rstrip("0123456789")


@dataclass(frozen=True)
class Sentence:
    """A text and the filled slots in it, in order of position."""

    text: str
    mentions: tuple[Mention, ...] = ()


@dataclass(frozen=True)
class Verb:
    """Forms of one verb or adjective: ``부르``, ``불렀`` (before 다, 지만, 는데), ``부른``, ``부른다``."""

    stem: str
    past: str
    adnominal: str
    present: str


def conjugate(verb: str) -> Verb:
    """Forms of a verb given in its dictionary form.

    Raises:
        ValueError: the verb neither ends in 하다 nor is in ``PAST_STEMS``.
    """
    stem = verb.removesuffix("다")
    if verb not in PAST_STEMS and not verb.endswith("하다"):
        raise ValueError(f"no past stem for {verb!r}: add it to PAST_STEMS, or use a verb that ends in 하다")
    past = PAST_STEMS.get(verb, stem[:-1] + "했")
    present = _with_nasal(stem, closed="는") + "다"
    return Verb(stem, past, _with_nasal(stem, closed="은"), present)


def conjugate_adjective(stem: str) -> Verb:
    """Forms of an adjective stem in 하 or of a noun with the copula 이; its plain present is the stem with 다.

    Raises:
        ValueError: the stem ends in another syllable.
    """
    pasts = {"하": "했", "이": "이었"}
    if stem[-1:] not in pasts:
        raise ValueError(f"expected an adjective stem in 하 or 이, got {stem!r}")
    return Verb(stem, stem[:-1] + pasts[stem[-1]], _with_nasal(stem, closed="은"), stem + "다")


def _with_nasal(stem: str, closed: str) -> str:
    """부르 -> 부른, 썰 -> 썬, 읽 -> 읽은 (or another ``closed`` syllable)."""
    if syllable_final(stem[-1]) in ("", "ㄹ"):
        return stem[:-1] + with_final(stem[-1], "ㄴ")
    return stem + closed


def fill(template: str, value_of: Callable[[str], str]) -> Sentence:
    """Fill every ``{slot}`` with ``value_of(slot)`` and choose every ``[after consonant/after vowel]`` particle."""
    text = ""
    mentions = []
    position = 0
    for match in _MARK.finditer(template):
        text += template[position : match.start()]
        position = match.end()
        if match[1]:
            value = value_of(match[1])
            mentions.append(Mention(match[1], len(text), len(text) + len(value)))
            text += value
        else:
            text += choose_particle(text, match[2], match[3])
    return Sentence(text + template[position:], tuple(mentions))


def join(sentences: Sequence[Sentence]) -> Sentence:
    """The sentences joined by single spaces, with their mentions shifted."""
    text = ""
    mentions: list[Mention] = []
    for sentence in sentences:
        text += " " if text else ""
        mentions.extend(Mention(m.slot, m.start + len(text), m.end + len(text)) for m in sentence.mentions)
        text += sentence.text
    return Sentence(text, tuple(mentions))
