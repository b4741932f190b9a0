"""Synthetic files of the three tasks, with the names and formats of the real ones.

Every writer makes a training and a test file from one seed; no text is in both. The content has the structure of
the synthetic corpus (``synthetic.py``), so a model pretrained on the corpus can learn the tasks.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Final

from distilkobert.io.files import write_text
from distilkobert.synthetic.generation import distinct
from distilkobert.synthetic.grammar import Sentence
from distilkobert.synthetic.reading import Question, passage
from distilkobert.synthetic.registers import encyclopaedia, entity_type, everyday, news, review
from distilkobert.tasks.labels import NAVER_NER_LABELS

_KLUE_TYPES: Final = {"PER": "PS", "LOC": "LC", "ORG": "OG", "DAT": "DT", "TIM": "TI", "NUM": "QT"}
_REGISTERS: Final[dict[str, Callable[[Random], Sentence]]] = {
    "news": news,
    "encyclopaedia": encyclopaedia,
    "everyday": everyday,
}
_FIRST_ID: Final = 1_000_000


def write_nsmc(folder: Path, *, train: int = 2000, test: int = 500, seed: int = 0) -> tuple[Path, Path]:
    """Write ``ratings_train.txt`` and ``ratings_test.txt``: header, then id, review and label 0 or 1 between tabs.

    Args:
        folder: made where missing.
        train: reviews in the training file.
        test: reviews in the test file.
        seed: the same seed gives the same bytes.

    Raises:
        ValueError: more different reviews are asked for than can be made.
    """
    rng = Random(seed)

    def make() -> tuple[str, int]:
        label = rng.randrange(2)
        return review(rng, positive=label == 1), label

    reviews = list(distinct(make, train + test, key=lambda pair: pair[0]))
    rows = [f"{_FIRST_ID + number}\t{text}\t{label}" for number, (text, label) in enumerate(reviews)]

    def render(part: Sequence[str]) -> str:
        return "".join(f"{line}\n" for line in ("id\tdocument\tlabel", *part))

    return _write_pair(folder, ("ratings_train.txt", render(rows[:train])), ("ratings_test.txt", render(rows[train:])))


def write_naver_ner(folder: Path, *, train: int = 2000, test: int = 500, seed: int = 0) -> tuple[Path, Path]:
    """Write ``train.tsv``, ``test.tsv`` and ``label.txt``: words and suffix tags (PER-B), one tag a word.

    One sentence a line, its words joined by spaces, a tab, its tags joined by spaces. Arguments and errors are those of
    ``write_nsmc``; the result names the two data files.
    """
    lines = [f"{sentence.text}\t{' '.join(word_tags(sentence))}\n" for _, sentence in _tagged(train + test, seed)]
    paths = _write_pair(folder, ("train.tsv", "".join(lines[:train])), ("test.tsv", "".join(lines[train:])))
    write_text(folder / "label.txt", "\n".join(NAVER_NER_LABELS))
    return paths


def write_klue_ner(folder: Path, *, train: int = 2000, test: int = 500, seed: int = 0) -> tuple[Path, Path]:
    """Write ``klue-ner-v1.1_train.tsv`` and ``klue-ner-v1.1_dev.tsv``: one character and its prefix tag (B-PS) a line.

    Comment lines start with ``##``; the one before a sentence holds its id and its annotated text, and a blank line
    ends it. Arguments and errors are those of ``write_nsmc``; ``test`` counts the sentences of the dev file.
    """
    tagged = _tagged(train + test, seed)

    def render(part: Sequence[tuple[str, Sentence]], split: str) -> str:
        blocks = ["## 합성 문장 : 글자마다 한 줄, 빈 줄에서 문장이 끝남\n## 열 : CHAR\tNE_TAG\n"]
        for number, (register, sentence) in enumerate(part):
            blocks.append(f"## synthetic-ner_{split}_{number:05}-{register}\t{_annotated(sentence)}\n")
            pairs = zip(sentence.text, character_tags(sentence), strict=True)
            blocks.extend(f"{character}\t{tag}\n" for character, tag in pairs)
            blocks.append("\n")
        return "".join(blocks)

    return _write_pair(
        folder,
        ("klue-ner-v1.1_train.tsv", render(tagged[:train], "train")),
        ("klue-ner-v1.1_dev.tsv", render(tagged[train:], "dev")),
    )


def write_korquad(folder: Path, *, train: int = 1000, test: int = 250, seed: int = 0) -> tuple[Path, Path]:
    """Write ``KorQuAD_v1.0_train.json`` and ``KorQuAD_v1.0_dev.json`` in the layout of SQuAD 1.1.

    Arguments and errors are those of ``write_nsmc``; ``train`` and ``test`` count questions, and no article title
    stands in both files.
    """
    rng = Random(seed)
    passages = distinct(lambda: passage(rng), train + test, key=lambda made: made.title)  # more than are needed

    def render(count: int, split: str, first_id: int) -> str:
        articles: list[dict[str, object]] = []
        while count > 0:
            made = next(passages)
            asked = made.questions[:count]
            count -= len(asked)
            articles.append(_article(made.title, made.context, asked, first_id + len(articles)))
        return json.dumps({"version": f"KorQuAD_v1.0_{split}", "data": articles}, ensure_ascii=False)

    return _write_pair(
        folder,
        ("KorQuAD_v1.0_train.json", render(train, "train", _FIRST_ID)),
        ("KorQuAD_v1.0_dev.json", render(test, "dev", _FIRST_ID + train)),
    )


def word_tags(sentence: Sentence) -> list[str]:
    """Suffix tags of the blank-separated words: a word is tagged when a mention touches it, its particle included."""
    tags = []
    start = 0
    for word in sentence.text.split(" "):
        end = start + len(word)
        tag = "O"
        for mention in sentence.mentions:
            kind = entity_type(mention.slot)
            if kind and mention.start < end and mention.end > start:
                tag = f"{kind}-{'B' if mention.start >= start else 'I'}"
                break
        tags.append(tag)
        start = end + 1
    return tags


def character_tags(sentence: Sentence) -> list[str]:
    """Prefix tags of all characters in the six KLUE types; spaces inside a mention are tagged, particles are not."""
    tags = ["O"] * len(sentence.text)
    for kind, start, end in _klue_mentions(sentence):
        tags[start:end] = [f"B-{kind}", *[f"I-{kind}"] * (end - start - 1)]
    return tags


def _klue_mentions(sentence: Sentence) -> list[tuple[str, int, int]]:
    kinds = ((_KLUE_TYPES.get(entity_type(mention.slot) or ""), mention) for mention in sentence.mentions)
    return [(kind, mention.start, mention.end) for kind, mention in kinds if kind]


def _annotated(sentence: Sentence) -> str:
    text = sentence.text
    for kind, start, end in reversed(_klue_mentions(sentence)):
        text = f"{text[:start]}<{text[start:end]}:{kind}>{text[end:]}"
    return text


def _tagged(count: int, seed: int) -> list[tuple[str, Sentence]]:
    """``count`` different tagged sentences, each with the name of its register."""
    rng = Random(seed)
    names = tuple(_REGISTERS)

    def make() -> tuple[str, Sentence]:
        register = rng.choices(names, weights=(5, 3, 2))[0]
        return register, _REGISTERS[register](rng)

    return list(distinct(make, count, key=lambda pair: pair[1].text))


def _article(title: str, context: str, questions: Sequence[Question], number: int) -> dict[str, object]:
    qas = [
        {
            "answers": [{"text": question.answer, "answer_start": question.start}],
            "id": f"{number}-0-{position}",
            "question": question.text,
        }
        for position, question in enumerate(questions)
    ]
    return {"paragraphs": [{"qas": qas, "context": context}], "title": title}


def _write_pair(folder: Path, first: tuple[str, str], second: tuple[str, str]) -> tuple[Path, Path]:
    folder.mkdir(parents=True, exist_ok=True)
    paths = (folder / first[0], folder / second[0])
    for path, (_, text) in zip(paths, (first, second), strict=True):
        write_text(path, text)
    return paths
