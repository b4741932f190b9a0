"""Tagging of sentences: words with a label on the first piece, or characters with a label on every piece."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, Final

import numpy as np
from torch import Tensor

from distilkobert.batching import IGNORE_INDEX
from distilkobert.korean.particles import encode_text
from distilkobert.metrics.entities import lenient_entities
from distilkobert.padding import padded
from distilkobert.tasks.codec import Batch, Counts, Record, Row, TextCodec, as_column
from distilkobert.tasks.examples import CharacterExample, TaggedExample, WordExample
from distilkobert.tasks.files.ner import TaggedSentence
from distilkobert.tasks.input_settings import InputSettings
from distilkobert.tasks.score_sums import ratio_sums
from distilkobert.tasks.tags.alignment import OUTSIDE, AlignedWords, align_words, first_piece_labels, piece_tags
from distilkobert.tasks.tags.labels import has_suffix_tags, word_pattern
from distilkobert.tokenizers.fast import FastEncoder
from distilkobert.tokenizers.loading import TextEncoder

_BLOCK: Final = 4096
_TAB: Final = "\t"


class TaggingCodec(TextCodec):
    """Rows: `id`, `units` (words or characters), `tags`, `ids`, `pieces` (their number), and where the units are.

    Words have `first_pieces`, characters the spans of the pieces, `starts` and `ends`.
    """

    def __init__(self, encoder: TextEncoder, settings: InputSettings, labels: Sequence[str] = ()) -> None:
        super().__init__(encoder, settings, labels)
        self._number_of = {label: number for number, label in enumerate(labels)}
        self._word = word_pattern(labels)
        self.spaces = settings.units == "words" and isinstance(encoder, FastEncoder) and encoder.joins_spaces
        """Words behind the first are encoded with the space before them; false where that changes no id."""

    def encode(self, sentences: Iterable[TaggedSentence]) -> Iterator[Row]:
        """Encode whole sentences, so that one table serves every length."""
        rest = iter(sentences)
        while block := list(islice(rest, _BLOCK)):
            pieces = self._words(block) if self.settings.units == "words" else self._characters(block)
            for sentence, row in zip(block, pieces, strict=True):
                yield {**sentence._asdict(), **row, "pieces": len(row["ids"])}

    def split(self, line: str) -> tuple[str, ...]:
        """The line, tabs and all: they are white space in a sentence."""
        return (line,)

    def read(self, texts: Sequence[str]) -> Row:
        """See the base class."""
        units = tuple(self._word.findall(texts[0])) if self.settings.units == "words" else tuple(texts[0])
        return next(self.encode([TaggedSentence("", units, ())]))

    def batch(self, rows: Sequence[Row], numbers: Sequence[int]) -> Batch:
        """`input_ids`, `attention_mask`, `token_type_ids`, `labels` (B, T), `examples`, and `rows`, the numbers.

        Labels are -100 where a piece carries none, and everywhere where the tags are not known.
        """
        labelled = [self._labelled(row) for row in rows]
        before, after = [IGNORE_INDEX] * len(self.frame.prefix), [IGNORE_INDEX] * len(self.frame.suffix)
        return {
            **self.inputs(rows),
            "labels": padded([[*before, *labels, *after] for labels, _ in labelled], IGNORE_INDEX),
            "examples": [example for _, example in labelled],
            "rows": list(numbers),
        }

    @staticmethod
    def records(batch: Mapping[str, Any], logits: Sequence[Tensor], labels: Sequence[str]) -> list[Record]:
        """Number, words or characters, true and predicted tags, and the mean probability of the predicted tags.

        `probability` is a mean over the pieces whose tags are read, and 1 where there is none.
        """
        probabilities, choices = logits[0].float().softmax(-1).max(-1)
        lengths = batch["attention_mask"].sum(-1).tolist()
        examples: list[TaggedExample] = batch["examples"]
        return [
            {
                "row": batch["rows"][number],
                "units": list(example.words),
                "gold": list(example.tags),
                "predicted": example.predicted_tags([labels[choice] for choice in choices[number, :length].tolist()]),
                "probability": float(probabilities[number, places].mean()) if (places := example.places) else 1.0,
            }
            for number, (example, length) in enumerate(zip(examples, lengths, strict=True))
        ]

    def line(self, record: Record, text: str) -> str:
        """TYPE:START-END:TEXT of each entity, or a dash."""
        spans = [word.span() for word in self._word.finditer(text)]
        if self.settings.units == "characters":
            spans = [(place, place + 1) for place in range(len(text))]
        found = lenient_entities(record["predicted"], has_suffix_tags(self.labels))
        placed = ((kind, spans[first][0], spans[end - 1][1]) for kind, first, end in found)
        shown = (f"{kind}:{start}-{end}:{as_column(text[start:end])}" for kind, start, end in placed)
        return _TAB.join(shown) or "-"

    @staticmethod
    def counts(records: Sequence[Mapping[str, Any]]) -> Counts:
        """Of F1 over entities, 2 * right / (predicted + annotated), each summed over sentences before dividing."""
        suffix = _tags_have_suffixes(records)
        doubled, both = np.zeros(len(records)), np.zeros(len(records))
        for number, record in enumerate(records):
            if len(record["gold"]) != len(record["predicted"]):
                raise ValueError(f"{len(record['predicted'])} predicted tags for {len(record['gold'])} true ones")
            guessed = set(lenient_entities(record["predicted"], suffix))
            annotated = set(lenient_entities(record["gold"], suffix))
            doubled[number] = 2 * len(guessed & annotated)
            both[number] = len(guessed) + len(annotated)
        return {"F1": ratio_sums(doubled, both)}

    def _words(self, block: Sequence[TaggedSentence]) -> list[Row]:
        space = " " if self.spaces else ""
        words = [f"{space if place else ''}{word}" for item in block for place, word in enumerate(item.units)]
        encoded = iter([row.tolist() for row in self.encoder.encode_batch(words)])
        aligned = [align_words(list(islice(encoded, len(item.units))), self.encoder.unk_token_id) for item in block]
        return [{"ids": sentence.input_ids, "first_pieces": sentence.first_pieces} for sentence in aligned]

    def _characters(self, block: Sequence[TaggedSentence]) -> list[Row]:
        texts = ("".join(sentence.units) for sentence in block)
        encoded = [encode_text(text, self.encoder.encode_with_offsets, self.settings.particles) for text in texts]
        return [
            {"ids": ids, "starts": [start for start, _ in spans], "ends": [end for _, end in spans]}
            for ids, spans in encoded
        ]

    def _labelled(self, row: Row) -> tuple[list[int], TaggedExample]:
        """Labels of the pieces that the cut leaves, special tokens left out, and the example."""
        units, tags = tuple(row["units"]), tuple(row["tags"])
        start, limit = len(self.frame.prefix), self.most_pieces
        pieces = min(len(row["ids"]), limit)
        known, labels = len(tags) == len(units), [IGNORE_INDEX] * pieces
        example: TaggedExample
        if self.settings.units == "words":
            places = [place for place in row["first_pieces"] if place < limit]
            example = WordExample(units, tags, tuple(places), pieces, start=start)
            if known:
                aligned = AlignedWords(row["ids"][:limit], places, len(units))
                labels = first_piece_labels(aligned, [self._number_of[tag] for tag in tags])
        else:
            spans = tuple(zip(row["starts"], row["ends"], strict=True))[:limit]
            example = CharacterExample(units, tags, spans, pieces < len(row["ids"]), start=start)
            if known:
                labels = [self._number_of[tag] for tag in piece_tags(tags, spans)]
        return labels, example if known else replace(example, tags=())


def _tags_have_suffixes(records: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the true tags are written PER-B (Naver) and not B-PS (KLUE).

    Raises:
        ValueError: they are written neither way, or both ways.
    """
    tags = {tag for record in records for tag in record["gold"]} - {OUTSIDE}
    prefixed = all(tag[:2] in ("B-", "I-") for tag in tags)
    suffixed = all(tag[-2:] in ("-B", "-I") for tag in tags)
    if prefixed == suffixed and tags:
        raise ValueError(
            f"expected tags that all look like B-PS, or all like PS-B; found {', '.join(sorted(tags)[:5])}"
        )
    return suffixed and bool(tags)
