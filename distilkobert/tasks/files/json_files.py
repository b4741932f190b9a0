"""JSON files whose errors name file and line, also where a value is well-formed and wrong anyway.

Python's parser does not tell where a value stood, so the text is gone through again for the message of an error, and
only then.
"""

import json
import re
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from distilkobert.io.reading.texts import read_lines
from distilkobert.tasks.files.common import looks_like

_DECODER: Final = json.JSONDecoder()
_BETWEEN: Final = re.compile(r"[\s,:]*")
_STRING_OR_BRACKET: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]', re.DOTALL)
_DEEP: Final = 100
"""Brackets inside each other that no data set has; Python gives up at about a thousand."""


@dataclass(frozen=True)
class JsonPlace:
    """A value of a JSON file; as a string the file, the value's line, and what it is.

    Args:
        file: the file.
        steps: keys and numbers that lead to the value from the outermost one.
        name: what the value is, for a reader, with `, ` before it; empty for the whole file.
    """

    file: Path
    steps: tuple[str | int, ...] = ()
    name: str = ""

    def inner(self, *steps: str | int, name: str = "") -> "JsonPlace":
        """The place of a value inside; `name` is added to this one's."""
        return replace(self, steps=self.steps + steps, name=f"{self.name}, {name}" if name else self.name)

    def __str__(self) -> str:
        text = _text_of(self.file)
        return f"{self.file}, line {_line(text, _start(text, self.steps))}{self.name}"


def load_json(path: Path, expected: str) -> Any:
    """Read a whole JSON file, plain or compressed.

    Args:
        path: the file.
        expected: what the file should be, for messages.

    Raises:
        FileNotFoundError: the file does not exist.
        ValueError: the file is not JSON, is nested too deep, has a number of thousands of digits, or is what
            `texts.read_lines` refuses; names file and line.
    """
    text = _text_of(path)
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        hint = looks_like(path, "KorQuAD")
        hint = f". {hint}" if hint else ""
        where = f"{path}, line {error.lineno}, column {error.colno}"
        raise ValueError(f"{where}: not JSON ({error.msg}); expected {expected}{hint}") from None
    except RecursionError:
        where = f"{path}, line {_line(text, _too_deep(text))}"
        raise ValueError(f"{where}: brackets nested more than {_DEEP} deep; expected {expected}") from None
    except ValueError:  # Python's limit on the digits of a number
        digits = sys.get_int_max_str_digits()
        found = re.search(rf"\d{{{digits + 1},}}", text)
        where = f"{path}, line {_line(text, found.start() if found else 0)}"
        raise ValueError(f"{where}: a number with more than {digits} digits; expected {expected}") from None


def _text_of(path: Path) -> str:
    return "\n".join(read_lines(path))


def _line(text: str, place: int) -> int:
    """Number of the line, from 1, that holds character `place`."""
    return text.count("\n", 0, place) + 1


def _start(text: str, steps: tuple[str | int, ...]) -> int:
    """The character at which the value that `steps` lead to starts; of equal keys the last one counts, as in Python."""
    place = _skip(text, 0)
    for step in steps:
        place = _skip(text, place + 1)
        number, wanted = 0, place
        while text[place] not in "]}":
            key: str | int = number
            if isinstance(step, str):
                key, place = _DECODER.raw_decode(text, place)
                place = _skip(text, place)
            if key == step:
                wanted = place
            place = _skip(text, _DECODER.raw_decode(text, place)[1])
            number += 1
        place = wanted
    return place


def _skip(text: str, place: int) -> int:
    """Past white space, commas and colons."""
    found = _BETWEEN.match(text, place)
    return found.end() if found else place


def _too_deep(text: str) -> int:
    """The character at which brackets are nested deeper than `_DEEP`."""
    depth = 0
    for token in _STRING_OR_BRACKET.finditer(text):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(token[0], 0)
        if depth > _DEEP:
            return token.start()
    return 0
