"""From a line of text to model inputs and from logits to a printed line, for each of the three tasks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import Tensor
from transformers import PreTrainedModel

from distilkobert.korean.particles import ParticleMode, encode_text
from distilkobert.metrics.entities import lenient_entities
from distilkobert.models.checkpoints import Task
from distilkobert.models.checks import class_names, longest_input
from distilkobert.tasks.alignment import align_words
from distilkobert.tasks.examples import CharacterExample, QuestionWindows, TaggedExample, WordExample, seed_offsets
from distilkobert.tasks.reference_decoding import SeedContext, read_context
from distilkobert.tasks.spans import WindowSettings, build_windows
from distilkobert.tokenizers.inputs import Encoding, Span
from distilkobert.tokenizers.kobert import KoBertTokenizer
from distilkobert.tokenizers.loading import TextEncoder

_LONGEST = 512
"""Most tokens of an input: all positions of KoBERT."""
_SHORTEST = 16
"""Fewest tokens that leave room for a question and a part of its context."""
_TAB = "\t"
_MAX_QUESTION, _STRIDE = 64, 128
"""Settings of the published KorQuAD recipe; smaller where inputs are shorter."""


@dataclass(frozen=True)
class Reader:
    """What encoding and printing need to know of a model.

    Args:
        encoder: its tokenizer.
        labels: names of its classes, by id.
        max_length: longest input in tokens.
        particles: how words are cut, or answers stripped.
        seed_compatible: whether answers are read out in the original's way.
    """

    encoder: TextEncoder
    labels: list[str]
    max_length: int
    particles: ParticleMode
    seed_compatible: bool

    @classmethod
    def of(cls, model: PreTrainedModel, encoder: TextEncoder, max_length: int | None) -> "Reader":
        """Read labels, length and particle mode from the model's configuration.

        Raises:
            ValueError: `max_length` does not fit the model, or the tokenizer is another model's.
        """
        config = model.config
        longest = longest_input(config)
        if max_length is not None and not _SHORTEST <= max_length <= longest:
            raise ValueError(
                f"max_length={max_length}: expected {_SHORTEST} to {longest}, which is what the model takes"
            )
        if encoder.vocab_size != config.vocab_size:
            raise ValueError(
                f"the folder's tokenizer has {encoder.vocab_size} pieces and its model {config.vocab_size}; they do "
                "not belong together, so export the model again"
            )
        return cls(
            encoder,
            class_names(model),
            max_length or min(longest, _LONGEST),
            getattr(config, "particles", "none"),
            getattr(config, "seed_compatible", False),
        )

    def encode(self, text: str) -> Encoding:
        """Ids and character spans of `text`, without special tokens, words cut as in training."""
        return encode_text(text, self.encoder.encode_with_offsets, self.particles)

    def framed(self, ids: Sequence[int]) -> "Row":
        """[CLS] ids [SEP], cut to the longest input."""
        row = [self.encoder.cls_token_id, *ids[: self.max_length - 2], self.encoder.sep_token_id]
        return Row(row, len(row))


@dataclass(frozen=True)
class Row:
    """One model input: its ids, and how many of them belong to the first segment."""

    ids: list[int]
    first_segment: int


@dataclass(frozen=True)
class Prepared:
    """The model inputs of one line, and what turns their logits, one row each, into the line to print."""

    rows: list[Row]
    render: Callable[..., str]


def prepare_classification(text: str, reader: Reader) -> Prepared:
    """A text to its label and the label's probability."""

    def render(logits: Tensor) -> str:
        probability, choice = logits[0].softmax(-1).max(-1)
        return f"{reader.labels[int(choice)]}\t{float(probability):.4f}"

    return Prepared([reader.framed(reader.encode(text)[0])], render)


def prepare_tagging(text: str, reader: Reader) -> Prepared:
    """A text to its entities; words are the units of suffix tags (PER-B), characters those of prefix tags (B-PS)."""
    suffix = any(label.endswith(("-B", "-I")) for label in reader.labels)
    units, ids, example = _words(text, reader) if suffix else _characters(text, reader)
    row = reader.framed(ids)

    def render(logits: Tensor) -> str:
        choices = logits[0].argmax(-1).tolist()[: len(row.ids)]
        tags = example.predicted_tags([reader.labels[choice] for choice in choices])
        found = ((kind, units[first][0], units[end - 1][1]) for kind, first, end in lenient_entities(tags, suffix))
        # A tab inside an entity would start a column of its own.
        shown = (f"{kind}:{start}-{end}:{text[start:end].replace(_TAB, ' ')}" for kind, start, end in found)
        return _TAB.join(shown) or "-"

    return Prepared([row], render)


_Units = tuple[list[tuple[int, int]], list[int], TaggedExample]


def _words(text: str, reader: Reader) -> _Units:
    """Spans of the words, pieces of the sentence, and the example that reads them back."""
    words = text.split()
    spans, end = [], 0
    for word in words:
        start = text.index(word, end)
        end = start + len(word)
        spans.append((start, end))
    pieces = [reader.encode(word)[0] for word in words]
    aligned = align_words(pieces, reader.encoder.unk_token_id, reader.max_length - 2)
    places = tuple(aligned.first_pieces)
    outside = ("O",) * len(words)
    return spans, aligned.input_ids, WordExample(tuple(words), outside, places, len(aligned.input_ids))


def _characters(text: str, reader: Reader) -> _Units:
    ids, offsets = reader.encode(text)
    room = reader.max_length - 2
    example = CharacterExample(tuple(text), ("O",) * len(text), tuple(offsets[:room]), len(ids) > room)
    return [(place, place + 1) for place in range(len(text))], ids, example


def prepare_answering(text: str, reader: Reader) -> Prepared:
    """A question and its context, a tab between them, to the answer, its position and its probability.

    Raises:
        ValueError: the line has no tab or several, or a side of it is empty.
    """
    parts = text.split("\t")
    if len(parts) != 2:
        raise ValueError(f"found {len(parts) - 1} tabs; expected question<TAB>context with one tab")
    question, context = parts
    ids, offsets, seed_context = _context(context, reader)
    max_question = min(_MAX_QUESTION, reader.max_length // 4)
    stride = min(_STRIDE, (reader.max_length - max_question) // 3)
    settings = WindowSettings(reader.max_length, stride, max_question)
    special = (reader.encoder.cls_token_id, reader.encoder.sep_token_id)
    windows = build_windows(reader.encode(question)[0], ids, settings, *special)
    asked = QuestionWindows(
        id="", row=0, context=context, gold=(), rows=range(len(windows)), windows=tuple(windows),
        offsets=tuple(offsets), particles=reader.particles, seed_context=seed_context,
    )  # fmt: skip

    def render(starts: Tensor, ends: Tensor) -> str:
        found = asked.answer(list(starts.numpy()), list(ends.numpy()))
        if not found:
            return "-"
        answer = asked.given(found[0])
        return f"{answer.text}\t{answer.start}-{answer.end}\t{answer.probability:.4f}"

    return Prepared([Row(list(window.input_ids), window.context_start) for window in windows], render)


def _context(text: str, reader: Reader) -> tuple[Sequence[int], Sequence[Span], SeedContext | None]:
    """Ids and character spans of a context, and how the original reads it where the model was trained its way."""
    if not reader.seed_compatible:
        return *reader.encode(text), None
    if not isinstance(reader.encoder, KoBertTokenizer):
        raise ValueError(
            "the model answers in the original's way (seed_compatible), which needs KoBERT's own tokenizer files in "
            "its folder (*.model and vocab.txt); export the model again"
        )
    context = read_context(text, reader.encoder.tokenize)
    return reader.encoder.convert_tokens_to_ids(context.pieces), seed_offsets(context), context


PREPARE: dict[Task, Callable[[str, Reader], Prepared]] = {
    "sequence_classification": prepare_classification,
    "token_classification": prepare_tagging,
    "question_answering": prepare_answering,
}
"""What prepares a line, for each task."""
