"""Files of the three tasks in the names and layouts of the real ones, from examples made elsewhere."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from distilkobert.io.files import write_text
from distilkobert.synthetic.grammar import Sentence
from distilkobert.synthetic.reading import Passage, Question
from distilkobert.synthetic.registers import entity_type
from distilkobert.tasks.tags.labels import NAVER_NER_LABELS

_FIRST_ID: Final = 1_000_000


def write_nsmc_files(
    folder: Path, train: Sequence[tuple[str, int]], test: Sequence[tuple[str, int]]
) -> tuple[Path, Path]:
    """Write ``ratings_train.txt`` and ``ratings_test.txt``: header, then id, review and label 0 or 1 between tabs.

    Args:
        folder: made where missing.
        train: reviews and their labels.
        test: the same for the test file.
    """

    def render(part: Sequence[tuple[str, int]], first_id: int) -> str:
        rows = (f"{first_id + number}\t{text}\t{label}" for number, (text, label) in enumerate(part))
        return "".join(f"{line}\n" for line in ("id\tdocument\tlabel", *rows))

    return write_pair(
        folder,
        ("ratings_train.txt", render(train, _FIRST_ID)),
        ("ratings_test.txt", render(test, _FIRST_ID + len(train))),
    )


def write_naver_ner_files(folder: Path, train: Iterable[Sentence], test: Iterable[Sentence]) -> tuple[Path, Path]:
    """Write ``train.tsv``, ``test.tsv`` and ``label.txt``: words and suffix tags (PER-B), one tag per word.

    One sentence per line, its words joined by spaces, a tab, its tags joined by spaces. The result names the two data
    files.
    """

    def render(part: Iterable[Sentence]) -> str:
        return "".join(f"{sentence.text}\t{' '.join(word_tags(sentence))}\n" for sentence in part)

    paths = write_pair(folder, ("train.tsv", render(train)), ("test.tsv", render(test)))
    write_text(folder / "label.txt", "\n".join(NAVER_NER_LABELS))
    return paths


def write_korquad_files(folder: Path, train: Iterable[Passage], test: Iterable[Passage]) -> tuple[Path, Path]:
    """Write ``KorQuAD_v1.0_train.json`` and ``KorQuAD_v1.0_dev.json`` in the layout of SQuAD 1.1."""
    number = _FIRST_ID

    def render(part: Iterable[Passage], split: str) -> str:
        nonlocal number
        articles = []
        for made in part:
            articles.append(_article(made.title, made.context, made.questions, number))
            number += 1
        return json.dumps({"version": f"KorQuAD_v1.0_{split}", "data": articles}, ensure_ascii=False)

    return write_pair(
        folder,
        ("KorQuAD_v1.0_train.json", render(train, "train")),
        ("KorQuAD_v1.0_dev.json", render(test, "dev")),
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


def write_pair(folder: Path, first: tuple[str, str], second: tuple[str, str]) -> tuple[Path, Path]:
    """Write two named texts into `folder`, made where missing, and return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = (folder / first[0], folder / second[0])
    for path, (_, text) in zip(paths, (first, second), strict=True):
        write_text(path, text)
    return paths
