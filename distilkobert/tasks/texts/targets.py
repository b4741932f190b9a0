"""What a table's label column says: one class, any number of labels, or a score; read from cells, checked, numbered."""

import math
import re
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from distilkobert.batching import IGNORE_INDEX
from distilkobert.tasks.files.common import show
from distilkobert.tasks.files.table_rows import Place

_NONE: Final = ("", "none")
_YES, _NO = ("1", "1.0", "true", "yes"), ("0", "0.0", "false", "no")  # pandas writes 1.0 beside an empty cell
_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?")


class Target(ABC):
    """Reads the label of an example.

    Args:
        columns: where it is.
    """

    unknown: Any
    """Placeholder for an unknown label."""
    key: list[Any]
    """What the numbers depend on, in JSON types."""

    def __init__(self, columns: Sequence[str]) -> None:
        self.columns = tuple(columns)

    @abstractmethod
    def read(self, cells: Mapping[str, Any], place: Place) -> Any:
        """The label as a number or a list of numbers.

        Raises:
            ValueError: the cell is empty, or no label of the task; names file and line.
        """


class ClassTarget(Target):
    """One class an example, as its number.

    Args:
        column: where it is.
        names: what the cells say, to the name of the class, in the order of the numbers.
    """

    unknown = IGNORE_INDEX

    def __init__(self, column: str, names: Mapping[Any, str]) -> None:
        super().__init__((column,))
        self._numbers = {written: number for number, written in enumerate(names)}
        self.key = list(names)

    def read(self, cells: Mapping[str, Any], place: Place) -> int:
        """See the base class."""
        written = word(cells[self.columns[0]])
        if not _folded(written):
            raise ValueError(f"{place}: the label in {self.columns[0]!r} is empty; fill it in, or remove the row")
        return number_of_label(written, self._numbers, place)


class LabelsTarget(Target):
    """Any number of labels an example, as 0 or 1 for each of the L labels.

    One column holds them all: a list, or words with a separator between them. Of several columns each says by 0/1 or
    true/false whether the label of its name holds; another word gives the label `column:word`, an empty cell or `none`
    gives none.

    Args:
        columns: where they are.
        labels: their names, in the order of the numbers.
        separator: between labels in one column.
    """

    def __init__(self, columns: Sequence[str], labels: Sequence[str], separator: str) -> None:
        super().__init__(columns)
        self._numbers = {label: number for number, label in enumerate(labels)}
        self._separator = separator
        self.key = [*labels, separator]
        self.unknown = [IGNORE_INDEX] * len(labels)

    def read(self, cells: Mapping[str, Any], place: Place) -> list[int]:
        """See the base class."""
        held = [
            number_of_label(word, self._numbers, place) for word in held_labels(cells, self.columns, self._separator)
        ]
        return [int(number in held) for number in range(len(self._numbers))]


class ScoreTarget(Target):
    """A score.

    Args:
        column: where it is.
        low: least score; None for any.
        high: greatest one; None for any.
    """

    unknown = math.nan

    def __init__(self, column: str, low: float | None, high: float | None) -> None:
        super().__init__((column,))
        self.key = [low, high]
        self._low, self._high = -math.inf if low is None else low, math.inf if high is None else high

    def read(self, cells: Mapping[str, Any], place: Place) -> float:
        """See the base class."""
        written = word(cells[self.columns[0]])
        try:
            score = float(written)
        except ValueError:
            score = math.nan
        if not math.isfinite(score):
            found = f"found {show(written)}" if written.strip() else "empty"
            raise ValueError(f"{place}: the score in {self.columns[0]!r} is not a finite number ({found}); correct it")
        if not self._low <= score <= self._high:
            raise ValueError(
                f"{place}: the score {score:g} in {self.columns[0]!r} is out of range; score_range is {self._low:g} to "
                f"{self._high:g}"
            )
        return score


class NoTarget(Target):
    """Reads no label: that of every example is unknown, whatever the file has.

    Args:
        unknown: what is given for it, as in the task's own target.
    """

    def __init__(self, unknown: Any) -> None:
        super().__init__(())
        self.unknown, self.key = unknown, []

    def read(self, cells: Mapping[str, Any], place: Place) -> Any:
        """See the base class."""
        return self.unknown


def word(cell: Any) -> str:
    """A cell as it would be written in CSV; nothing for one without a value, which pandas and polars store as NaN."""
    if isinstance(cell, bool):
        return str(cell).lower()
    return "" if cell is None or (isinstance(cell, float) and math.isnan(cell)) else str(cell)


def held_labels(cells: Mapping[str, Any], columns: Sequence[str], separator: str) -> list[str]:
    """The labels that a row's cells say; see `LabelsTarget`."""
    if len(columns) == 1:
        cell = cells[columns[0]]
        parts = cell if isinstance(cell, list) else word(cell).split(separator)
        return [part for part in (word(part).strip() for part in parts) if part]
    held = []
    for column in columns:
        written = word(cells[column]).strip()
        if written.lower() in _YES:
            held.append(column)
        elif written.lower() not in (*_NO, *_NONE):
            held.append(f"{column}:{written}")
    return held


def number_of_label(written: str, numbers: Mapping[str, int], place: Place) -> int:
    """The number of a label.

    Raises:
        ValueError: it is none of the task's; names one that differs only in blanks, in invisible characters (such as
            U+200B) or in how its letters are composed.
    """
    if written in numbers:
        return numbers[written]
    alike = next((known for known in numbers if _folded(known) == _folded(written)), None)
    if alike is not None:
        raise ValueError(f"{place}: the label {show(written)} {unlike(written, alike)}; write it the same way")
    raise ValueError(
        f"{place}: unknown label {show(written)}; the labels are {', '.join(numbers)}. Correct the row, or "
        "name all labels with --data.labels=[...]"
    )


def labels_in_order(written: Iterable[tuple[str, Place]]) -> list[str]:
    """The labels that occur, numbers by size and words by their letters, so that row order does not matter.

    Args:
        written: labels, and where each is.

    Raises:
        ValueError: two labels differ only in blanks around them, in invisible characters or in how their letters are
            composed.
    """
    first: dict[str, tuple[str, Place]] = {}
    for label, place in written:
        if not _folded(label):
            continue  # refused where the row is read
        known, where = first.setdefault(_folded(label), (label, place))
        if known != label:
            raise ValueError(
                f"{place}: the label {show(label)} {unlike(label, known)} in {where}; write it the same way"
            )
    labels = [label for label, _ in first.values()]
    if all(_NUMBER.fullmatch(label) for label in labels):
        return sorted(labels, key=lambda label: (Decimal(label), label))
    return sorted(labels)


def unlike(one: str, other: str) -> str:
    """How two texts differ that look alike, in words."""
    if one.strip() == other.strip():
        return f"differs from {other!r} by blanks around it"
    if _visible(one) == _visible(other):
        hidden = sorted({f"U+{ord(mark):04X}" for mark in one + other if unicodedata.category(mark) == "Cf"})
        return f"differs from {_visible(other)!r} by invisible characters ({', '.join(hidden)})"
    return f"looks like {other!r}, but is {code_points(one)} and not {code_points(other)}"


def code_points(text: str) -> str:
    """The first characters of a text as U+XXXX."""
    shown = " ".join(f"U+{ord(character):04X}" for character in text[:6])
    return f"{shown} ..." if len(text) > 6 else shown


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", _visible(text).strip())


def _visible(text: str) -> str:
    return "".join(mark for mark in text if unicodedata.category(mark) != "Cf")
