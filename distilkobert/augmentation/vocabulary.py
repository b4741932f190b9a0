"""Which pieces of a vocabulary may start a proposed word, and which may continue one."""

from collections.abc import Sequence

import torch
from torch import Tensor

from distilkobert.augmentation.words import is_letters
from distilkobert.tokenizers.loading import TextEncoder
from distilkobert.tokenizers.pieces import PieceSpelling


class WordPieces:
    """The pieces that proposals are made of: letters and digits alone, none that is a part of a character.

    Args:
        encoder: the tokenizer.
        name: its folder or hub name, for messages.

    Raises:
        ValueError: the tokenizer marks neither the start nor the continuation of words.
    """

    def __init__(self, encoder: TextEncoder, name: str) -> None:
        spelling = PieceSpelling(encoder.to_transformers(model_max_length=512, segment_ids=False), name)
        size, special = encoder.vocab_size, frozenset(encoder.special_ids) | {encoder.unk_token_id}
        pieces = [spelling.read(token) for token in encoder.convert_ids_to_tokens(range(size))]
        self._texts = [piece.text or "" for piece in pieces]
        usable = [number not in special and is_letters(text) for number, text in enumerate(self._texts)]
        self._starts = [piece.starts_word for piece in pieces]
        self.starting = _where(usable, self._starts)
        """(V,) boolean: pieces that start a word."""
        self.continuing = _where(usable, [not starts for starts in self._starts])
        """(V,) boolean: pieces that continue one."""
        bare = [piece.starts_word and piece.text == "" for piece in pieces]
        self.lone_mark = _where([number not in special for number in range(size)], bare)
        """(V,) boolean: the mark of a word's start as a piece of its own, where there is one."""
        self._unknown = encoder.unk_token_id

    def starts_word(self, piece: int, at_start: bool) -> bool:
        """Whether a piece starts a word; for the unknown piece its position decides."""
        return at_start if piece == self._unknown else self._starts[piece]

    def first(self, starts: bool, alone: bool) -> Tensor:
        """(V,) boolean: what the first piece of a word may be.

        Args:
            starts: it starts a word, and does not continue one (as after a bracket).
            alone: it is the only piece.
        """
        if not starts:
            return self.continuing
        return self.starting if alone else self.starting | self.lone_mark

    def text(self, pieces: Sequence[int]) -> str:
        """The word that pieces spell."""
        return "".join(self._texts[piece] for piece in pieces)


def _where(usable: Sequence[bool], also: Sequence[bool]) -> Tensor:
    return torch.tensor([one and other for one, other in zip(usable, also, strict=True)])
