"""Sentences in which the invented words of a lexicon occur: what a text corpus tells about them.

    from distilkobert.synthetic.contexts import generate_text
    lines = generate_text(make_lexicon(0), 20_000, seed=1)

Telling sentences fit the nouns of one class only; plain ones fit all. The judgements of a review agree, with each
other and with the line after each; they follow from verdict words, negations and concessions. A scene says who saw
what, and comes with questions and their answers. So the words' classes, the composition of verdicts and the search for
an answer can all be learnt by masked language modelling, and no sentence states them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Final

from distilkobert.synthetic.generation import distinct
from distilkobert.synthetic.grammar import Mention, Sentence, fill, join
from distilkobert.synthetic.lexicon import CLASS_NOUNS, Lexicon
from distilkobert.synthetic.words import ASPECTS, BLAME_CLOSINGS, PRAISE_CLOSINGS, title

_TELLING: Final = {
    "PER": (
        "{PER}[이/가] 웃으며 인사했다.",
        "{PER}[은/는] 두 아이의 부모이다.",
        "{PER}[이/가] 밤새 편지를 썼다.",
        "{PER} 선생은 말이 느리다.",
    ),
    "LOC": (
        "{LOC}[으로/로] 가는 기차를 탔다.",
        "{LOC}에는 비가 많이 내린다.",
        "{LOC} 시내에서 길을 잃었다.",
        "{LOC}[은/는] 바다와 가깝다.",
    ),
    "ORG": (
        "{ORG}[이/가] 직원을 뽑는다.",
        "{ORG} 사장이 바뀌었다.",
        "{ORG}[은/는] 올해 빚을 갚았다.",
        "{ORG} 주식이 크게 올랐다.",
    ),
    "ANM": (
        "{ANM}[이/가] 꼬리를 흔들었다.",
        "{ANM}[은/는] 털이 곱고 귀가 크다.",
        "{ANM}에게 먹이를 주었다.",
        "{ANM} 우는 소리에 잠이 깼다.",
    ),
    "PLT": (
        "{PLT}[은/는] 봄에 꽃이 핀다.",
        "{PLT} 잎이 노랗게 물들었다.",
        "뜰에 {PLT}[을/를] 심었다.",
        "{PLT}[이/가] 뿌리를 깊이 내렸다.",
    ),
    "MAT": (
        "{MAT}[을/를] 녹여 그릇을 만들었다.",
        "{MAT}[은/는] 단단하고 무겁다.",
        "광산에서 {MAT}[을/를] 캤다.",
        "{MAT} 한 덩이를 저울에 올렸다.",
    ),
    "AFW": (
        "{AFW}[을/를] 끝까지 읽었다.",
        "{AFW}[은/는] 열두 장으로 되어 있다.",
        "{AFW} 표지가 찢어졌다.",
        "{AFW}[이/가] 다른 말로 옮겨졌다.",
    ),
    "EVT": (
        "{EVT}[이/가] 사흘 동안 열렸다.",
        "{EVT} 입장권이 다 팔렸다.",
        "{EVT}[은/는] 비가 와서 미뤄졌다.",
        "해마다 {EVT}에 손님이 몰린다.",
    ),
}
_PLAIN: Final = (
    "{x} 이야기를 들었다.",
    "{x}[과/와] {y}[을/를] 떠올렸다.",
    "{x}[이/가] 마음에 든다.",
    "{x}, {y}, {z} 순서로 적었다.",
    "{x} 사진을 보여 주었다.",
    "{x}[은/는] {y}[과/와] 다르다.",
)
_SHARED: Final = 0.5  # of the nouns in telling sentences are also of another class
# a and b are of the verdict, x of the other; all end in a vowel.
_JUDGEMENTS: Final = (
    "{p}[이/가] {a}다",
    "{p}[은/는] {a}, {q}도 {b}",
    "{p}[은/는] {x}였지만 {q}[이/가] 정말 {a}다",
    "{p}[은/는] {x}가 전혀 아니다",
    "{q}도 {p}도 {x}가 아니고 그저 {a}였다",
    "{a}의 {p}, {b}의 {q}",
    "{x}로 시작해도 {p}[은/는] {a}로 끝난다",
    "{a}와 {b}를 오가는 {p}",
    "《{AFW}》 {p}[은/는] 다시 봐도 {a}다",
)
_CLOSINGS: Final = {True: PRAISE_CLOSINGS[:4], False: BLAME_CLOSINGS[:4]}
_SEEN: Final = ("ANM", "PLT", "MAT", "AFW")
_VERBS: Final = (("본", "보았다"), ("고른", "골랐다"), ("그린", "그렸다"), ("찾은", "찾았다"))


def telling(rng: Random, lexicon: Lexicon, shared: float = _SHARED) -> Sentence:
    """One or two clauses, each of which fits the nouns of one class."""
    slots = tuple(CLASS_NOUNS)
    return join([telling_clause(rng, lexicon, rng.choice(slots), shared) for _ in range(rng.randint(1, 2))])


def telling_clause(rng: Random, lexicon: Lexicon, slot: str, shared: float = _SHARED) -> Sentence:
    """A clause that fits the nouns of one class, with one of them; a share of these are also of another class."""
    nouns = lexicon.shared_nouns(slot) if rng.random() < shared else lexicon.own[slot]
    return fill(rng.choice(_TELLING[slot]), lambda _: rng.choice(nouns))


def plain(rng: Random, lexicon: Lexicon) -> Sentence:
    """A sentence that fits nouns of all classes, with nouns of one class each."""
    slots = dict(zip("xyz", rng.sample(tuple(CLASS_NOUNS), 3), strict=True))
    template = rng.choice(_PLAIN)
    for name, slot in slots.items():
        template = template.replace(f"{{{name}}}", f"{{{slot}}}")
    return fill(template, lambda slot: rng.choice(lexicon.own[slot]))


def opinion(rng: Random, lexicon: Lexicon, *, positive: bool) -> str:
    """One judgement of a film: what counts is its last verdict, and a denied fault is praise."""
    verdicts = (lexicon.praise, lexicon.blame) if positive else (lexicon.blame, lexicon.praise)
    values = dict(zip("pq", rng.sample(ASPECTS, 2), strict=True))
    values |= dict(zip("ab", rng.sample(verdicts[0], 2), strict=True))
    values |= {"x": rng.choice(verdicts[1]), "AFW": title(rng)}
    return fill(rng.choice(_JUDGEMENTS), values.__getitem__).text


def opinions(rng: Random, lexicon: Lexicon) -> str:
    """Two or three judgements that agree, each with a line that agrees with them."""
    positive = rng.random() < 0.5
    judgements = (opinion(rng, lexicon, positive=positive) for _ in range(rng.randint(2, 3)))
    return " ".join(f"{judgement} {rng.choice(_CLOSINGS[positive])}" for judgement in judgements)


@dataclass(frozen=True)
class Scene:
    """Who saw what.

    Args:
        sentences: one for each person.
        questions: one about each sentence.
        answers: slots of the answers.
    """

    sentences: tuple[Sentence, ...]
    questions: tuple[str, ...]
    answers: tuple[str, ...]

    def answer(self, number: int) -> Mention:
        """Where the answer to a question is in its sentence."""
        return next(mention for mention in self.sentences[number].mentions if mention.slot == self.answers[number])


def scene(rng: Random, lexicon: Lexicon, persons: int) -> Scene:
    """A scene of so many persons."""
    sentences, questions, answers = [], [], []
    for person in rng.sample(lexicon.own["PER"], persons):
        first, second = rng.sample(_SEEN, 2)
        values = {"PER": person, first: rng.choice(lexicon.own[first]), second: rng.choice(lexicon.own[second])}
        adnominal, past = rng.choice(_VERBS)
        asked = rng.choice((first, second))
        sentences.append(fill(f"{{PER}}[은/는] {{{first}}}[과/와] {{{second}}}[을/를] {past}.", values.__getitem__))
        questions.append(fill(f"{{PER}}[이/가] {adnominal} {CLASS_NOUNS[asked]}[은/는]?", values.__getitem__).text)
        answers.append(asked)
    return Scene(tuple(sentences), tuple(questions), tuple(answers))


def answered(rng: Random, lexicon: Lexicon) -> str:
    """A scene with all its questions and answers, in another order, before or after it, as one line of text."""
    made = scene(rng, lexicon, rng.randint(1, 3))
    asked = []
    for number in rng.sample(range(len(made.questions)), len(made.questions)):
        mention = made.answer(number)
        asked.append(f"{made.questions[number]} {made.sentences[number].text[mention.start : mention.end]}.")
    parts = [" ".join(asked), join(made.sentences).text]
    return " ".join(parts if rng.random() < 0.5 else reversed(parts))


def generate_text(lexicon: Lexicon, count: int, seed: int) -> list[str]:
    """``count`` distinct lines; a larger ``count`` with the same seed starts with the same lines.

    Raises:
        ValueError: the lexicon is too small for so many lines.
    """
    makers: tuple[tuple[Callable[[Random], str], float], ...] = (
        (lambda rng: telling(rng, lexicon).text, 0.40),
        (lambda rng: plain(rng, lexicon).text, 0.05),
        (lambda rng: opinions(rng, lexicon), 0.30),
        (lambda rng: answered(rng, lexicon), 0.25),
    )
    functions, weights = zip(*makers, strict=True)
    rng = Random(seed)
    return list(distinct(lambda: rng.choices(functions, weights)[0](rng), count, key=str))
