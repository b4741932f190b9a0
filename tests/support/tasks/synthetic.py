"""Synthetic files of Naver NER, KLUE-NER and KorQuAD, with the names and formats of the real ones.

Every writer makes a training and a test file from one seed; no text is in both. Arguments and errors are those of
``write_nsmc``.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Final

from distilkobert.synthetic.generation import distinct
from distilkobert.synthetic.grammar import Sentence
from distilkobert.synthetic.reading import Passage, passage
from distilkobert.synthetic.registers import encyclopaedia, entity_type, everyday, news
from distilkobert.synthetic.task_files import write_korquad_files, write_naver_ner_files, write_pair

_KLUE_TYPES: Final = {"PER": "PS", "LOC": "LC", "ORG": "OG", "DAT": "DT", "TIM": "TI", "NUM": "QT"}
_REGISTERS: Final[dict[str, Callable[[Random], Sentence]]] = {
    "news": news,
    "encyclopaedia": encyclopaedia,
    "everyday": everyday,
}


def write_naver_ner(folder: Path, *, train: int = 2000, test: int = 500, seed: int = 0) -> tuple[Path, Path]:
    """Write tagged sentences as ``write_naver_ner_files`` does."""
    sentences = [sentence for _, sentence in _tagged(train + test, seed)]
    return write_naver_ner_files(folder, sentences[:train], sentences[train:])


def write_klue_ner(folder: Path, *, train: int = 2000, test: int = 500, seed: int = 0) -> tuple[Path, Path]:
    """Write ``klue-ner-v1.1_train.tsv`` and ``klue-ner-v1.1_dev.tsv``: one character and its prefix tag (B-PS) a line.

    Comment lines start with ``##``; the one before a sentence holds its id and its annotated text, and a blank line
    ends it; ``test`` counts the sentences of the dev file.
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

    return write_pair(
        folder,
        ("klue-ner-v1.1_train.tsv", render(tagged[:train], "train")),
        ("klue-ner-v1.1_dev.tsv", render(tagged[train:], "dev")),
    )


def write_korquad(folder: Path, *, train: int = 1000, test: int = 250, seed: int = 0) -> tuple[Path, Path]:
    """Write passages and their questions as ``write_korquad_files`` does.

    ``train`` and ``test`` count questions, and no article title is in both files.
    """
    rng = Random(seed)
    passages = distinct(lambda: passage(rng), train + test, key=lambda made: made.title)  # more than are needed

    def part(count: int) -> list[Passage]:
        found = []
        while count > 0:
            made = next(passages)
            found.append(replace(made, questions=made.questions[:count]))
            count -= len(found[-1].questions)
        return found

    return write_korquad_files(folder, part(train), part(test))


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
