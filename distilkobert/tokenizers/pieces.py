"""What one piece of a vocabulary spells in a text, and what another tokenizer makes of it.

Three spellings are known: the word-start mark of SentencePiece (`▁모델` starts a word, `모델` continues one), the
continuation prefix of WordPiece (`모델` starts a word, `##모델` continues one), and the bytes of byte-level BPE
(`Ġ` is the space before a word). Between them a piece is its bytes and whether a word starts with it.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from distilkobert.tokenizers.kobert.vocabulary import WORD_START

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

Spelling = Literal["sentencepiece", "wordpiece", "byte_level"]

ANCHORS = ("a", "1")
"""Written before a piece so that it is not at the start of a text; the second one for pieces that merge with
the first, such as a lone accent."""

_MARKS: dict[Spelling, str] = {"sentencepiece": WORD_START, "wordpiece": "", "byte_level": "Ġ"}
"""Spelling of a lone space; normalization would drop it from a text."""

_BYTE_PIECE = "<0x{:02X}>"


@dataclass(frozen=True)
class PieceText:
    """A piece without the marks of its vocabulary.

    Args:
        data: its UTF-8 bytes; a byte-level piece may be a part of a character.
        starts_word: whether a space comes before it.
    """

    data: bytes
    starts_word: bool

    @property
    def text(self) -> str | None:
        """Its characters; None where the bytes are not whole characters."""
        try:
            return self.data.decode()
        except UnicodeDecodeError:
            return None


class PieceSpelling:
    """How the pieces of one fast tokenizer are spelled.

    Args:
        tokenizer: the tokenizer.
        name: its folder or hub name, for messages.

    Raises:
        ValueError: the tokenizer is of an unsupported kind.
    """

    def __init__(self, tokenizer: "PreTrainedTokenizerFast", name: str) -> None:
        definition = json.loads(tokenizer.backend_tokenizer.to_str())
        model = definition["model"]
        kind, types = model.get("type"), set(_component_types(definition))
        self.prefix = str(model.get("continuing_subword_prefix") or "")
        self.byte_fallback = bool(model.get("byte_fallback"))
        self.kind: Spelling
        if kind == "WordPiece" and self.prefix:
            self.kind = "wordpiece"
        elif kind == "BPE" and "ByteLevel" in types and not model.get("end_of_word_suffix"):
            self.kind = "byte_level"
        elif kind == "Unigram" or (kind == "BPE" and "Metaspace" in types):
            self.kind = "sentencepiece"
        else:
            raise ValueError(
                f"the tokenizer {name} is a {kind} whose pieces have no known mark of a word's start; supported are "
                "SentencePiece (Unigram, BPE), WordPiece and byte-level BPE"
            )

    def read(self, piece: str) -> PieceText:
        """The text of a piece of this vocabulary."""
        if self.kind == "byte_level":
            if not all(character in BYTES for character in piece):  # an added token is plain text
                return PieceText(piece.encode(), starts_word=False)
            data = bytes(BYTES[character] for character in piece)
            return PieceText(data.removeprefix(b" "), data.startswith(b" "))
        if self.kind == "wordpiece":
            return PieceText(piece.removeprefix(self.prefix).encode(), not piece.startswith(self.prefix))
        if self.byte_fallback and len(piece) == len(_BYTE_PIECE.format(0)) and piece in BYTE_PIECES:
            return PieceText(BYTE_PIECES[piece], starts_word=False)
        return PieceText(piece.removeprefix(WORD_START).encode(), piece.startswith(WORD_START))


class PieceEncoder:
    """What a tokenizer makes of pieces of another vocabulary.

    A piece is encoded where it belongs, behind other text: `a` and the piece where it continues a word, `a`, a space
    and the piece where it starts one; the ids of `a` are left out. So a continuation gains no word start, and a word
    start is that in the middle of a text also for tokenizers that treat the start of a text otherwise.

    Args:
        tokenizer: the tokenizer.
        name: its folder or hub name, for messages.

    Raises:
        ValueError: the tokenizer is of an unsupported kind.
    """

    def __init__(self, tokenizer: "PreTrainedTokenizerFast", name: str) -> None:
        from tokenizers import Tokenizer

        self.spelling = PieceSpelling(tokenizer, name)
        self._backend = Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
        self._unk_id = tokenizer.unk_token_id
        self._continuing = self._continuation_model(str(tokenizer.unk_token))
        forms = {anchor: self._pre_tokens(anchor) for anchor in ANCHORS}
        self._anchors = {anchor: found[0] for anchor, found in forms.items() if len(found) == 1}
        if not self._anchors:
            raise ValueError(f"the tokenizer {name} cuts or drops the letter 'a' and the digit '1'; it is unsupported")

    def ids(self, piece: PieceText) -> list[int]:
        """Known ids that the piece is cut into, in order; those of [UNK] are left out, so the list may be empty."""
        text = piece.text
        if text == "":
            found = [self._backend.token_to_id(_MARKS[self.spelling.kind])] if piece.starts_word else []
        else:
            found = self._ids_of_bytes(piece) if text is None else self._ids_of_text(text, piece.starts_word)
        return [number for number in found if number not in (self._unk_id, None)]

    def _ids_of_text(self, text: str, starts_word: bool) -> list[int | None]:
        for anchor, form in self._anchors.items():
            first, *others = self._pre_tokens(f"{anchor}{' ' if starts_word else ''}{text}") or [""]
            if first.startswith(form):
                # After the anchor a WordPiece word continues; in the other spellings the mark decides.
                model, rest = self._continuing or self._backend.model, first[len(form) :]
                behind = [token.id for token in model.tokenize(rest)] if rest else []
                return behind + [token.id for other in others for token in self._backend.model.tokenize(other)]
        return []

    def _ids_of_bytes(self, piece: PieceText) -> list[int | None]:
        """Ids of bytes that are no whole characters: only vocabularies with bytes have them."""
        if self.spelling.kind == "byte_level":
            data = b" " * piece.starts_word + piece.data
            return [token.id for token in self._backend.model.tokenize("".join(CHARACTERS[byte] for byte in data))]
        if not self.spelling.byte_fallback:
            return []
        parts = [WORD_START] * piece.starts_word + [_BYTE_PIECE.format(byte) for byte in piece.data]
        return [self._backend.token_to_id(part) for part in parts]

    def _pre_tokens(self, text: str) -> list[str]:
        backend = self._backend
        normalized = backend.normalizer.normalize_str(text) if backend.normalizer else text
        if backend.pre_tokenizer is None:
            return [normalized]
        return [part for part, _ in backend.pre_tokenizer.pre_tokenize_str(normalized)]

    def _continuation_model(self, unknown: str) -> Any:
        """A WordPiece model of the continuations only, spelled without their prefix; None for other kinds."""
        from tokenizers import models

        if self.spelling.kind != "wordpiece":
            return None
        prefix = self.spelling.prefix
        vocabulary = self._backend.get_vocab(with_added_tokens=False)
        continuing = {
            piece[len(prefix) :]: number
            for piece, number in vocabulary.items()
            if piece.startswith(prefix) and piece != prefix
        }
        return models.WordPiece(
            {**continuing, unknown: vocabulary[unknown]}, unk_token=unknown, continuing_subword_prefix=""
        )


def _byte_characters() -> dict[str, int]:
    """The byte that each character of byte-level BPE encodes: printable Latin-1 is itself, the others follow 255."""
    shown = (*range(33, 127), *range(161, 173), *range(174, 256))
    hidden = (byte for byte in range(256) if byte not in shown)
    return {chr(byte): byte for byte in shown} | {chr(256 + number): byte for number, byte in enumerate(hidden)}


def _component_types(definition: Mapping[str, Any]) -> Iterator[str]:
    """Types of all normalizers, pre-tokenizers and decoders, those inside sequences too."""
    for name in ("normalizer", "pre_tokenizer", "decoder"):
        waiting = [definition.get(name)]
        while waiting:
            component = waiting.pop()
            if isinstance(component, Mapping):
                yield str(component.get("type"))
                waiting += [part for parts in component.values() if isinstance(parts, list) for part in parts]


BYTES = _byte_characters()
"""Byte of each character of byte-level BPE (the table of GPT-2, Radford et al. 2019)."""

CHARACTERS = {byte: character for character, byte in BYTES.items()}
"""Character of each byte."""

BYTE_PIECES = {_BYTE_PIECE.format(byte): bytes([byte]) for byte in range(256)}
