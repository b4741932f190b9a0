"""Texts of a file that can be read and are probably not meant so: empty ones, and those with odd characters."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, TypeVar

from distilkobert.korean.decomposed import DECOMPOSED, has_jamo

_NUL: Final = "\0"
_NAMED: Final = 3

_NOTES: Final = {
    "empty": "no text in {rows}; the model sees only special tokens. Remove them if this is not intended",
    "nul": "NUL characters (U+0000) in {rows}; the file may be damaged. Check these rows",
    "decomposed": DECOMPOSED,
}
T = TypeVar("T")
NOTES_TABLE: Final = "notes"
"""Name of the table that keeps what was noted of a file, with its features."""


class OddTexts:
    """Counts the odd texts of a file while it is read.

    Args:
        unit: what is numbered, such as `row`; numbers are from 1, without the header.
    """

    def __init__(self, unit: str) -> None:
        self._unit = unit
        self._found: dict[str, list[int]] = {kind: [] for kind in _NOTES}

    def seen(self, rows: Iterable[T], texts_of: Callable[[T], Sequence[str]]) -> Iterator[T]:
        """The rows as they are, each looked at on its way.

        Args:
            rows: of a file, in its order.
            texts_of: the texts of one.
        """
        for number, row in enumerate(rows, start=1):
            self.add(number, *texts_of(row))
            yield row

    def add(self, number: int, *texts: str) -> None:
        """Look at the texts of one row."""
        found = {
            "empty": not all(text.strip() for text in texts),
            "nul": any(_NUL in text for text in texts),
            "decomposed": any(map(has_jamo, texts)),
        }
        for kind, is_odd in found.items():
            if is_odd:
                self._found[kind].append(number)

    def notes(self) -> list[str]:
        """One sentence for each kind that occurs: how many, and the numbers of the first."""
        return [_NOTES[kind].format(rows=self._listed(numbers)) for kind, numbers in self._found.items() if numbers]

    def table(self) -> dict[str, dict[str, list[str]]]:
        """The notes as a table for the features of the file; empty where there is nothing to say."""
        notes = self.notes()
        return {NOTES_TABLE: {"note": notes}} if notes else {}

    def _listed(self, numbers: list[int]) -> str:
        shown = ", ".join(map(str, numbers[:_NAMED])) + (", ..." if len(numbers) > _NAMED else "")
        return f"{len(numbers):,} {self._unit}{'s' if len(numbers) != 1 else ''} (number {shown})"
