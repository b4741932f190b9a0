"""From lines of text to training sequences: which part a line belongs to, how it is framed, cut, dropped or packed.

All of it is a pure function of the texts, the tokenizer and the settings; files and processes are elsewhere
(`store.py`, `preparation/`). A *sequence* is a text in the tokenizer's frame, for example `[CLS] pieces [SEP]`, and
its length counts the special tokens.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from distilkobert.korean.decomposed import has_jamo
from distilkobert.tokenizers.loading import TextEncoder

Ids = npt.NDArray[np.unsignedinteger[Any]]
Part = Literal["train", "validation"]
PARTS: tuple[Part, Part] = ("train", "validation")

_HASH_BYTES = 8


@dataclass(frozen=True)
class CorpusSettings:
    """How text becomes sequences.

    The defaults of `min_tokens` and `max_tokens` are the rules of the DistilBERT reference code
    (huggingface/transformers, `examples/research_projects/distillation/lm_seqs_dataset.py`): sequences of 11 tokens or
    fewer are dropped and those of more than 512 are cut, first and last token counted. There, the first piece of a cut
    sequence is one token shorter than here, because its [CLS] is part of what is cut.

    Args:
        layout: `lines`: every line is a sequence. `packed`: lines are concatenated, each ended by [SEP] (or what ends a
            text for this tokenizer), and every sequence has exactly `max_tokens` tokens (the last one can be shorter).
        min_tokens: Shortest sequence that is kept, including special tokens such as [CLS] and [SEP].
        max_tokens: Longest sequence, including special tokens; longer ones are split into several, each with its own.
        validation_fraction: Share of the lines held out. A hash of the text decides, so lines stay in their part when
            the corpus grows, and repeated lines are never in both parts.

    Raises:
        ValueError: A setting out of its range.
    """

    layout: Literal["lines", "packed"] = "lines"
    min_tokens: int = 12
    max_tokens: int = 512
    validation_fraction: float = 0.005

    def __post_init__(self) -> None:
        if self.min_tokens < 3:
            raise ValueError(f"min_tokens is {self.min_tokens}; expected at least 3: [CLS], one piece, [SEP]")
        if self.max_tokens < self.min_tokens:
            raise ValueError(f"max_tokens is {self.max_tokens}; expected at least min_tokens = {self.min_tokens}")
        if not 0 <= self.validation_fraction < 1:
            raise ValueError(f"validation_fraction is {self.validation_fraction}; expected 0 or more and less than 1")


@dataclass
class LineCounts:
    """What became of the lines.

    Args:
        read: All lines.
        empty: Lines dropped because no piece is in them.
        too_short: Lines dropped because they are shorter than `min_tokens`.
        cut: Lines kept as several sequences.
        ends_dropped: Ends of cut lines, and of packed parts, dropped because they are shorter than `min_tokens`.
        decomposed: Lines with decomposed Hangul (NFD); 0 in shards of versions that did not count them.
    """

    read: int = 0
    empty: int = 0
    too_short: int = 0
    cut: int = 0
    ends_dropped: int = 0
    decomposed: int = 0

    def add(self, other: "LineCounts") -> None:
        """Add the counts of other lines."""
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)

    @property
    def kept(self) -> int:
        """Lines of which at least a part is in the corpus."""
        return self.read - self.empty - self.too_short


@dataclass(frozen=True)
class Rows:
    """Sequences, one after the other.

    Args:
        ids: All tokens, (sum of lengths,).
        lengths: Tokens of each sequence, (N,) int32.
    """

    ids: Ids
    lengths: npt.NDArray[np.int32]


@dataclass
class EncodedLines:
    """What a number of lines gave; `packed` rows are lines ended by [SEP], not yet packed."""

    rows: dict[Part, Rows]
    counts: LineCounts = field(default_factory=LineCounts)


def part_of(text: str, validation_fraction: float) -> Part:
    """The part that a text belongs to, by its hash alone; white space does not count.

    A text held out at one fraction is held out at every larger one.
    """
    if validation_fraction == 0:
        return "train"
    digest = hashlib.blake2b(" ".join(text.split()).encode(), digest_size=_HASH_BYTES).digest()
    return "validation" if int.from_bytes(digest, "big") < validation_fraction * 256**_HASH_BYTES else "train"


def encode_lines(texts: Sequence[str], tokenizer: TextEncoder, settings: CorpusSettings) -> EncodedLines:
    """Encode lines, sort them into parts and frame them (see `CorpusSettings`)."""
    counts = LineCounts(read=len(texts), decomposed=sum(map(has_jamo, texts)))
    pieces: dict[Part, list[Ids]] = {part: [] for part in PARTS}
    frame = tokenizer.frame
    specials = frame.special_count(1)
    body = settings.max_tokens - specials
    for text, ids in zip(texts, tokenizer.encode_batch(texts), strict=True):
        if not len(ids):
            counts.empty += 1
            continue
        chosen = pieces[part_of(text, settings.validation_fraction)]
        if settings.layout == "packed":
            chosen.append(ids)
        elif len(ids) <= body:
            if len(ids) + specials < settings.min_tokens:
                counts.too_short += 1
            else:
                chosen.append(ids)
        else:
            counts.cut += 1
            for start in range(0, len(ids), body):
                if len(ids) - start + specials < settings.min_tokens:
                    counts.ends_dropped += 1
                else:
                    chosen.append(ids[start : start + body])
    before = () if settings.layout == "packed" else frame.prefix
    rows = {part: _framed(pieces[part], before, frame.suffix, tokenizer.id_dtype) for part in PARTS}
    return EncodedLines(rows, counts)


class Packer:
    """Cuts a stream of rows into sequences of one length; rows that do not fit continue in the next sequence.

    Args:
        tokenizer: Gives the frame of every sequence, for example [CLS], its first token, and [SEP], its last.
        settings: `max_tokens` is the length of all sequences, `min_tokens` the least length of the last one.
    """

    def __init__(self, tokenizer: TextEncoder, settings: CorpusSettings) -> None:
        self._settings = settings
        self._prefix, self._suffix = tokenizer.frame.prefix, tokenizer.frame.suffix
        self._specials = tokenizer.frame.special_count(1)
        self._rest: Ids = np.zeros(0, dtype=tokenizer.id_dtype)

    def pack(self, rows: Rows) -> Rows:
        """The sequences that are full after `rows`; the rest waits for the next call."""
        body = self._settings.max_tokens - self._specials
        stream = np.concatenate((self._rest, rows.ids))
        full = len(stream) // body * body
        self._rest = stream[full:].copy()
        pieces = [stream[start : start + body] for start in range(0, full, body)]
        return _framed(pieces, self._prefix, self._suffix, self._rest.dtype)

    def finish(self) -> tuple[Rows, int]:
        """The last sequence, if it is long enough, and else the number of ends dropped (0 or 1)."""
        rest = self._rest[: max(0, len(self._rest) - len(self._suffix))]  # its own last tokens end it
        dropped = 0 < len(rest) < self._settings.min_tokens - self._specials
        pieces = [rest] if len(rest) and not dropped else []
        return _framed(pieces, self._prefix, self._suffix, self._rest.dtype), int(dropped)


def _framed(pieces: Sequence[Ids], before: tuple[int, ...], after: tuple[int, ...], dtype: npt.DTypeLike) -> Rows:
    """Put the ids `before` in front of every piece and `after` behind it."""
    lengths = np.fromiter(map(len, pieces), dtype=np.int64, count=len(pieces)) + len(before) + len(after)
    ends = np.cumsum(lengths)
    ids = np.empty(int(ends[-1]) if pieces else 0, dtype=dtype)
    inside = np.ones(len(ids), dtype=np.bool_)
    for starts, specials in ((ends - lengths, before), (ends - len(after), after)):
        for place, number in enumerate(specials):
            ids[starts + place] = number
            inside[starts + place] = False
    if pieces:
        ids[inside] = np.concatenate(pieces)
    return Rows(ids, lengths.astype(np.int32))
