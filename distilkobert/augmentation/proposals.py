"""Words that a masked language model proposes for a word of a text.

All pieces of the word are masked, and as many are proposed, from left to right: a beam keeps the most likely
beginnings, each of which the model sees when it proposes the next piece. For a word of one piece these are simply the
model's most likely pieces, as in TinyBERT; where TinyBERT takes the neighbours of a word vector for words of several
pieces, the beam asks the same model, because in Korean most words have several. The text around the word is the
original one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final, NamedTuple

import torch
from torch import Tensor
from transformers import PreTrainedModel

from distilkobert.augmentation.vocabulary import WordPieces
from distilkobert.augmentation.words import Word
from distilkobert.models.heads import encode, masked_lm_logits
from distilkobert.padding import padded
from distilkobert.tokenizers.loading import TextEncoder

_SPARE: Final = 2
"""Times as many words as requested are kept to the end: some are the word itself or are cut in another way."""


class Asked(NamedTuple):
    """A word of a text for which others are asked.

    Args:
        text: the text.
        ids: its pieces.
        word: the word.
    """

    text: str
    ids: Sequence[int]
    word: Word


@dataclass
class _Beam:
    """Beginnings of words for one place, the most likely first, and their log probabilities."""

    before: list[int]
    behind: list[int]
    pieces: int
    starts: bool
    found: list[tuple[float, tuple[int, ...]]]


class Proposer:
    """Asks a masked language model for words.

    Args:
        model: with a masked-LM head, in evaluation mode, on its device.
        encoder: its tokenizer.
        pieces: what may be proposed.
        count: K, most words proposed for one.
        beam: beginnings of a word that are kept from one piece to the next.
        max_pieces: words of more pieces get no proposals.
        max_length: tokens of an input, special tokens included; of longer texts the part around the word is read.
        batch_size: inputs of a forward pass.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        encoder: TextEncoder,
        pieces: WordPieces,
        *,
        count: int,
        beam: int,
        max_pieces: int,
        max_length: int,
        batch_size: int,
    ) -> None:
        assert encoder.mask_token_id is not None
        self._model, self._encoder, self._pieces, self._mask = model, encoder, pieces, encoder.mask_token_id
        self._beam, self._count, self._max_pieces, self._batch_size = beam, count, max_pieces, batch_size
        self._capacity = max_length - encoder.frame.special_count(1)
        self._device = next(model.parameters()).device

    def propose(self, asked: Sequence[Asked]) -> list[list[str]]:
        """Up to K other words for each, the most likely first; none where the word has too many pieces.

        A proposal counts only if the tokenizer cuts it, in its place, into the pieces that were proposed.
        """
        open_beams = {place: self._begin(one) for place, one in enumerate(asked) if self._is_open(one.word)}
        for step in range(self._max_pieces):
            self._extend([beam for beam in open_beams.values() if step < beam.pieces], step)
        return [self._words(one, open_beams[place]) if place in open_beams else [] for place, one in enumerate(asked)]

    def _is_open(self, word: Word) -> bool:
        return word.pieces <= min(self._max_pieces, self._capacity)

    def _begin(self, asked: Asked) -> _Beam:
        ids, word = asked.ids, asked.word
        begin = min(max((word.first + word.stop - self._capacity) // 2, 0), max(len(ids) - self._capacity, 0))
        before, behind = list(ids[begin : word.first]), list(ids[word.stop : begin + self._capacity])
        starts = self._pieces.starts_word(ids[word.first], word.first == word.outer_pieces[0])
        return _Beam(before, behind, word.pieces, starts, [(0.0, ())])

    @torch.inference_mode()
    def _extend(self, beams: Sequence[_Beam], step: int) -> None:
        """Add a piece to every beginning, and keep the best."""
        inputs = [(number, place) for number, beam in enumerate(beams) for place in range(len(beam.found))]
        found: list[list[tuple[float, tuple[int, ...]]]] = [[] for _ in beams]
        inputs.sort(key=lambda one: len(beams[one[0]].before) + len(beams[one[0]].behind) + beams[one[0]].pieces)
        for start in range(0, len(inputs), self._batch_size):
            batch = inputs[start : start + self._batch_size]
            rows = [self._input(beams[number], place, step) for number, place in batch]
            allowed = torch.stack([self._allowed(beams[number], step) for number, _ in batch])
            scores, pieces = self._likeliest([ids for ids, _ in rows], [place for _, place in rows], allowed)
            for (number, place), row, chosen in zip(batch, scores.tolist(), pieces.tolist(), strict=True):
                score, beginning = beams[number].found[place]
                new = zip(row, chosen, strict=True)
                found[number] += [(score + more, (*beginning, one)) for more, one in new if more > -torch.inf]
        for beam, candidates in zip(beams, found, strict=True):
            # Of equal ones the smaller ids, so that the order does not depend on how inputs were batched.
            ordered = sorted(candidates, key=lambda one: (-one[0], one[1]))
            beam.found = ordered[: self._beam if step + 1 < beam.pieces else _SPARE * self._count]

    def _input(self, beam: _Beam, place: int, step: int) -> tuple[list[int], int]:
        """Ids of an input, and the position that is asked about."""
        word = [*beam.found[place][1], *[self._mask] * (beam.pieces - step)]
        frame = self._encoder.frame
        return frame.single([*beam.before, *word, *beam.behind]), len(frame.prefix) + len(beam.before) + step

    def _allowed(self, beam: _Beam, step: int) -> Tensor:
        return self._pieces.continuing if step else self._pieces.first(beam.starts, alone=beam.pieces == 1)

    def _likeliest(self, rows: Sequence[list[int]], places: Sequence[int], allowed: Tensor) -> tuple[Tensor, Tensor]:
        """Log probabilities and ids of the most likely allowed pieces at one position of each input, (B, 2 K) both."""
        ids = padded(rows, self._encoder.pad_token_id).to(self._device)
        mask = padded([[1] * len(row) for row in rows], 0).to(self._device)
        hidden = encode(self._model, ids, mask)[torch.arange(len(rows)), torch.tensor(places)]
        logits = masked_lm_logits(self._model, hidden)[:, : allowed.shape[1]].float()
        scores = logits.log_softmax(-1).masked_fill(~allowed.to(self._device), -torch.inf)
        best = scores.topk(min(_SPARE * self._count, scores.shape[1]))
        return best.values.cpu(), best.indices.cpu()

    def _words(self, asked: Asked, beam: _Beam) -> list[str]:
        text, ids, word = asked
        first, stop = word.outer_pieces
        own = text[word.start : word.end]
        proposed = [(self._pieces.text(pieces), pieces) for _, pieces in beam.found]
        cut = self._encoder.encode_batch([word.replaced(text, other) for other, _ in proposed])
        fits = (
            other
            for (other, pieces), found in zip(proposed, cut, strict=True)
            if other != own and found.tolist() == [*ids[first : word.first], *pieces, *ids[word.stop : stop]]
        )
        return list(islice(dict.fromkeys(fits), self._count))
