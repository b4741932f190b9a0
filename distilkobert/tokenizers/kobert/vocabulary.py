"""The vocabulary file of a KoBERT tokenizer, and its match with the SentencePiece model next to it.

SentencePiece numbers are not KoBERT's. `vocab.txt` holds one piece per line, and the line number, from 0, is the id. In
KoBERT's own file the five special tokens come first and the model's real pieces follow by code point; the model's
control pieces (`<unk>`, `<s>`, `</s>`) are left out.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import sentencepiece

from distilkobert.listing import few

IdArray: TypeAlias = npt.NDArray[np.uint16] | npt.NDArray[np.uint32]

SPECIAL_TOKENS = ("[UNK]", "[PAD]", "[CLS]", "[SEP]", "[MASK]")
SPECIAL_PATTERN = re.compile("(" + "|".join(map(re.escape, SPECIAL_TOKENS)) + ")")
WORD_START = "\u2581"
_NAMED_PIECES = 10


@dataclass(frozen=True)
class Vocabulary:
    """Pieces by id, and the way from SentencePiece's numbers to these ids.

    Args:
        tokens: All `V` tokens in id order, the special ones included.
        token_ids: Id of each token.
        piece_ids: The same without the special tokens, so that no text can spell one.
        special_ids: Ids of [UNK], [PAD], [CLS], [SEP] and [MASK], in this order.
        id_table: Id by SentencePiece number, shape [pieces of the model]; control pieces give the id of [UNK].
    """

    tokens: tuple[str, ...]
    token_ids: dict[str, int]
    piece_ids: dict[str, int]
    special_ids: tuple[int, int, int, int, int]
    id_table: IdArray

    def tokens_of(self, ids: Iterable[int]) -> list[str]:
        """Token of every id.

        Raises:
            ValueError: An id is negative or beyond the vocabulary.
        """
        numbers = [int(number) for number in ids]
        for position, number in enumerate(numbers):
            if not 0 <= number < len(self.tokens):
                raise ValueError(f"id {number} at position {position} is outside the {len(self.tokens)} ids, 0 and up")
        return [self.tokens[number] for number in numbers]

    def ids_of(self, tokens: Sequence[str]) -> list[int]:
        """Id of every token, special ones included; that of [UNK] for tokens outside the vocabulary.

        Raises:
            ValueError: A string was given instead of a list of tokens.
        """
        if isinstance(tokens, str):
            raise ValueError(f"expected a list of tokens, found the string {tokens!r}; call tokenize() on it first")
        return [self.token_ids.get(token, self.special_ids[0]) for token in tokens]


def real_pieces(model: sentencepiece.SentencePieceProcessor) -> list[str]:
    """The pieces that text can be made of: all but the unknown and the control pieces, in the model's order."""
    numbers = range(model.get_piece_size())
    return [model.id_to_piece(n) for n in numbers if not (model.is_unknown(n) or model.is_control(n))]


def vocabulary_text(model: sentencepiece.SentencePieceProcessor) -> str:
    """The content of `vocab.txt` for `model`: special tokens, then the real pieces by code point, one per line."""
    return "".join(f"{token}\n" for token in (*SPECIAL_TOKENS, *sorted(real_pieces(model))))


def own_vocabulary(model: bytes) -> tuple[bytes, bytes] | None:
    """The two files' content of a model that holds the special tokens and so numbers KoBERT's pieces itself.

    This is the layout of skt/kobert-base-v1: the model's own order is the vocabulary.

    Args:
        model: Content of a SentencePiece model file.

    Returns:
        The model, in which special tokens are control pieces, so that no text can spell them, and the content of
        `vocab.txt`; None where the model misses one of the five, or has other control pieces.
    """
    from google.protobuf.message import DecodeError
    from sentencepiece import sentencepiece_model_pb2

    try:  # the generated module makes its classes when imported, so the type checker does not see them
        proto = sentencepiece_model_pb2.ModelProto.FromString(model)  # type: ignore[attr-defined]
    except DecodeError:
        return None
    kinds = sentencepiece_model_pb2.ModelProto.SentencePiece  # type: ignore[attr-defined]
    specials = [piece for piece in proto.pieces if piece.piece in SPECIAL_TOKENS]
    others = any(piece.type in (kinds.CONTROL, kinds.UNKNOWN) for piece in proto.pieces if piece not in specials)
    if len(specials) != len(SPECIAL_TOKENS) or others:
        return None
    spelled = [piece for piece in specials if piece.type not in (kinds.CONTROL, kinds.UNKNOWN)]
    for piece in spelled:
        piece.type = kinds.CONTROL
    vocab = "".join(f"{piece.piece}\n" for piece in proto.pieces).encode()
    return (proto.SerializeToString() if spelled else model), vocab


def match_vocabulary(
    model: sentencepiece.SentencePieceProcessor, vocab: bytes, model_path: str, vocab_path: str
) -> Vocabulary:
    """Read the content of a vocabulary file and check it against its model.

    Args:
        model: The loaded SentencePiece model.
        vocab: Content of `vocab.txt`.
        model_path: Name of the model file, for messages.
        vocab_path: Name of the vocabulary file, for messages.

    Raises:
        ValueError: The file is not UTF-8, has an empty or repeated line, a missing special token, or its pieces are not
            those of the model; or the model falls back to bytes, or holds a special token as a piece of text.
    """
    tokens = _read_tokens(vocab, vocab_path)
    pieces = real_pieces(model)
    if any(model.is_byte(number) for number in range(model.get_piece_size())):
        raise ValueError(f"{model_path} falls back to bytes, which KoBERT's format does not support; train it without")
    spelled = [token for token in SPECIAL_TOKENS if token in set(pieces)]
    if spelled:
        raise ValueError(
            f"{model_path} contains {_listed(spelled)} as a piece of text, so a user could type a control id; "
            "special tokens belong in vocab.txt only: train the model without them"
        )
    only_vocab = set(tokens) - set(SPECIAL_TOKENS) - set(pieces)
    only_model = set(pieces) - set(tokens)
    if only_vocab or only_model:
        raise ValueError(
            f"{vocab_path} does not fit {model_path}: in the vocabulary but not in the model: {_listed(only_vocab)}; "
            f"in the model but not in the vocabulary: {_listed(only_model)}; take both files from the same tokenizer"
        )
    token_ids = {token: number for number, token in enumerate(tokens)}
    piece_ids = dict(token_ids)
    unk, pad, cls, sep, mask = (piece_ids.pop(token) for token in SPECIAL_TOKENS)
    table = [piece_ids.get(model.id_to_piece(number), unk) for number in range(model.get_piece_size())]
    id_table = np.array(table, dtype=np.uint16) if len(tokens) <= 1 << 16 else np.array(table, dtype=np.uint32)
    return Vocabulary(tokens, token_ids, piece_ids, (unk, pad, cls, sep, mask), id_table)


def _read_tokens(vocab: bytes, path: str) -> tuple[str, ...]:
    try:
        text = vocab.decode("utf-8")
    except UnicodeDecodeError as error:
        line = vocab.count(b"\n", 0, error.start) + 1
        raise ValueError(f"{path}, line {line}: not UTF-8 text; expected one piece per line in UTF-8") from error
    # Only line feeds end a line: str.splitlines would also cut at characters that a piece may hold.
    tokens = tuple(text.removesuffix("\n").split("\n"))
    if "" in tokens:
        raise ValueError(
            f"{path}, line {tokens.index('') + 1}: empty; expected one piece per line, each line's number its id"
        )
    repeated = [token for token, count in Counter(tokens).items() if count > 1]
    if repeated:
        raise ValueError(f"{path} contains {_listed(repeated)} more than once; every line must be a different piece")
    missing = [token for token in SPECIAL_TOKENS if token not in tokens]
    if missing:
        raise ValueError(f"{path}: missing special tokens {_listed(missing)}; expected {_listed(SPECIAL_TOKENS)}")
    return tokens


def _listed(pieces: Iterable[str]) -> str:
    """Up to ten pieces, sorted, as text."""
    return few([repr(piece) for piece in sorted(pieces)], _NAMED_PIECES) or "none"
