"""Sentences of the synthetic text in four registers: news, encyclopaedia, everyday talk, film reviews."""

from collections.abc import Callable
from random import Random
from typing import Final

from distilkobert.synthetic import words as words
from distilkobert.synthetic.grammar import Sentence, Verb, conjugate, conjugate_adjective, fill, join
from distilkobert.synthetic.topics import TOPICS, Topic

_CONNECTIVES: Final = (
    "{stem}고",
    "{past}고",
    "{past}지만",
    "{past}으며,",
    "{past}는데",
    "{stem}[으면서/면서]",
    "{stem}기 위해",
    "{stem}다가",
)
_NEWS_ENDINGS: Final = (
    "{past}다.",
    "{past}다고 {ORG}[이/가] 밝혔다.",
    "{past}다고 {PER} {CVL}[이/가] 전했다.",
    "{past}습니다.",
)
_PLAIN_ENDINGS: Final = ("{past}다.", "{present}.", "{stem}고 있다.", "{past}다고 한다.")
_TALK_ENDINGS: Final = ("{past}어요.", "{stem}고 있어요!", "{stem}고 싶어요.", "{past}나요?", "{past}습니다.")

_NEWS: Final = (
    "{ORG}[은/는] {DAT} {LOC}에 새 {place}[을/를] 연다고 밝혔다.",
    "{PER} {CVL}[은/는] {DAT} {TIM} {ORG}에서 {TRM}[을/를] 주제로 강연했다.",
    "{EVT}[이/가] {DAT}부터 {LOC}에서 열려 관람객이 {HEADS}[으로/로] 늘었다.",
    "{FLD}[을/를] 전공한 {PER}[이/가] {ORG} {CVL}[으로/로] 뽑혔다.",
    "{DAT} {LOC} {place} 근처에서 {ANM}[이/가] 발견됐다.",
    "{PER}의 책 《{AFW}》[이/가] {DAT} {ORG}에서 나왔다.",
    "{PER}[과/와] {PER2}[은/는] {LOC}에서 {LOC2}까지 {LENGTH}[을/를] 걸었다.",
    '"{TRM}[은/는] {FLD}의 기본입니다." {PER} {CVL}의 말이다.',
    "{LOC} {place}에서 {TIM}쯤 불이 나 {CVL} {HEADS}[이/가] 대피했다.",
)
_ENCYCLOPAEDIA: Final = (
    "{TRM}[은/는] {FLD}에서 쓰는 말로, {PER}[이/가] {DAT} 처음 정리했다.",
    "《{AFW}》[은/는] {PER}[이/가] {YEAR} 발표한 작품이다.",
    "{PLT}[은/는] {LOC} 일대에서 자라며 높이가 {LENGTH}에 이른다.",
    "{ANM}[은/는] {PLT} 숲에 살며 하루에 {LENGTH}[을/를] 움직인다.",
    "{object}[은/는] 흔히 {MAT}[으로/로] 만들며 {CVL}[이/가] {place}에서 쓴다.",
    "{ORG}[은/는] {YEAR} {LOC}에 세워진 기관으로, {FLD} 자료 {NUM}[을/를] 갖고 있다.",
    "{CVL}[은/는] {place}에서 {modifier} {object}[을/를] {stem}고 {TRM}[을/를] 다루는 사람이다.",
    "{EVT}[은/는] {YEAR} 시작되었으며 {PLT}[과/와] {ANM}[을/를] 상징으로 쓴다.",
)
_ALIASES: Final = {"YEAR": "DAT", "HEADS": "NUM", "LENGTH": "NUM", "SPAN": "NUM"}
_MAKERS: Final[dict[str, Callable[[Random], str]]] = {
    "PER": words.person,
    "ORG": words.organisation,
    "LOC": lambda rng: rng.choice(words.CITIES),
    "DAT": words.date,
    "YEAR": words.year,
    "TIM": words.clock,
    "NUM": words.quantity,
    "HEADS": words.head_count,
    "LENGTH": words.length,
    "SPAN": words.duration,
    "EVT": words.event,
    "AFW": words.title,
    "ANM": lambda rng: rng.choice(words.ANIMALS),
    "PLT": lambda rng: rng.choice(words.PLANTS),
    "talk_time": lambda rng: rng.choice(words.EVERYDAY_TIMES),
}


def entity_type(slot: str) -> str | None:
    """Naver NER type of a slot such as PER2 or YEAR; None for a slot that is no entity."""
    label = slot.rstrip("0123456789")
    label = _ALIASES.get(label, label)
    return label if label.isupper() else None


def draw(rng: Random, topic: Topic) -> Callable[[str], str]:
    """Values for slots: names drawn from ``rng``, the words of ``topic``, and one verb with an object that it takes."""
    verb_name, objects = rng.choice(tuple(topic.actions.items()))
    verb = conjugate(verb_name)
    from_topic = {"CVL": topic.people, "TRM": topic.terms, "place": topic.places, "modifier": topic.modifiers}
    from_topic |= {"manner": topic.manners, "object": objects, "FLD": (topic.field,), "MAT": (topic.material,)}

    def value_of(slot: str) -> str:
        name = slot.rstrip("0123456789")
        if name in from_topic:
            return rng.choice(from_topic[name])
        if name in _MAKERS:
            return _MAKERS[name](rng)
        return str(getattr(verb, name))

    return value_of


def clause(rng: Random, topic: Topic, ending: str, opening: str) -> Sentence:
    """One clause: ``opening``, perhaps a place, a manner and a modifier, then an object and its verb in ``ending``."""
    optional = (("{place}에서", 0.4), ("{manner}", 0.3), ("{modifier}", 0.4))
    parts = [opening, *(part for part, share in optional if rng.random() < share), "{object}[을/를]", ending]
    return fill(" ".join(part for part in parts if part), draw(rng, topic))


def topical(rng: Random, endings: tuple[str, ...], time: str) -> Sentence:
    """A sentence of one to four clauses (about 3 to 30 words) that stay on one topic."""
    topic = rng.choice(TOPICS)
    count = rng.choices((1, 2, 3, 4), weights=(4, 3, 2, 1))[0]
    clauses = []
    for number in range(count):
        subject = "{CVL}[이/가]" if number == 0 or rng.random() < 0.5 else ""
        opening = f"{time} {subject}" if number == 0 and rng.random() < 0.6 else subject
        ending = rng.choice(endings if number == count - 1 else _CONNECTIVES)
        clauses.append(clause(rng, topic, ending, opening))
    return join(clauses)


def news(rng: Random) -> Sentence:
    """A news sentence: one of the fixed reports, or a topical one with a date and a place name."""
    if rng.random() < 0.5:
        return fill(rng.choice(_NEWS), draw(rng, rng.choice(TOPICS)))
    return topical(rng, _NEWS_ENDINGS, rng.choice(("{DAT} {LOC}", "{DAT} {TIM}", "{LOC}에서는")))


def encyclopaedia(rng: Random) -> Sentence:
    """A sentence that explains a term, work, plant, animal, object, institution or occupation."""
    if rng.random() < 0.7:
        return fill(rng.choice(_ENCYCLOPAEDIA), draw(rng, rng.choice(TOPICS)))
    return topical(rng, _PLAIN_ENDINGS, "{YEAR} 무렵")


def everyday(rng: Random) -> Sentence:
    """Everyday talk in the polite form."""
    return topical(rng, _TALK_ENDINGS, "{talk_time}")


def review(rng: Random, positive: bool) -> str:
    """A film review whose verdict is ``positive`` or not.

    What counts is the last judgement: praise after a concession is praise, and a denied fault is praise too.
    """
    kind, other = (words.PRAISE, words.BLAME) if positive else (words.BLAME, words.PRAISE)
    adjectives = {"a": _adjective(rng, kind), "b": _adjective(rng, kind), "x": _adjective(rng, other)}
    aspects = dict(zip(("p", "q"), rng.sample(words.ASPECTS, 2), strict=True))
    closing = rng.choice(words.PRAISE_CLOSINGS if positive else words.BLAME_CLOSINGS)

    def value_of(slot: str) -> str:
        if slot in aspects:
            return aspects[slot]
        if slot == "AFW":
            return words.title(rng)
        return str(getattr(adjectives[slot[0]], slot[2:]))

    body = fill(rng.choice(_REVIEWS), value_of).text
    parts = [body]
    if rng.random() < 0.3:
        parts.insert(0, rng.choice(words.EXCLAMATIONS))
    if rng.random() < 0.4:
        parts.append(closing)
    return " ".join(parts) + rng.choice(words.TAILS)


_REVIEWS: Final = (
    "{p}[이/가] {a_present}",
    "{p}[이/가] {a_stem}고 {q}도 {b_present}",
    "{p}[은/는] {x_past}지만 {q}[이/가] 정말 {a_past}다",
    "처음에는 {x_past}는데 갈수록 {p}[이/가] {a_past}어요",
    "{p}[이/가] 전혀 {x_stem}지 않다",
    "{q}도 {p}도 {x_stem}지 않았고 그저 {a_past}다",
    "{a_adnominal} 영화, {b_adnominal} {p}",
    "《{AFW}》 {p} {a_adnominal} 작품",
    "{p}까지 {a_past}던 《{AFW}》, 다시 생각해도 {b_present}",
)


def _adjective(rng: Random, stems: tuple[str, ...]) -> Verb:
    return conjugate_adjective(rng.choice(stems))
