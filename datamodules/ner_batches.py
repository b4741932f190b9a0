"""Batches of tagged sentences: words with a label on the first piece, or characters with a label on every piece."""

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
import numpy.typing as npt

from datamodules.task_batches import InputFrame, padded
from distilkobert.alignment import IGNORED_LABEL, AlignedWords, first_piece_labels, piece_tags
from distilkobert.feature_cache import FeatureTable
from distilkobert.sampling import BatchKey
from distilkobert.task_examples import CharacterExample, TaggedExample, WordExample


class SentenceBatches(ABC):
    """Batches of one part.

    Args:
        table: the sentences of a file.
        rows: those that belong to the part.
        frame: special tokens and length.
        labels: all tags; a tag's place is its label.
    """

    def __init__(self, table: FeatureTable, rows: list[int], frame: InputFrame, labels: list[str]) -> None:
        self._table, self._rows, self._frame = table.without("id"), rows, frame
        self._label_of = {label: number for number, label in enumerate(labels)}
        self._pieces = table.numbers("pieces")[rows]

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Tokens of each sentence after the cut, (N,)."""
        return np.minimum(self._pieces, self._frame.room) + 2

    @property
    def facts(self) -> dict[str, int | float]:
        """`examples`, and `truncated_share`, of them those that were cut."""
        return {
            "examples": len(self._rows),
            "truncated_share": float((self._pieces > self._frame.room).mean()),
        }

    def __getitem__(self, key: BatchKey) -> dict[str, Any]:
        """`input_ids`, `attention_mask`, `token_type_ids`, `labels` (B, T), `examples` and `rows`.

        Labels are -100 where a piece carries none; `rows` are the sentences' numbers in the part.
        """
        sentences = self._table.rows([self._rows[row] for row in key.rows])
        labelled = [self.label(sentence) for sentence in sentences]
        return {
            **self._frame.inputs([sentence["ids"] for sentence in sentences]),
            "labels": padded([[IGNORED_LABEL, *labels, IGNORED_LABEL] for labels, _ in labelled], IGNORED_LABEL),
            "examples": [example for _, example in labelled],
            "rows": key.rows,
        }

    @abstractmethod
    def label(self, sentence: dict[str, Any]) -> tuple[list[int], TaggedExample]:
        """Labels of the pieces that the cut leaves, special tokens left out, and the example."""


class WordBatches(SentenceBatches):
    """Sentences tagged word by word."""

    def label(self, sentence: dict[str, Any]) -> tuple[list[int], TaggedExample]:
        """See the base class."""
        words, tags = tuple(sentence["units"]), tuple(sentence["tags"])
        ids = sentence["ids"][: self._frame.room]
        places = [place for place in sentence["first_pieces"] if place < self._frame.room]
        labels = first_piece_labels(AlignedWords(ids, places, len(words)), [self._label_of[tag] for tag in tags])
        return labels, WordExample(words, tags, tuple(places), len(ids))


class CharacterBatches(SentenceBatches):
    """Sentences tagged character by character."""

    def label(self, sentence: dict[str, Any]) -> tuple[list[int], TaggedExample]:
        """See the base class."""
        characters, tags = tuple(sentence["units"]), tuple(sentence["tags"])
        spans = tuple(zip(sentence["starts"], sentence["ends"], strict=True))
        kept = spans[: self._frame.room]
        labels = [IGNORED_LABEL if tag is None else self._label_of[tag] for tag in piece_tags(tags, kept)]
        return labels, CharacterExample(characters, tags, kept, len(kept) < len(spans))
