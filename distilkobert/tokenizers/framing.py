"""The special tokens that a tokenizer puts around one text and around a pair, and the segment ids of both.

BERT, ALBERT, ELECTRA, DeBERTa and KoBERT frame `[CLS] A [SEP]` and `[CLS] A [SEP] B [SEP]`, RoBERTa and XLM-R
`<s> A </s>` and `<s> A </s></s> B </s>`, XLNet puts all of them at the end. `Frame.of` reads this off the tokenizer, so
that no list of model families is needed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

_PROBES = ("가", "a", "1")
_PROBED_TOKENS = 200


@dataclass(frozen=True)
class Frame:
    """How a tokenizer frames one text, `prefix A suffix`, and a pair, `prefix A middle B suffix`.

    Args:
        prefix: ids before the first text.
        middle: ids between the two texts of a pair.
        suffix: ids after the last text.
        pad: id that fills up shorter inputs.
        single_segments: segment ids of one text: one for each id of `prefix`, one for the whole text, and one for each
            id of `suffix`.
        pair_segments: the same of a pair: `prefix`, first text, `middle`, second text, `suffix`.

    Raises:
        ValueError: there are more or fewer segment ids than parts.
    """

    prefix: tuple[int, ...]
    middle: tuple[int, ...]
    suffix: tuple[int, ...]
    pad: int
    single_segments: tuple[int, ...]
    pair_segments: tuple[int, ...]

    def __post_init__(self) -> None:
        for name, texts in (("single_segments", 1), ("pair_segments", 2)):
            expected = self.special_count(texts) + texts
            if len(getattr(self, name)) != expected:
                raise ValueError(f"{name} has {len(getattr(self, name))} numbers; expected {expected}")

    @classmethod
    def bert(cls, cls_id: int, sep_id: int, pad: int) -> "Frame":
        """`[CLS] A [SEP]` and `[CLS] A [SEP] B [SEP]`; the second text and its [SEP] are segment 1."""
        return cls((cls_id,), (sep_id,), (sep_id,), pad, (0, 0, 0), (0, 0, 0, 1, 1))

    @classmethod
    def of(cls, backend: "Tokenizer", pad: int, name: str) -> "Frame":
        """Read the frame off a tokenizer: it frames two short texts, and what is no piece of theirs is the frame.

        Args:
            backend: the `tokenizers.Tokenizer` of a fast tokenizer, without truncation and padding.
            pad: id of its padding token.
            name: the tokenizer's folder or hub name, for messages.

        Raises:
            ValueError: it frames the texts of a pair in another order, or one text otherwise than a pair's ends.
        """
        text = _probe(backend, name)
        single = _parts(backend.encode(text), 1)
        pair = _parts(backend.encode(text, text), 2)
        ends = [(_ids(parts[0]), _ids(parts[-1])) for parts in (single, pair) if parts is not None]
        if single is None or pair is None or ends[0] != ends[1]:
            raise ValueError(
                f"the tokenizer {name} frames one text or a pair in an unsupported way; expected special tokens A "
                "special tokens, and the same around A special tokens B. Correct post_processor in its tokenizer.json"
            )
        prefix, suffix = ends[0]
        return cls(prefix, _ids(pair[2]), suffix, pad, _segments(single), _segments(pair))

    @property
    def is_empty(self) -> bool:
        """Whether texts stay as they are."""
        return not (self.prefix or self.middle or self.suffix)

    @property
    def special_ids(self) -> frozenset[int]:
        """All ids of the frame, the padding among them."""
        return frozenset({*self.prefix, *self.middle, *self.suffix, self.pad})

    def without_specials(self) -> "Frame":
        """The frame of the same segments that adds nothing to one text or a pair."""
        places = (len(self.prefix), len(self.prefix) + 1 + len(self.middle))
        pair = (self.pair_segments[places[0]], self.pair_segments[places[1]])
        return Frame((), (), (), self.pad, self.single_segments[places[0] : places[0] + 1], pair)

    def special_count(self, texts: int) -> int:
        """Special tokens around one text (`texts` is 1), or around and between two (`texts` is 2).

        Raises:
            ValueError: another number of texts.
        """
        if texts not in (1, 2):
            raise ValueError(f"texts is {texts}; expected 1 or 2")
        return len(self.prefix) + (len(self.middle) if texts == 2 else 0) + len(self.suffix)

    def single(self, ids: Sequence[int]) -> list[int]:
        """Frame the ids of one text."""
        return [*self.prefix, *ids, *self.suffix]

    def pair(self, first: Sequence[int], second: Sequence[int]) -> tuple[list[int], list[int]]:
        """Frame the ids of two texts; returns ids and segment ids, both of the same length."""
        ids = [*self.prefix, *first, *self.middle, *second, *self.suffix]
        return ids, self.segments(len(first), len(second))

    def segments(self, first: int, second: int | None = None) -> list[int]:
        """Segment ids of a framed text of `first` pieces, or of a pair with a second text of `second` pieces."""
        before, after = [1] * len(self.prefix), [1] * len(self.suffix)
        if second is None:
            return _repeated(self.single_segments, [*before, first, *after])
        return _repeated(self.pair_segments, [*before, first, *[1] * len(self.middle), second, *after])

    def second_start(self, first: int) -> int:
        """Position of the second text's first piece, where the first text has `first` pieces."""
        return len(self.prefix) + first + len(self.middle)


_Part = list[tuple[int, int]]
"""Ids and segment ids of neighbouring tokens."""


def _probe(backend: "Tokenizer", name: str) -> str:
    """A text that has at least one piece."""
    for text in chain(_PROBES, _own_tokens(backend)):
        if backend.encode(text, add_special_tokens=False).ids:
            return text
    raise ValueError(f"the tokenizer {name} cannot encode {', '.join(_PROBES)} or its own tokens; it is damaged")


def _own_tokens(backend: "Tokenizer") -> Iterator[str]:
    """Some of the vocabulary, read only where it is needed."""
    yield from islice(backend.get_vocab(with_added_tokens=False), _PROBED_TOKENS)


def _parts(encoding: "Encoding", texts: int) -> list[_Part] | None:
    """Tokens before, in, between and after the texts; None where the texts are not whole and in order."""
    parts: list[_Part] = [[] for _ in range(2 * texts + 1)]
    place = 0
    for number, segment, text in zip(encoding.ids, encoding.type_ids, encoding.sequence_ids, strict=True):
        if text is not None:
            wanted = 2 * text + 1
            if wanted < place:
                return None
            place = wanted
        elif place % 2:
            place += 1
        parts[place].append((number, segment))
    return parts if all(parts[1::2]) else None


def _ids(part: _Part) -> tuple[int, ...]:
    return tuple(number for number, _ in part)


def _segments(parts: list[_Part]) -> tuple[int, ...]:
    """One segment id for each special token, and one for each text."""
    numbers: list[int] = []
    for place, part in enumerate(parts):
        segments = [segment for _, segment in part]
        numbers += segments[:1] if place % 2 else segments
    return tuple(numbers)


def _repeated(values: Sequence[int], counts: Sequence[int]) -> list[int]:
    return [value for value, count in zip(values, counts, strict=True) for _ in range(count)]
