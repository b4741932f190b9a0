"""Files of questions: the JSON layout of SQuAD 1.1 and 2.0, KorQuAD 1.0 and KLUE-MRC, checked to the last answer.

Answers are taken at the characters where the file says they are; nothing is searched. Equivalent are `id` and `guid`,
ids that are numbers, articles without a title, and questions that `is_impossible` says have no answer.
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


class Question(NamedTuple):
    """A question, its answers (none where they are not known), and whether the context answers it at all."""

    id: str
    text: str
    answers: tuple[GoldAnswer, ...]
    impossible: bool = False


class Paragraph(NamedTuple):
    """A context, its questions, the title of its article (or the context, where it has none), and where it is."""

    title: str
    context: str
    questions: tuple[Question, ...]
    where: JsonPlace


def read_korquad(path: Path, answered: bool = True) -> Iterator[Paragraph]:
    """Yield the paragraphs of a file, plain or compressed.

    Args:
        path: the file.
        answered: whether every question must have an answer, or say that it is impossible.

    Raises:
        FileNotFoundError: the file does not exist.
        ValueError: the file is empty, not UTF-8, not JSON or not KorQuAD; a text is blank, an id occurs twice, or an
            answer is not at its offset; names file, line, article, paragraph and question, the last three
            counted from 1 or by their names.
    """
    content = load_json(path, "a KorQuAD 1.0 file, or one of its layout")
    seen: dict[str, str] = {}
    for number, article in enumerate(_get(content, "data", list, JsonPlace(path))):
        place = JsonPlace(path, ("data", number))
        name = f"article {number + 1}"
        has_title = isinstance(article, Mapping) and article.get("title") is not None
        title = _text(article, "title", place.inner(name=name), blank=True) if has_title else ""
        place = place.inner(name=f"{name} ({show(title)})" if title else name)
        for row, paragraph in enumerate(_get(article, "paragraphs", list, place)):
            where = place.inner("paragraphs", row, name=f"paragraph {row + 1}")
            context = _text(paragraph, "context", where)
            asked = []
            for count, item in enumerate(_get(paragraph, "qas", list, where)):
                question = _question(item, context, where.inner("qas", count), answered)
                if question.id in seen:
                    place = where.inner("qas", count, "id" if "id" in item else "guid")
                    raise ValueError(
                        f"{place}: the question id {question.id!r} occurs twice, before in {seen[question.id]}"
                    )
                seen[question.id] = f"{name}, paragraph {row + 1}"
                asked.append(question)
            yield Paragraph(title or context, context, tuple(asked), where)
    if not seen:
        raise ValueError(f"{path}: no question in it; expected at least one")


def _question(item: Any, context: str, place: JsonPlace, answered: bool) -> Question:
    identifier = _identifier(item, place.inner(name="a question"))
    place = place.inner(name=f"question {identifier!r}")
    text = _text(item, "question", place)
    impossible = item.get("is_impossible", False)
    if not isinstance(impossible, bool):
        raise ValueError(f"{place.inner('is_impossible')}: 'is_impossible' is {impossible!r}; expected true or false")
    listed = _get(item, "answers", list, place) if answered and not impossible else item.get("answers") or []
    answers = [_answer(answer, context, place.inner("answers", number)) for number, answer in enumerate(listed)]
    if impossible and answers:
        raise ValueError(
            f"{place}: is_impossible is true, but there is the answer {show(answers[0].text)}; correct one of the two"
        )
    if not answers and answered and not impossible:
        raise ValueError(f"{place}: no answer; expected at least one, or is_impossible: true")
    return Question(identifier, text, tuple(answers), impossible)


def _identifier(item: Any, place: JsonPlace) -> str:
    name = "guid" if isinstance(item, Mapping) and "id" not in item and "guid" in item else "id"
    if isinstance(item, Mapping) and isinstance(item.get(name), int) and not isinstance(item[name], bool):
        return str(item[name])
    return _text(item, name, place, blank=True)


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
        raise ValueError(f"{place.inner(name)}: {name!r} contains a lone surrogate; write the file as UTF-8")
    return value


def _kind(value: Any) -> str:
    return _NAMES.get(type(value), f"{value!r}")
