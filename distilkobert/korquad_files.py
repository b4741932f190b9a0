"""KorQuAD 1.0 files: the JSON layout of SQuAD 1.1, checked to the last answer.

Answers are taken at the characters where the file says they are; nothing is searched.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from distilkobert.task_files import looks_like, show
from distilkobert.texts import read_lines

_NAMES: Final = {list: "a list", dict: "an object", str: "a string", int: "a whole number"}


class GoldAnswer(NamedTuple):
    """The text of an answer and the character of the context at which it starts."""

    text: str
    start: int


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
    where: str


def read_korquad(path: Path) -> Iterator[Paragraph]:
    """Yield the paragraphs of a file, plain or compressed.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is empty, not UTF-8, not JSON or not KorQuAD; a text is blank, an id occurs twice, or an
            answer does not stand where the file says; names file, article, paragraph and question, counted from 1.
    """
    content = _load(path)
    seen: dict[str, str] = {}
    questions = 0
    for number, article in enumerate(_get(content, "data", list, str(path)), start=1):
        title = _get(article, "title", str, f"{path}, article {number}")
        where_article = f"{path}, article {number} ({show(title)})"
        for place, paragraph in enumerate(_get(article, "paragraphs", list, where_article), start=1):
            where = f"{where_article}, paragraph {place}"
            context = _text(paragraph, "context", where)
            asked = tuple(_question(item, context, where) for item in _get(paragraph, "qas", list, where))
            for question in asked:
                if question.id in seen:
                    raise ValueError(
                        f"{where}: the question id {question.id!r} occurs twice, before in {seen[question.id]}"
                    )
                seen[question.id] = f"article {number}, paragraph {place}"
            questions += len(asked)
            yield Paragraph(title, context, asked, where)
    if not questions:
        raise ValueError(f"{path}: no question in it; expected a KorQuAD 1.0 file with at least one")


def _load(path: Path) -> Any:
    try:
        return json.loads("\n".join(read_lines(path)))
    except json.JSONDecodeError as error:
        hint = looks_like(path)
        hint = f". {hint}" if hint and "JSON" not in hint else ""
        where = f"{path}, line {error.lineno}, column {error.colno}"
        raise ValueError(f"{where}: not JSON ({error.msg}); expected a KorQuAD 1.0 file{hint}") from None


def _question(item: Any, context: str, where: str) -> Question:
    identifier = _get(item, "id", str, f"{where}, a question")
    where = f"{where}, question {identifier!r}"
    text = _text(item, "question", where)
    answers = []
    for answer in _get(item, "answers", list, where):
        start, wanted = _get(answer, "answer_start", int, where), _text(answer, "text", where)
        found = context[start : start + len(wanted)] if start >= 0 else ""
        if found != wanted:
            raise ValueError(
                f"{where}: answer_start is {start}, where the context has {show(found)}; expected the answer "
                f"{show(wanted)}. Positions count characters from 0; correct the file"
            )
        answers.append(GoldAnswer(wanted, start))
    if not answers:
        raise ValueError(f"{where}: no answer; expected at least one, as in KorQuAD 1.0")
    return Question(identifier, text, tuple(answers))


def _get(parent: Any, name: str, kind: type, where: str) -> Any:
    """Entry `name` of an object, of the right type."""
    if not isinstance(parent, Mapping) or name not in parent:
        found = f"an object with {', '.join(parent) or 'nothing'}" if isinstance(parent, Mapping) else _kind(parent)
        raise ValueError(f"{where}: found {found}; expected an object with {name!r}, as KorQuAD 1.0 has there")
    value = parent[name]
    if not isinstance(value, kind) or isinstance(value, bool):
        raise ValueError(f"{where}: {name!r} is {_kind(value)}; expected {_NAMES[kind]}, as in KorQuAD 1.0")
    return value


def _text(parent: Any, name: str, where: str) -> str:
    """A string that is not blank and has no half of a surrogate pair, which tokenizers cannot take."""
    value: str = _get(parent, name, str, where)
    if not value.strip():
        raise ValueError(f"{where}: {name!r} is blank; expected text")
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise ValueError(f"{where}: {name!r} holds half of a surrogate pair; write the file as UTF-8")
    return value


def _kind(value: Any) -> str:
    return _NAMES.get(type(value), f"{value!r}")
