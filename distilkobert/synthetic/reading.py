"""Reading passages of the synthetic text: facts about invented persons, institutions, films and festivals.

Every fact comes with questions, and every answer is a filled slot, so its position is known without a search.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Final

from distilkobert.synthetic.grammar import Sentence, fill, join
from distilkobert.synthetic.registers import draw, everyday
from distilkobert.synthetic.topics import TOPICS

_REPEATED_SHARE: Final = 0.5  # of the passages name one place (and as many one year) for two facts
_DISTRACTOR_SHARE: Final = 0.25  # of the facts are followed by a sentence about something else


@dataclass(frozen=True)
class _Fact:
    """A sentence template and its questions as (question template, slot of the answer)."""

    sentence: str
    questions: tuple[tuple[str, str], ...]


_PERSON: Final = (
    _Fact(
        "{PER}[은/는] {YEAR1} {LOC1}에서 태어난 {CVL}이다.",
        (
            ("{PER}[이/가] 태어난 도시는?", "LOC1"),
            ("{PER}[은/는] 몇 년에 태어났는가?", "YEAR1"),
            ("{PER}의 직업은 무엇인가?", "CVL"),
        ),
    ),
    _Fact(
        "{YEAR2} {ORG1}에 들어가 {FLD}[을/를] 공부했다.",
        (("{PER}[이/가] 공부한 학문은?", "FLD"), ("{PER}[이/가] 공부하러 들어간 곳은?", "ORG1")),
    ),
    _Fact(
        "그가 {LOC2}[으로/로] 이사한 뒤 쓴 책은 《{AFW}》[이었다/였다].",
        (("{PER}[이/가] 쓴 책의 제목은?", "AFW"), ("{PER}[이/가] 책을 쓰기 전에 이사한 도시는?", "LOC2")),
    ),
    _Fact(
        "{YEAR3} {EVT}에서 {NUM}[을/를] 기록하여 상을 받았다.",
        (
            ("{PER}[이/가] 상을 받은 행사는?", "EVT"),
            ("{PER}[이/가] 상을 받은 해는?", "YEAR3"),
            ("{PER}[이/가] 행사에서 세운 기록은?", "NUM"),
        ),
    ),
    _Fact("제자로는 {PER2}[이/가] 있다.", (("{PER}의 제자는 누구인가?", "PER2"),)),
)
_INSTITUTION: Final = (
    _Fact(
        "{ORG}[은/는] {YEAR1} {LOC1}에 세워졌다.",
        (("{ORG}[이/가] 세워진 해는?", "YEAR1"), ("{ORG}[이/가] 세워진 도시는?", "LOC1")),
    ),
    _Fact("설립자는 {PER1}[으로/로] 알려져 있다.", (("{ORG}의 설립자는 누구인가?", "PER1"),)),
    _Fact(
        "{YEAR2}에는 {LOC2}에 지점을 두고 직원이 {HEADS}까지 늘었다.",
        (("{ORG}[이/가] 지점을 둔 도시는?", "LOC2"), ("{ORG}의 직원은 몇 명까지 늘었는가?", "HEADS")),
    ),
    _Fact("이곳의 {CVL}[은/는] 주로 {TRM}[을/를] 연구한다.", (("{ORG}에서 주로 연구하는 것은?", "TRM"),)),
    _Fact(
        "상징 나무는 {PLT}이며 상징 동물은 {ANM}이다.",
        (("{ORG}의 상징 나무는?", "PLT"), ("{ORG}의 상징 동물은?", "ANM")),
    ),
)
_FILM: Final = (
    _Fact(
        "《{AFW}》[은/는] {PER1}[이/가] 감독한 영화이다.",
        (("《{AFW}》[을/를] 감독한 사람은?", "PER1"),),
    ),
    _Fact(
        "주연은 {PER2}[이/가] 맡아 {CVL}[을/를] 연기했다.",
        (("《{AFW}》의 주연은 누구인가?", "PER2"), ("주연이 《{AFW}》에서 연기한 직업은?", "CVL")),
    ),
    _Fact(
        "촬영은 {LOC1}[과/와] {LOC3}에서 {SPAN} 동안 이어졌다.",
        (("《{AFW}》[을/를] 처음 촬영한 도시는?", "LOC1"), ("《{AFW}》의 촬영은 얼마 동안 이어졌는가?", "SPAN")),
    ),
    _Fact(
        "{YEAR1} {TIM}에 처음 상영되었다.",
        (("《{AFW}》[이/가] 처음 상영된 시각은?", "TIM"), ("《{AFW}》[이/가] 상영된 해는?", "YEAR1")),
    ),
    _Fact("배급사는 {ORG1}이다.", (("《{AFW}》의 배급사는?", "ORG1"),)),
)
_KINDS: Final = (("PER", _PERSON), ("ORG", _INSTITUTION), ("AFW", _FILM))
_REPEATABLE: Final = ("LOC", "YEAR")


@dataclass(frozen=True)
class Question:
    """A question with its answer: the characters from ``start`` of the passage's context."""

    text: str
    answer: str
    start: int


@dataclass(frozen=True)
class Passage:
    """A context about ``title`` and the questions that it answers."""

    title: str
    context: str
    questions: tuple[Question, ...]


def passage(rng: Random) -> Passage:
    """A passage of three to five facts with distracting sentences between them; some answers occur in it twice."""
    title_slot, facts = rng.choice(_KINDS)
    value_of = _one_story(rng)
    chosen = (facts[0], *rng.sample(facts[1:], rng.randint(2, len(facts) - 1)))
    sentences: list[Sentence] = []
    asked: list[tuple[str, str, int]] = []
    for item in chosen:
        asked.extend((question, slot, len(sentences)) for question, slot in item.questions)
        sentences.append(fill(item.sentence, value_of))
        if rng.random() < _DISTRACTOR_SHARE:
            sentences.append(everyday(rng))
    context = join(sentences).text
    starts = [len(join(sentences[:number]).text) + (number > 0) for number in range(len(sentences))]
    questions = []
    for template, slot, number in asked:
        mention = next(mention for mention in sentences[number].mentions if mention.slot == slot)
        start = starts[number] + mention.start
        questions.append(Question(fill(template, value_of).text, value_of(slot), start))
    return Passage(value_of(title_slot), context, tuple(questions))


def fact(rng: Random) -> Sentence:
    """One sentence from a passage of its own, for the text corpus."""
    _, facts = rng.choice(_KINDS)
    return fill(rng.choice(facts).sentence, _one_story(rng))


def _one_story(rng: Random) -> Callable[[str], str]:
    """Slot values that stay the same for a whole passage; in some, LOC2 repeats LOC1 or YEAR2 repeats YEAR1."""
    fresh = draw(rng, rng.choice(TOPICS))
    known: dict[str, str] = {}
    for name in _REPEATABLE:
        if rng.random() < _REPEATED_SHARE:
            known[f"{name}1"] = known[f"{name}2"] = fresh(name)

    def value_of(slot: str) -> str:
        if slot not in known:
            known[slot] = fresh(slot)
        return known[slot]

    return value_of
