"""Batches of questions: windows to train on, or whole questions to answer."""

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
import numpy.typing as npt

from distilkobert.batching import BatchKey
from distilkobert.tasks.codec import Row
from distilkobert.tasks.feature_cache import FeatureTable
from distilkobert.tasks.questions.answering import AnsweringCodec
from distilkobert.tasks.questions.windows import window_sizes


class QuestionBatches(ABC):
    """What both kinds share: the questions of a part, and the sizes of their windows.

    Args:
        tables: `contexts` and `questions` of a file.
        rows: the questions of the part.
        codec: makes the batches.
    """

    def __init__(self, tables: dict[str, FeatureTable], rows: list[int], codec: AnsweringCodec) -> None:
        self._contexts, self._questions, self._rows, self._codec = tables["contexts"], tables["questions"], rows, codec
        self._asked = self._questions.numbers("pieces")[rows]
        impossible = self._questions.numbers("impossible")[rows] > 0
        self._labelled = (self._questions.numbers("first")[rows] >= 0) | impossible
        pieces = self._questions.numbers("context_pieces")[rows]
        self._sizes = window_sizes(self._asked, pieces, codec.windows)

    @property
    @abstractmethod
    def lengths(self) -> npt.NDArray[np.int64]:
        """Tokens that each item takes in a batch, (N,)."""

    @property
    def fingerprint(self) -> str:
        """Names the questions and contexts, as the data module's state keeps it."""
        return self._questions.fingerprint(self._rows)

    @property
    def facts(self) -> dict[str, int | float]:
        """Questions, windows, questions that were cut, and questions whose answer no piece holds."""
        return {
            "examples": len(self._rows),
            "windows": int(self._sizes.counts.sum()),
            "questions_cut": int((self._asked > self._codec.windows.max_question).sum()),
            "answers_without_piece": int((~self._labelled).sum()),
        }

    @abstractmethod
    def __getitem__(self, key: BatchKey) -> dict[str, Any]:
        """Build the batch that `key` names."""

    def read(self, numbers: list[int]) -> list[Row]:
        """The part's questions with these numbers, each with its context."""
        asked = self._questions.rows([self._rows[number] for number in numbers])
        contexts = self._contexts.rows([question["context"] for question in asked])
        return [{**question, "context": context} for question, context in zip(asked, contexts, strict=True)]


class WindowBatches(QuestionBatches):
    """Windows of all questions, to train on; those without the answer are labelled with their [CLS]."""

    def __init__(self, tables: dict[str, FeatureTable], rows: list[int], codec: AnsweringCodec) -> None:
        super().__init__(tables, rows, codec)
        self._first_item = np.cumsum(self._sizes.counts) - self._sizes.counts

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Tokens of each window, (N,)."""
        lengths: npt.NDArray[np.int64] = np.repeat(self._sizes.longest, self._sizes.counts)
        lengths[self._first_item + self._sizes.counts - 1] = self._sizes.last
        return lengths

    def __getitem__(self, key: BatchKey) -> dict[str, Any]:
        """Inputs and labels of the windows `key.rows`."""
        numbers = np.searchsorted(self._first_item, key.rows, side="right") - 1
        places = np.array(key.rows) - self._first_item[numbers]
        questions = self.read(numbers.tolist())
        chosen = zip(questions, places.tolist(), strict=True)
        return self._codec.window_batch([(row, self._codec.build(row)[place]) for row, place in chosen])


class AnswerBatches(QuestionBatches):
    """Whole questions, to answer: all windows of a question are in one batch."""

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Tokens of all windows of each question, each as long as its longest, (N,)."""
        lengths: npt.NDArray[np.int64] = self._sizes.counts * self._sizes.longest
        return lengths

    def __getitem__(self, key: BatchKey) -> dict[str, Any]:
        """Inputs and labels of all windows of the questions `key.rows`, and `questions`, one object a question."""
        return self._codec.batch(self.read(key.rows), key.rows)
