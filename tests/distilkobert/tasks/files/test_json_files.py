"""Values of JSON files are found again for messages; KorQuAD errors name the line of what is wrong."""

import json
import random
import re
from pathlib import Path
from typing import Any

import pytest

from distilkobert.tasks.files.json_files import JsonPlace, load_json
from distilkobert.tasks.files.korquad import read_korquad

WRONG = "⚑"


def numbered(rng: random.Random, depth: int, places: list[tuple[str | int, ...]], here: tuple[str | int, ...]) -> Any:
    """A random value; each string in it is a mark and the number of its place in `places`."""
    kind = rng.choice(("list", "object", "text")) if depth else "text"
    if kind == "text":
        places.append(here)
        return f'{WRONG}{len(places) - 1}{WRONG} [{{"a":\\ '
    if kind == "list":
        return [numbered(rng, depth - 1, places, (*here, number)) for number in range(rng.randrange(4))]
    keys = rng.sample(["a", "b,", "c]", 'd"}', "\\"], rng.randrange(4))
    return {key: numbered(rng, depth - 1, places, (*here, key)) for key in keys}


def test_the_line_of_every_value_is_that_where_its_text_stands(tmp_path: Path) -> None:
    rng = random.Random(1)
    checked = 0
    for number in range(60):
        places: list[tuple[str | int, ...]] = []
        content = [numbered(rng, 4, places, (0,))]
        file = tmp_path / f"{number}.json"
        file.write_text(json.dumps(content, indent=rng.choice((None, 0, 2)), ensure_ascii=False), encoding="utf-8")
        lines = file.read_text(encoding="utf-8").split("\n")
        for count, steps in enumerate(places):
            (line,) = [row for row, text in enumerate(lines, start=1) if f"{WRONG}{count}{WRONG}" in text]
            assert str(JsonPlace(file, steps, ", here")) == f"{file}, line {line}, here"
            checked += line > 1
    assert checked > 50


def test_of_equal_keys_the_last_one_is_named_as_it_is_the_one_that_is_read(tmp_path: Path) -> None:
    file = tmp_path / "file.json"
    file.write_text('{"a": 1,\n"b": [],\n"a": [1,\n2]}')
    assert load_json(file, "anything") == {"a": [1, 2], "b": []}
    assert str(JsonPlace(file).inner("a").inner(1, name="two")) == f"{file}, line 4, two"


def written(folder: Path, change: tuple[str, str], **changes: Any) -> Path:
    """Three questions, one key per line; in the third `change` puts its second text for its first."""
    asked = [
        {"id": f"q-{number}", "question": "수도는?", "answers": [{"text": "서울", "answer_start": 0}]}
        for number in range(3)
    ]
    asked[2] |= changes
    content = {"data": [{"title": "서울", "paragraphs": [{"context": "서울은 수도다.", "qas": asked}]}]}
    text = json.dumps(content, indent=1, ensure_ascii=False)
    head, found, tail = text.rpartition(change[0])
    file = folder / "file.json"
    file.write_text(head + change[1] + tail if found else text, encoding="utf-8")
    return file


NAMED = r"article 1 \('서울'\), paragraph 1"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"answer_start": 0', '"answer_start": 1', f"{NAMED}, question 'q-2': answer_start is 1, .* has '울은'"),
        ('"answer_start": 0', '"answer_start": null', f"{NAMED}, question 'q-2': 'answer_start' is None"),
        ('"text": "서울"', '"text": " "', f"{NAMED}, question 'q-2': 'text' is blank"),
        ('"question": "수도는?"', '"question": ""', f"{NAMED}, question 'q-2': 'question' is blank"),
        (
            '"id": "q-2"',
            '"id": "q-0"',
            f"{NAMED}: the question id 'q-0' occurs twice, before in article 1, paragraph 1",
        ),
        ('"id": "q-2"', r'"id": "\ud83d"', f"{NAMED}, a question: 'id' contains a lone surrogate"),
        ('"title": "서울"', r'"title": "\ud83d"', "article 1: 'title' contains a lone surrogate"),
        ('"context": "서울은 수도다."', '"context": 5', f"{NAMED}: 'context' is a whole number"),
    ],
)
def test_a_wrong_value_is_named_with_its_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    file = written(tmp_path, (old, new))
    line = max(n for n, text in enumerate(file.read_text(encoding="utf-8").split("\n"), start=1) if new in text)
    assert line > 2
    with pytest.raises(ValueError, match=rf"file\.json, line {line}, {message}"):
        list(read_korquad(file))


def test_what_is_missing_is_named_with_the_line_of_what_lacks_it(tmp_path: Path) -> None:
    file = written(tmp_path, ("-", "-"), answers=[])
    lines = file.read_text(encoding="utf-8").split("\n")
    start = next(number for number, text in enumerate(lines, start=1) if '"q-2"' in text) - 1
    assert lines[start - 1].strip() == "{"
    with pytest.raises(ValueError, match=rf"line {start}, {NAMED}, question 'q-2': no answer"):
        list(read_korquad(file))


def test_brackets_without_end_and_endless_numbers_are_no_korquad(tmp_path: Path) -> None:
    file = tmp_path / "file.json"
    for content, line, message in (
        ("[" * 200_000, 1, "brackets nested more than 100 deep; expected a KorQuAD 1.0 file"),
        ('{"[[[": [1],\n"data":\n' + '{"data":' * 5000 + "1" + "}" * 5001, 3, "brackets nested more than 100 deep"),
        ('{"data":\n' + "9" * 5000 + "}", 2, "a number with more than 4300 digits; expected a KorQuAD 1.0 file"),
    ):
        file.write_text(content)
        with pytest.raises(ValueError, match=rf"^{re.escape(str(file))}, line {line}: {message}"):
            list(read_korquad(file))
