"""How often a corpus uses each piece of a fast tokenizer."""

import json
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

if TYPE_CHECKING:
    from distilkobert.tokenizers.fast import FastEncoder

_KINDS = ("WordPiece", "Unigram", "BPE")


class PieceCounter:
    """Counts how often texts use each piece of a tokenizer.

    Args:
        encoder: the tokenizer.
        name: its folder or hub name, for messages.

    Raises:
        ValueError: the tokenizer is of an unsupported kind.
    """

    def __init__(self, encoder: "FastEncoder", name: str) -> None:
        self.definition: dict[str, Any] = json.loads(encoder.tokenizer.backend_tokenizer.to_str())
        model = self.definition["model"]
        if model.get("type") not in _KINDS:
            raise ValueError(
                f"the tokenizer {name} is a {model.get('type')}; supported are {', '.join(_KINDS)}, as tokenizer.json"
            )
        self._encoder = encoder
        self._plain = Tokenizer.from_str(json.dumps({**self.definition, "truncation": None, "padding": None}))
        self._added = [token["content"] for token in self.definition["added_tokens"]]
        self._greedy = model if model["type"] == "WordPiece" else None
        self.counts: npt.NDArray[np.int64] = np.zeros(encoder.vocab_size, dtype=np.int64)

    def add(self, texts: Sequence[str]) -> None:
        """Count texts, special tokens written in them once as text and once as the tokens."""
        self._count(texts, self._encoder.encode_batch(texts))
        typed = [text for text in texts if any(token in text for token in self._added)]
        self._count(typed, [found.ids for found in self._plain.encode_batch_fast(typed, add_special_tokens=False)])

    def _count(self, texts: Sequence[str], rows: Sequence[Any]) -> None:
        flat = np.fromiter(chain.from_iterable(rows), dtype=np.int64)
        self.counts += np.bincount(flat, minlength=len(self.counts))
        if self._greedy is None:
            return
        for text, ids in zip(texts, rows, strict=True):
            for word in self._words(text) if self._encoder.unk_token_id in ids else ():
                for piece in taken_before_failing(word, self._greedy):
                    self.counts[self._greedy["vocab"][piece]] += 1

    def _words(self, text: str) -> list[str]:
        normalizer, pre_tokenizer = self._plain.normalizer, self._plain.pre_tokenizer
        normalized = normalizer.normalize_str(text) if normalizer else text
        return [word for word, _ in pre_tokenizer.pre_tokenize_str(normalized)] if pre_tokenizer else [normalized]


def taken_before_failing(word: str, model: Mapping[str, Any]) -> list[str]:
    """Pieces that WordPiece takes of a word before it finds none and gives [UNK]; none of a known word.

    Args:
        word: one pre-token.
        model: the `model` entry of a tokenizer.json.
    """
    vocabulary, prefix = model["vocab"], model["continuing_subword_prefix"]
    taken: list[str] = []
    start = 0
    while start < len(word) <= model["max_input_chars_per_word"]:
        begun = prefix if start else ""
        ends = (end for end in range(len(word), start, -1) if begun + word[start:end] in vocabulary)
        end = next(ends, None)
        if end is None:
            return taken
        taken.append(begun + word[start:end])
        start = end
    return []
