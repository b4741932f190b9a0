"""Text to pieces, ids and character spans: SentencePiece with the normalisation and the comma rule of the original.

The original (monologg/KoBERT-Transformers, `tokenization_kobert.py`) cuts a piece that ends in a digit and a comma
again: the part before the comma is encoded anew, and the comma is a piece of its own. KoBERT's vocabulary has no such
piece, so the rule never acts there; it is kept for vocabularies where it does.
"""

from collections.abc import Iterable, Sequence
from itertools import chain, pairwise

import numpy as np
import sentencepiece

from distilkobert.tokenizers.inputs import Encoding, Span
from distilkobert.tokenizers.kobert.normalization import PLAIN_PROBE, is_plain, normalize_text, normalize_with_origins
from distilkobert.tokenizers.kobert.vocabulary import SPECIAL_PATTERN, WORD_START, IdArray, Vocabulary


class Segmenter:
    """Encodes text, in which special tokens have no meaning unless asked.

    Args:
        model: The SentencePiece model.
        vocabulary: Its vocabulary, already matched.
    """

    def __init__(self, model: sentencepiece.SentencePieceProcessor, vocabulary: Vocabulary) -> None:
        self._model = model
        self._vocabulary = vocabulary
        # A model with rules of its own (another normaliser, spaces kept) may fail; then every text is normalised here.
        self._trusts_plain_text = model.Normalize(PLAIN_PROBE) == model.Normalize(normalize_text(PLAIN_PROBE))
        self._cut_again = np.zeros(len(vocabulary.id_table), dtype=np.bool_)
        for number in range(len(vocabulary.id_table)):
            self._cut_again[number] = _ends_in_digit_comma(model.id_to_piece(number))
        # A run of unknown characters is one piece, and may end so where the comma itself is unknown.
        self._cut_again[model.unk_id()] = "," not in vocabulary.piece_ids
        self._vanishing: dict[str, bool] = {}
        self._may_cut_again = bool(self._cut_again.any())

    def pieces(self, text: str) -> list[str]:
        """The pieces of `text`, step by step; a run of unknown characters is one piece, in its normalised spelling."""
        return [part for piece in self._model.encode(normalize_text(text), out_type=str) for part in self._parts(piece)]

    def encode_batch(self, texts: Sequence[str], allow_special_tokens: bool) -> list[IdArray]:
        """The ids of `pieces` for every text, by one SentencePiece call and one table look-up.

        Raises:
            ValueError: `texts` is a string, or an element is not a string or holds half of a surrogate pair.
        """
        if isinstance(texts, str):
            raise ValueError(f"expected a list of texts, found the string {texts[:40]!r}; put it into a list")
        for row, text in enumerate(texts):
            if not isinstance(text, str):
                raise ValueError(f"text {row} is {text!r} of type {type(text).__name__}; expected a string")
        table = self._vocabulary.id_table
        trusts = self._trusts_plain_text
        prepared = [text if trusts and is_plain(text) else normalize_text(text) for text in texts]
        rows = self._model.encode(prepared, out_type=int, num_threads=1)
        ends = np.cumsum(np.fromiter(map(len, rows), dtype=np.int64, count=len(rows)))
        numbers = np.fromiter(chain.from_iterable(rows), dtype=np.int32, count=int(ends[-1]) if rows else 0)
        ids = table[numbers]
        encoded: list[IdArray] = [ids[start:end] for start, end in pairwise(chain((0,), ends.tolist()))]
        if self._may_cut_again:
            flagged = np.flatnonzero(self._cut_again[numbers])
            for row in np.unique(np.searchsorted(ends, flagged, side="right")).tolist():
                encoded[row] = self._as_ids(self._id(piece) for piece in self.pieces(texts[row]))
        if allow_special_tokens:
            for row, text in enumerate(texts):
                if SPECIAL_PATTERN.search(text):
                    encoded[row] = self._as_ids(self.encode_around_specials(text)[0])
        return encoded

    def encode_with_spans(self, text: str) -> Encoding:
        """The same ids, and for each the span of `text` that its characters come from, word-start mark left out."""
        if self._trusts_plain_text and is_plain(text):
            normalized, origins = text, [(place, place + 1) for place in range(len(text))]
        else:
            normalized, origins = normalize_with_origins(text)
        final, starts = self._model.Normalize(normalized, with_offsets=True)
        sources = self._sources(normalized, starts)
        ids: list[int] = []
        spans: list[Span] = []
        cursor = 0
        for piece in self._model.encode(normalized, out_type=str):
            first, cursor = cursor, cursor + len(piece)
            for part in self._parts(piece):
                last = min(first + len(part), cursor)
                ids.append(self._id(part))
                spans.append(_span(final, sources, origins, first, last))
                first = last
        return ids, spans

    def encode_around_specials(self, text: str) -> Encoding:
        """As `encode_with_spans`, but special tokens written in `text` have their own ids and span their letters."""
        ids: list[int] = []
        spans: list[Span] = []
        start = 0
        for position, part in enumerate(SPECIAL_PATTERN.split(text)):
            if position % 2:
                ids += self._vocabulary.ids_of([part])
                spans.append((start, start + len(part)))
            else:
                part_ids, part_spans = self.encode_with_spans(part)
                ids += part_ids
                spans += [(start + first, start + last) for first, last in part_spans]
            start += len(part)
        return ids, spans

    def _parts(self, piece: str) -> list[str]:
        """A piece as the original hands it on: whole, or cut before its last comma."""
        if not _ends_in_digit_comma(piece):
            return [piece]
        parts: list[str] = self._model.encode(piece[:-1].replace(WORD_START, ""), out_type=str)
        if not piece.startswith(WORD_START) and parts[0].startswith(WORD_START):
            # Encoding anew has put a word start where the piece had none.
            parts = [part for part in (parts[0][1:], *parts[1:]) if part]
        return [*parts, piece[-1]]

    def _id(self, piece: str) -> int:
        return self._vocabulary.piece_ids.get(piece, self._vocabulary.special_ids[0])

    def _as_ids(self, ids: Iterable[int]) -> IdArray:
        numbers = list(ids)
        small = self._vocabulary.id_table.dtype == np.uint16
        return np.array(numbers, dtype=np.uint16) if small else np.array(numbers, dtype=np.uint32)

    def _sources(self, text: str, starts: Sequence[int]) -> list[Span]:
        """Span in `text` of every character of its final form, without characters that the model's normaliser removes.

        `starts` holds where each final character begins in `text`, and at its end the length of `text`. Characters with
        the same start come from the same place.
        """
        spans: list[Span] = []
        end = following = starts[-1]
        for start in reversed(starts[:-1]):
            if start < following:
                end = following
            first, last = start, end
            while last - first > 1 and self._vanishes(text[last - 1]):
                last -= 1
            while last - first > 1 and self._vanishes(text[first]):
                first += 1
            spans.append((first, last))
            following = start
        return spans[::-1]

    def _vanishes(self, character: str) -> bool:
        if character not in self._vanishing:
            self._vanishing[character] = not self._model.Normalize(character)
        return self._vanishing[character]


def _ends_in_digit_comma(piece: str) -> bool:
    return len(piece) > 1 and piece[-1] == "," and piece[-2].isdigit()


def _span(final: str, sources: list[Span], origins: list[Span], first: int, last: int) -> Span:
    """Span in the original text of the characters `first` to `last` of the final text, without a leading mark."""
    if first < last and final[first] == WORD_START:
        first += 1
    if first < last:
        return origins[sources[first][0]][0], origins[sources[last - 1][1] - 1][1]
    # A lone word-start mark has no characters of its own: an empty span where the next piece begins.
    position = origins[sources[first][0]][0] if first < len(sources) else origins[-1][1]
    return position, position
