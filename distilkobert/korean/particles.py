"""Korean particles: cutting one off an answer, and splitting words so that no piece holds a noun and its particle.

A particle follows its noun without a space, and KoBERT's vocabulary has pieces that hold the last syllable of a noun
together with the particle. A span of such pieces cannot end where the answer ends. On the KorQuAD 1.0 development set
perfect spans score 88.85 exact match with the pieces as they are and 99.69 after ``split_words``, which makes a
paragraph 6 % longer (295 to 313 pieces on average).

Many particles have two forms, and the final consonant before them decides which one is right: 책을, but 나무를. What
does not agree is no particle: 나을 keeps its last syllable.
"""

import re
from collections.abc import Callable
from typing import Final, Literal, TypeAlias

from distilkobert.korean.hangul import is_syllable, spoken_final
from distilkobert.tokenizers.inputs import Encoding, Span

ParticleMode = Literal["none", "strip", "split"]
Encode: TypeAlias = Callable[[str], Encoding]

# After any syllable.
_AFTER_ANY: Final = (
    "의 에 에서 에는 에도 에만 엔 에서는 에서의 에서도 에게 에게는 에게도 께서 한테 까지 까지의 까지는 까지도 "
    "부터 부터는 도 만 만의 만을 마저 조차 보다 처럼 마다 밖에 만큼 뿐 하고 인 이다 이며 이고 이던 이었다 이었고 "
    "이었던 이었으며"
)
# After a final consonant.
_AFTER_CONSONANT: Final = "이 을 은 과 과의 과는 이나 이라 이라는 이라고 이란 이자 이라도"
# After a final consonant other than ㄹ, and after a vowel or ㄹ.
_AFTER_OTHER_CONSONANT: Final = "으로 으로는 으로도 으로서 으로써 으로부터"
_AFTER_VOWEL_OR_L: Final = "로 로는 로도 로서 로써 로부터"
# After a vowel.
_AFTER_VOWEL: Final = "가 를 는 와 와의 와는 라는 라고 란 였다 였고 였던 였으며"

_ANY: Final = frozenset(_AFTER_ANY.split())
_CONSONANT: Final = frozenset(_AFTER_CONSONANT.split())
_OTHER_CONSONANT: Final = frozenset(_AFTER_OTHER_CONSONANT.split())
_VOWEL_OR_L: Final = frozenset(_AFTER_VOWEL_OR_L.split())
_VOWEL: Final = frozenset(_AFTER_VOWEL.split())
PARTICLES: Final = _ANY | _CONSONANT | _OTHER_CONSONANT | _VOWEL_OR_L | _VOWEL
# Too many nouns end like these (제주도, 백만, 한국인): stripping them from the gold answers of the KorQuAD 1.0
# development set breaks 77 answers and repairs 34 that were extended to whole words; in both halves of its articles
# more are broken than repaired.
NOT_STRIPPED: Final = frozenset({"도", "만", "인"})
_LONGEST: Final = max(map(len, PARTICLES))
_SHORTEST_STRIPPED: Final = 2

_HANGUL: Final = "가-힣\u1100-\u11ff\ua960-\ua97f\ud7b0-\ud7ff"
_LETTERS: Final = "\u3131-\u318e"
_HAN: Final = "\u2e80-\u2fff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_KANA: Final = "\u3040-\u30ff"
# Runs of one script; numbers keep their points and commas; of other characters, equal neighbours stay together.
_RUN: Final = re.compile(
    rf"[{_HANGUL}]+|[{_LETTERS}]+|[{_HAN}]+|[{_KANA}]+|\d+(?:[.,]\d+)*"
    rf"|(?:(?![{_HANGUL}{_LETTERS}{_HAN}{_KANA}])[^\W\d_][\u0300-\u036f]*)+|(\S)\1*"
)


def agrees(particle: str, final: str | None) -> bool:
    """Whether ``particle`` may follow a word that ends in the consonant ``final`` ("" for a vowel).

    Where the end cannot be read (None, as after Latin small letters) every particle may follow.
    """
    if final is None or particle in _ANY:
        return particle in PARTICLES
    if final == "":
        return particle in _VOWEL or particle in _VOWEL_OR_L
    if final == "ㄹ":
        return particle in _CONSONANT or particle in _VOWEL_OR_L
    return particle in _CONSONANT or particle in _OTHER_CONSONANT


def trailing_particle(text: str) -> str:
    """The longest particle that ``text`` ends in and that agrees with the text before it, or "".

    Nouns do not end in 으, so 로 is never taken from a 으로 that does not agree.
    """
    for length in range(min(_LONGEST, len(text) - 1), 0, -1):
        before, particle = text[:-length], text[-length:]
        if particle in PARTICLES and agrees(particle, spoken_final(before)) and not before.endswith("으"):
            return particle
    return ""


def strip_particle(answer: str) -> str:
    """``answer`` without one trailing particle, where at least two characters remain.

    Repairs predictions of models whose pieces fuse nouns and particles. ``NOT_STRIPPED`` are left alone.
    """
    particle = trailing_particle(answer)
    if not particle or particle in NOT_STRIPPED or len(answer) - len(particle) < _SHORTEST_STRIPPED:
        return answer
    return answer[: -len(particle)]


def split_words(text: str) -> list[Span]:
    """Character spans of the parts of ``text``: words cut where script or punctuation changes, and before a particle.

    One trailing particle or copula ending is split off every Hangul run, even off a single syllable, but a run that is
    a particle itself stays whole (the 으로 of ``(A)으로``). The spans are in order, do not overlap, and hold every
    character that is not white space.
    """
    spans: list[Span] = []
    for run in _RUN.finditer(text):
        start, end = run.span()
        particle = "" if run[0] in PARTICLES or not is_syllable(run[0][-1]) else trailing_particle(run[0])
        cut = end - len(particle)
        spans += [(start, cut), (cut, end)] if particle else [(start, end)]
    return spans


def encode_text(text: str, encode: Encode, particles: ParticleMode) -> Encoding:
    """Ids of ``text`` and their character spans in it; with ``particles="split"`` no id crosses ``split_words``.

    The parts are encoded as words of their own. A lone word-start mark that this puts inside a word is left out again,
    so that most particles get the piece they have inside a word.

    Args:
        text: the original text.
        encode: gives ids without special tokens, and spans, as ``KoBertTokenizer.encode_with_offsets`` does.
        particles: ``none`` and ``strip`` encode the text as it is (``strip_particle`` works on answers).
    """
    if particles != "split":
        return encode(text)
    parts = split_words(text)
    ids, spans = encode(" ".join(text[start:end] for start, end in parts))
    # Position in the joined text to position in the original; the joining space maps to the end of its part.
    origins = [position for start, end in parts for position in range(start, end + 1)]
    kept_ids, kept_spans = [], []
    for number, (start, end) in zip(ids, spans, strict=True):
        first = origins[start]
        if start == end and first > 0 and not text[first - 1].isspace():
            continue
        kept_ids.append(number)
        kept_spans.append((first, origins[end - 1] + 1 if end > start else first))
    return kept_ids, kept_spans
