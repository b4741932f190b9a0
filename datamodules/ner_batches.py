"""Batches of tagged sentences: words with a label on the first piece, or characters with a label on every piece."""

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import Any

from datamodules.task_batches import CutTexts, InputFrame, padded
from distilkobert.batching import IGNORE_INDEX, BatchKey
from distilkobert.tasks.alignment import OUTSIDE, AlignedWords, first_piece_labels, piece_tags
from distilkobert.tasks.examples import CharacterExample, TaggedExample, WordExample
from distilkobert.tasks.feature_cache import FeatureTable


class SentenceBatches(CutTexts, ABC):
    """Batches of one part.

    Args:
        table: the sentences of a file.
        rows: those that belong to the part.
        frame: special tokens and length.
        labels: all tags; a tag's place is its label.
    """

    def __init__(self, table: FeatureTable, rows: list[int], frame: InputFrame, labels: list[str]) -> None:
        super().__init__(table.without("id"), rows, frame)
        self._label_of = {label: number for number, label in enumerate(labels)}

    def __getitem__(self, key: BatchKey) -> dict[str, Any]:
        """`input_ids`, `attention_mask`, `token_type_ids`, `labels` (B, T), `examples` and `rows`.

        Labels are -100 where a piece carries none; `rows` are the sentences' numbers in the part.
        """
        sentences = self._table.rows([self._rows[row] for row in key.rows])
        labelled = [self._labelled(sentence) for sentence in sentences]
        return {
            **self._frame.inputs([sentence["ids"] for sentence in sentences]),
            "labels": padded([[IGNORE_INDEX, *labels, IGNORE_INDEX] for labels, _ in labelled], IGNORE_INDEX),
            "examples": [example for _, example in labelled],
            "rows": key.rows,
        }

    @abstractmethod
    def label(self, sentence: dict[str, Any]) -> tuple[list[int], TaggedExample]:
        """Labels of the pieces that the cut leaves, special tokens left out, and the example."""

    def _labelled(self, sentence: dict[str, Any]) -> tuple[list[int], TaggedExample]:
        if len(sentence["tags"]) == len(sentence["units"]):
            return self.label(sentence)
        labels, example = self.label({**sentence, "tags": [OUTSIDE] * len(sentence["units"])})
        return [IGNORE_INDEX] * len(labels), replace(example, tags=())


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
        labels = [self._label_of[tag] for tag in piece_tags(tags, kept)]
        return labels, CharacterExample(characters, tags, kept, len(kept) < len(spans))
