"""What an evaluation batch has besides its tensors: enough of each example to turn model outputs into answers.

A tagged sentence reads the tags of its pieces back as tags of its words or characters; a question reads the scores of
its windows back as parts of its context. Neither depends on a model, and both can be pickled.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from distilkobert.korean.particles import ParticleMode, strip_particle
from distilkobert.tasks.questions.reference_decoding import ReferenceContext, reference_answer_text
from distilkobert.tasks.questions.spans import Answer, best_spans, to_answers
from distilkobert.tasks.questions.windows import NO_ANSWER, Window
from distilkobert.tasks.tags.alignment import all_word_tags, character_tags
from distilkobert.tokenizers.inputs import Span

_CERTAIN: Final = 1e4
"""Margin of a question without a single answer to give."""


@dataclass(frozen=True)
class TaggedExample(ABC):
    """A sentence with its true tags.

    Args:
        words: its units: words (Naver NER) or characters (KLUE-NER), U of them.
        tags: the true tag of every unit, also of those that truncation cut off; none where they are not known.
        start: position of the sentence's first piece in the input, after the special tokens.
    """

    words: tuple[str, ...]
    tags: tuple[str, ...]
    start: int = field(default=1, kw_only=True)

    @property
    @abstractmethod
    def kept(self) -> int:
        """Units before the cut; those behind it have no piece in the input."""

    @property
    @abstractmethod
    def places(self) -> list[int]:
        """Positions in the input whose tags are read, rising."""

    @abstractmethod
    def predicted_tags(self, piece_tags: Sequence[str]) -> list[str]:
        """Tags of all U units, lost ones O, from the tags of the T pieces of the input.

        Args:
            piece_tags: one tag for each piece, special tokens included, padding left out.

        Raises:
            ValueError: there are fewer tags than pieces.
        """


@dataclass(frozen=True)
class WordExample(TaggedExample):
    """A sentence tagged word by word; a word's tag is read at its first piece.

    Args:
        first_pieces: for each kept word, the position of its first piece, special tokens not counted.
        pieces: pieces of the input, special tokens not counted.
    """

    first_pieces: tuple[int, ...]
    pieces: int

    @property
    def kept(self) -> int:
        """Words whose first piece is in the input."""
        return len(self.first_pieces)

    @property
    def places(self) -> list[int]:
        """The first pieces of the words."""
        return [self.start + place for place in self.first_pieces]

    def predicted_tags(self, piece_tags: Sequence[str]) -> list[str]:
        """See `TaggedExample`."""
        inside = _inside(piece_tags, self.start, self.pieces)
        return all_word_tags([inside[place] for place in self.first_pieces], len(self.words))


@dataclass(frozen=True)
class CharacterExample(TaggedExample):
    """A sentence tagged character by character; a piece gives its tag to all of its characters.

    Args:
        offsets: for each piece of the input, special tokens left out, its span of characters.
        cut: whether pieces are missing at the end.
    """

    offsets: tuple[Span, ...]
    cut: bool

    @property
    def kept(self) -> int:
        """Characters up to the last piece of a cut sentence; all of a whole one."""
        return max((end for _, end in self.offsets), default=0) if self.cut else len(self.words)

    @property
    def places(self) -> list[int]:
        """The pieces with characters: all but lone word-start marks."""
        return [self.start + place for place, (start, end) in enumerate(self.offsets) if start < end]

    def predicted_tags(self, piece_tags: Sequence[str]) -> list[str]:
        """See `TaggedExample`."""
        inside = _inside(piece_tags, self.start, len(self.offsets))
        return character_tags(inside, self.offsets, len(self.words))


@dataclass(frozen=True)
class QuestionWindows:
    """A question, its windows, and how their scores become answers.

    Args:
        id: the question's id in the file.
        row: its number in the part that is evaluated, from 0.
        context: the text that answers are cut from.
        gold: texts of the true answers, an empty one where there is no answer; none where they are not known.
        rows: which rows of the batch are its windows, in order.
        windows: the windows.
        offsets: for each context piece its span of characters; with `reference_context`, the span of its whole word.
        particles: `strip` if `given` takes a trailing particle off.
        reference_context: the context as the original pipeline reads it, to answer by string search as that does.
        unanswerable: it may have no answer.
        threshold: how much better [CLS] must score than the best answer for none to be given.
    """

    id: str
    row: int
    context: str
    gold: tuple[str, ...]
    rows: range
    windows: tuple[Window, ...]
    offsets: tuple[Span, ...]
    particles: ParticleMode = "none"
    reference_context: ReferenceContext | None = None
    unanswerable: bool = False
    threshold: float = 0.0

    def answer(self, start_scores: Sequence[ArrayLike], end_scores: Sequence[ArrayLike]) -> list[Answer]:
        """The raw answers, best first; empty only where every one of the best spans has no character.

        There are at most 20, of at most 30 pieces each: the defaults of `spans.best_spans` and of the SQuAD scripts.
        With `reference_context` the text is what the original pipeline reads out, and the place that of its words.

        Args:
            start_scores: for each window, T or more scores of its positions (start logits).
            end_scores: the same for answer ends.

        Raises:
            ValueError: see `spans.best_spans`.
        """
        spans = best_spans(self.windows, start_scores, end_scores)
        answers = to_answers(self.context, self.offsets, spans)
        if self.reference_context is None:
            return answers
        texts = [reference_answer_text(self.reference_context, span.first, span.last) for span in spans]
        return [replace(answer, text=text) for answer, text in zip(answers, texts, strict=True)]

    def margin(self, start_scores: Sequence[ArrayLike], end_scores: Sequence[ArrayLike], best: Answer | None) -> float:
        """How much better no answer scores than the best one: the least score of a window's [CLS] minus the answer's.

        As in the SQuAD scripts, of all windows the least counts: the window that contains the answer has the low score.

        Args:
            start_scores: for each window, T or more scores of its positions.
            end_scores: the same for answer ends.
            best: the best answer; None where there is none.
        """
        first, last = NO_ANSWER
        pairs = zip(start_scores, end_scores, strict=True)
        none = min(float(np.asarray(start)[first]) + float(np.asarray(end)[last]) for start, end in pairs)
        return _CERTAIN if best is None else none - best.score

    def given(self, answer: Answer) -> Answer:
        """The answer that is given for a raw one: without its trailing particle where `particles` is `strip`."""
        if self.particles != "strip":
            return answer
        text = strip_particle(answer.text)
        return replace(answer, text=text, end=answer.end - (len(answer.text) - len(text)))


def reference_offsets(context: ReferenceContext) -> tuple[Span, ...]:
    """For each piece of a context read the original's way, the span of characters of its whole word."""
    starts: dict[int, int] = {}
    for place, word in enumerate(context.word_of_character):
        starts.setdefault(word, place)
    return tuple((starts[word], starts[word] + len(context.words[word])) for word in context.piece_words)


def _inside(piece_tags: Sequence[str], start: int, pieces: int) -> Sequence[str]:
    """The tags of the sentence's own pieces."""
    if len(piece_tags) < start + pieces:
        raise ValueError(f"{len(piece_tags)} tags for an input of {pieces} pieces behind {start} special tokens")
    return piece_tags[start : start + pieces]
