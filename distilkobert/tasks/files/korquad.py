"""KorQuAD 1.0 files: the JSON layout of SQuAD 1.1, checked to the last answer.

Answers are taken at the characters where the file says they are; nothing is searched.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from distilkobert.tasks.files.common import show
from distilkobert.tasks.files.json_files import JsonPlace, load_json

_NAMES: Final = {list: "a list", dict: "an object", str: "a string", int: "a whole number"}


class GoldAnswer(NamedTuple):
    """The text of an answer and the character of the context at which it starts."""

    text: str
    start: int


UNKNOWN_ANSWER: Final = GoldAnswer("", 0)
"""Stands for the answers of a question that a file to predict gives none of."""


class Question(NamedTuple):
    """A question and its answers, of which there is one in the official files."""

    id: str
    text: str
    answers: tuple[GoldAnswer, ...]


class Paragraph(NamedTuple):
    """A context, its questions, the title of its article, and where it stands, for messages."""

    title: str
    context: str
    questions: tuple[Question, ...]
    where: JsonPlace


def read_korquad(path: Path, answered: bool = True) -> Iterator[Paragraph]:
    """Yield the paragraphs of a file, plain or compressed.

    Args:
        path: the file.
        answered: whether every question must have an answer; if not, those without get `UNKNOWN_ANSWER`.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is empty, not UTF-8, not JSON or not KorQuAD; a text is blank, an id occurs twice, or an
            answer does not stand where the file says; names file, line, article, paragraph and question, the last three
            counted from 1 or by their names.
    """
    content = load_json(path, "a KorQuAD 1.0 file")
    seen: dict[str, str] = {}
    for number, article in enumerate(_get(content, "data", list, JsonPlace(path))):
        place = JsonPlace(path, ("data", number))
        name = f"article {number + 1}"
        title = _text(article, "title", place.inner(name=name), blank=True)
        place = place.inner(name=f"{name} ({show(title)})")
        for row, paragraph in enumerate(_get(article, "paragraphs", list, place)):
            where = place.inner("paragraphs", row, name=f"paragraph {row + 1}")
            context = _text(paragraph, "context", where)
            asked = []
            for count, item in enumerate(_get(paragraph, "qas", list, where)):
                question = _question(item, context, where.inner("qas", count), answered)
                if question.id in seen:
                    raise ValueError(
                        f"{where.inner('qas', count, 'id')}: the question id {question.id!r} occurs twice, before in "
                        f"{seen[question.id]}"
                    )
                seen[question.id] = f"{name}, paragraph {row + 1}"
                asked.append(question)
            yield Paragraph(title, context, tuple(asked), where)
    if not seen:
        raise ValueError(f"{path}: no question in it; expected a KorQuAD 1.0 file with at least one")


def _question(item: Any, context: str, place: JsonPlace, answered: bool) -> Question:
    identifier = _text(item, "id", place.inner(name="a question"), blank=True)
    place = place.inner(name=f"question {identifier!r}")
    text = _text(item, "question", place)
    listed = _get(item, "answers", list, place) if answered or "answers" in item else []
    answers = [_answer(answer, context, place.inner("answers", number)) for number, answer in enumerate(listed)]
    if not answers and answered:
        raise ValueError(f"{place}: no answer; expected at least one, as in KorQuAD 1.0")
    return Question(identifier, text, tuple(answers) or (UNKNOWN_ANSWER,))


def _answer(answer: Any, context: str, place: JsonPlace) -> GoldAnswer:
    start, wanted = _get(answer, "answer_start", int, place), _text(answer, "text", place)
    found = context[start : start + len(wanted)] if start >= 0 else ""
    if found != wanted:
        raise ValueError(
            f"{place.inner('answer_start')}: answer_start is {start}, where the context has {show(found)}; expected "
            f"the answer {show(wanted)}. Positions count characters from 0; correct the file"
        )
    return GoldAnswer(wanted, start)


def _get(parent: Any, name: str, kind: type, place: JsonPlace) -> Any:
    """Entry `name` of the object at `place`, of the right type."""
    if not isinstance(parent, Mapping) or name not in parent:
        found = f"an object with {', '.join(parent) or 'nothing'}" if isinstance(parent, Mapping) else _kind(parent)
        raise ValueError(f"{place}: found {found}; expected an object with {name!r}, as KorQuAD 1.0 has there")
    value = parent[name]
    if not isinstance(value, kind) or isinstance(value, bool):
        found = f"{name!r} is {_kind(value)}; expected {_NAMES[kind]}"
        raise ValueError(f"{place.inner(name)}: {found}, as in KorQuAD 1.0")
    return value


def _text(parent: Any, name: str, place: JsonPlace, blank: bool = False) -> str:
    """A string without half of a surrogate pair, which nothing can encode; not blank unless that is allowed."""
    value: str = _get(parent, name, str, place)
    if not blank and not value.strip():
        raise ValueError(f"{place.inner(name)}: {name!r} is blank; expected text")
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise ValueError(f"{place.inner(name)}: {name!r} holds half of a surrogate pair; write the file as UTF-8")
    return value


def _kind(value: Any) -> str:
    return _NAMES.get(type(value), f"{value!r}")
