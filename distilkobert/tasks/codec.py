"""From texts to batches, and from a network's outputs to answers: the same code in training and in `predict`.

The way of an example: `encode` turns what a file reader gives into rows, which data modules keep in tables; `batch`
cuts, frames and pads rows; `records` reads the network's outputs; `line` prints a record. `kinds.py` names the codec of
each task kind.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

from torch import Tensor

from distilkobert.padding import padded_inputs
from distilkobert.tasks.input_settings import InputSettings
from distilkobert.tasks.score_sums import ScoreSums
from distilkobert.tokenizers.inputs import Encoding, InputShape, build_inputs
from distilkobert.tokenizers.loading import TextEncoder

Row: TypeAlias = dict[str, Any]
Batch: TypeAlias = dict[str, Any]
Record: TypeAlias = dict[str, Any]
Counts: TypeAlias = dict[str, ScoreSums]
"""Scores of N examples, by their titles."""

_SPACE: Final = re.compile(r"\s")


def as_column(text: str) -> str:
    """A text as a column of a printed line: a space for each tab, line end or other white space, so as long as it."""
    return _SPACE.sub(" ", text)


class Codec(ABC):
    """What differs from one task kind to another on the way of an example.

    Args:
        encoder: the tokenizer.
        settings: lengths, and how words are cut.
        labels: names of the head's classes, in the order of their ids; none where they have no names.
    """

    def __init__(self, encoder: TextEncoder, settings: InputSettings, labels: Sequence[str] = ()) -> None:
        self.encoder, self.settings, self.labels = encoder, settings, list(labels)
        self.frame = encoder.frame

    @property
    @abstractmethod
    def fields(self) -> tuple[str, ...]:
        """Names of the texts of an example, one or two."""

    @abstractmethod
    def read(self, texts: Sequence[str]) -> Row:
        """Encode an example of `predict`.

        Args:
            texts: one for each of `fields`.

        Raises:
            ValueError: a text is not what the task needs.
        """

    def is_cut(self, row: Row) -> bool:
        """Whether a text of the example is longer than an input, so that its end is not read; windows read all."""
        return False

    @property
    def line_form(self) -> str:
        """What a line of `predict` holds, in words."""
        return "<TAB>".join(self.fields) if len(self.fields) > 1 else f"a {self.fields[0]}"

    def split(self, line: str) -> tuple[str, ...]:
        """The texts of a line, which has a tab between two.

        Raises:
            ValueError: it has more or fewer tabs than the task needs.
        """
        parts, expected = line.split("\t"), len(self.fields)
        if len(parts) != expected:
            found = f"{len(parts) - 1} tab{'s' if len(parts) != 2 else ''}"
            wanted = f"{self.line_form} with one tab" if expected > 1 else f"{self.line_form} without a tab"
            raise ValueError(f"found {found}; expected {wanted}")
        return tuple(parts)

    @abstractmethod
    def batch(self, rows: Sequence[Row], numbers: Sequence[int]) -> Batch:
        """Inputs (B, T) of whole examples, their labels, and what `records` needs.

        Args:
            rows: the examples.
            numbers: what each is called in its record.
        """

    @staticmethod
    @abstractmethod
    def records(batch: Mapping[str, Any], logits: Sequence[Tensor], labels: Sequence[str]) -> list[Record]:
        """One record in plain types for each example of a batch.

        Args:
            batch: what `batch` made.
            logits: the head's outputs, each (B, ...).
            labels: names of the classes.
        """

    @abstractmethod
    def line(self, record: Record, text: str) -> str:
        """A record as it is printed, columns between tabs; `text` is the line that was read."""

    @staticmethod
    @abstractmethod
    def counts(records: Sequence[Mapping[str, Any]]) -> Counts:
        """What each record adds to the scores.

        Raises:
            ValueError: a record is not one of this task.
            KeyError: likewise.
        """


class TextCodec(Codec):
    """Examples of one input each: a text or a pair, cut to the length.

    Raises:
        ValueError: `max_length` leaves no place for a piece.
    """

    def __init__(self, encoder: TextEncoder, settings: InputSettings, labels: Sequence[str] = ()) -> None:
        super().__init__(encoder, settings, labels)
        self.special_count = self.frame.special_count(2 if settings.pair else 1)
        least = self.special_count + (2 if settings.pair else 1)
        if settings.max_length < least:
            parts = "one piece of each text" if settings.pair else "one piece"
            raise ValueError(
                f"max_length is {settings.max_length}; expected at least {least}: {self.special_count} special tokens "
                f"and {parts}"
            )

    @property
    def fields(self) -> tuple[str, ...]:
        """A text, or two."""
        return ("text", "text_pair") if self.settings.pair else ("text",)

    @property
    def most_pieces(self) -> int:
        """Pieces that an input holds, special tokens not counted."""
        return self.settings.max_length - self.special_count

    def is_cut(self, row: Row) -> bool:
        """See the base class."""
        return len(row["ids"]) + len(row.get("pair_ids", ())) > self.most_pieces

    def inputs(self, rows: Sequence[Row]) -> Batch:
        """`input_ids`, `attention_mask` and `token_type_ids` (B, T) of the texts in `ids` and, of pairs, `pair_ids`.

        Of a pair the longer text is cut first.
        """
        shape = InputShape(self.settings.max_length, "longest_first", padding=False, add_special_tokens=True)
        firsts: list[Encoding] = [(row["ids"], []) for row in rows]
        seconds: list[Encoding] | None = [(row["pair_ids"], []) for row in rows] if self.settings.pair else None
        framed = build_inputs(firsts, seconds, shape, self.frame)
        return dict(padded_inputs(framed["input_ids"], framed["token_type_ids"], self.frame.pad))
