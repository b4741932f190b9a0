"""Batches of questions: windows to train on, or whole questions to answer."""

from abc import ABC, abstractmethod
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from datamodules.task_batches import padded_inputs
from distilkobert.batching import BatchKey
from distilkobert.korean.particles import ParticleMode
from distilkobert.tasks.examples import QuestionWindows, seed_offsets
from distilkobert.tasks.feature_cache import FeatureTable
from distilkobert.tasks.reference_decoding import SeedContext, read_context
from distilkobert.tasks.spans import Window, WindowSettings, build_windows, window_label
from distilkobert.tokenizers.kobert import KoBertTokenizer
from distilkobert.tokenizers.loading import TextEncoder

_SEED_CONTEXTS_KEPT = 64
"""A paragraph has about six questions, which are often in batches close to each other."""


class QuestionBatches(ABC):
    """What both kinds share: the questions of a part, and their windows.

    Args:
        tables: `contexts` and `questions` of a file.
        rows: the questions of the part.
        settings: size of the windows.
        encoder: gives the ids of the special tokens.
    """

    def __init__(
        self, tables: dict[str, FeatureTable], rows: list[int], settings: WindowSettings, encoder: TextEncoder
    ) -> None:
        self._contexts, self._questions, self._rows = tables["contexts"], tables["questions"], rows
        self._settings, self._encoder = settings, encoder
        questions = self._questions
        self._asked = questions.numbers("pieces")[rows]
        self._labelled = questions.numbers("first")[rows] >= 0
        opening = np.minimum(self._asked, settings.max_question) + 2  # [CLS] and the first [SEP]
        pieces = questions.numbers("context_pieces")[rows]
        room = settings.max_length - opening - 1
        self._windows = 1 + np.maximum(0, -(-(pieces - room) // settings.stride))
        self._longest = opening + np.minimum(pieces, room) + 1
        self._last = opening + pieces - (self._windows - 1) * settings.stride + 1

    @property
    @abstractmethod
    def lengths(self) -> npt.NDArray[np.int64]:
        """Tokens that each item takes in a batch, (N,)."""

    @property
    def facts(self) -> dict[str, int | float]:
        """Questions, windows, questions that were cut, and questions whose answer no piece holds."""
        return {
            "examples": len(self._rows),
            "windows": int(self._windows.sum()),
            "questions_cut": int((self._asked > self._settings.max_question).sum()),
            "answers_without_piece": int((~self._labelled).sum()),
        }

    @abstractmethod
    def __getitem__(self, key: BatchKey) -> dict[str, Any]:
        """Build the batch that `key` names."""

    def _read(self, questions: list[int]) -> list[tuple[dict[str, Any], dict[str, Any], list[Window]]]:
        """Question, context and windows of the part's questions with these numbers."""
        asked = self._questions.rows([self._rows[number] for number in questions])
        contexts = self._contexts.rows([question["context"] for question in asked])
        frame = (self._encoder.cls_token_id, self._encoder.sep_token_id)
        return [
            (question, context, build_windows(question["ids"], context["ids"], self._settings, *frame))
            for question, context in zip(asked, contexts, strict=True)
        ]

    def _batch(self, labelled: list[tuple[Window, dict[str, Any]]]) -> dict[str, Any]:
        """`input_ids`, `attention_mask`, `token_type_ids` (B, T), `start_positions` and `end_positions` (B,)."""
        windows = [window for window, _ in labelled]
        labels = [window_label(window, _pieces(question)) for window, question in labelled]
        ids, segments = [window.input_ids for window in windows], [window.segment_ids for window in windows]
        starts, ends = zip(*labels, strict=True)
        return {
            **padded_inputs(ids, segments, self._encoder.pad_token_id),
            "start_positions": torch.tensor(starts),
            "end_positions": torch.tensor(ends),
        }


class WindowBatches(QuestionBatches):
    """Windows of all questions, to train on; those without the answer are labelled with their [CLS]."""

    def __init__(
        self, tables: dict[str, FeatureTable], rows: list[int], settings: WindowSettings, encoder: TextEncoder
    ) -> None:
        super().__init__(tables, rows, settings, encoder)
        self._first_item = np.cumsum(self._windows) - self._windows

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Tokens of each window, (N,)."""
        lengths: npt.NDArray[np.int64] = np.repeat(self._longest, self._windows)
        lengths[self._first_item + self._windows - 1] = self._last
        return lengths

    def __getitem__(self, key: BatchKey) -> dict[str, Any]:
        """Inputs and labels of the windows `key.rows`."""
        numbers = np.searchsorted(self._first_item, key.rows, side="right") - 1
        places = np.array(key.rows) - self._first_item[numbers]
        read = self._read(numbers.tolist())
        return self._batch(
            [(windows[place], question) for (question, _, windows), place in zip(read, places.tolist(), strict=True)]
        )


class AnswerBatches(QuestionBatches):
    """Whole questions, to answer: all windows of a question stand in one batch.

    Args:
        tables: see the base class.
        rows: see the base class.
        settings: see the base class.
        encoder: see the base class; the tokenizer that contexts are read with again in the original's way.
        particles: `strip` where answers lose a trailing particle.
        seed_compatible: answer in the original's way.
    """

    def __init__(
        self,
        tables: dict[str, FeatureTable],
        rows: list[int],
        settings: WindowSettings,
        encoder: TextEncoder,
        particles: ParticleMode,
        seed_compatible: bool,
    ) -> None:
        super().__init__(tables, rows, settings, encoder)
        self._particles, self._seed_compatible = particles, seed_compatible

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Tokens of all windows of each question, each as long as its longest, (N,)."""
        lengths: npt.NDArray[np.int64] = self._windows * self._longest
        return lengths

    def __getitem__(self, key: BatchKey) -> dict[str, Any]:
        """Inputs and labels of all windows of the questions `key.rows`, and `questions`, one object a question."""
        labelled: list[tuple[Window, dict[str, Any]]] = []
        questions: list[QuestionWindows] = []
        for number, (question, context, windows) in zip(key.rows, self._read(key.rows), strict=True):
            offsets = tuple(zip(context["starts"], context["ends"], strict=True))
            seed_context = self._seed_context(context["text"]) if self._seed_compatible else None
            questions.append(
                QuestionWindows(
                    id=question["id"],
                    row=number,
                    context=context["text"],
                    gold=tuple(text for text in question["gold"] if text),  # none where the answer is not known
                    rows=range(len(labelled), len(labelled) + len(windows)),
                    windows=tuple(windows),
                    offsets=offsets if seed_context is None else seed_offsets(seed_context),
                    particles=self._particles,
                    seed_context=seed_context,
                )
            )
            labelled += [(window, question) for window in windows]
        return {**self._batch(labelled), "questions": questions}

    def _seed_context(self, text: str) -> SeedContext:
        if not isinstance(self._encoder, KoBertTokenizer):
            raise TypeError("contexts are read in the original's way with KoBertTokenizer only")
        return _read_seed_context(text, self._encoder)


@lru_cache(maxsize=_SEED_CONTEXTS_KEPT)
def _read_seed_context(text: str, tokenizer: KoBertTokenizer) -> SeedContext:
    return read_context(text, tokenizer.tokenize)


def _pieces(question: dict[str, Any]) -> tuple[int, int] | None:
    return None if question["first"] < 0 else (question["first"], question["last"])
