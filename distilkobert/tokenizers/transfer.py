"""Vocabulary transfer: the same encoder with another tokenizer's pieces.

Each new piece starts as the mean of the old embeddings of what the old tokenizer makes of it. Special tokens start as
the old special token of the same role ([CLS] as `<s>`). A piece that the old tokenizer cannot spell starts as the
mean of all old embeddings: it then scores like an average piece in a tied head, and gives the encoder an input without
a direction of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from distilkobert.models.vocabulary.rows import Rows, change_vocabulary
from distilkobert.tokenizers.pieces import PieceEncoder, PieceSpelling

ROLES = ("cls", "sep", "pad", "unk", "mask", "bos", "eos")
"""Roles of special tokens; a token with several (`<s>` is `bos` and `cls`) has the first one."""


@dataclass(frozen=True)
class PieceOrigins:
    """What the pieces of a new vocabulary are made of.

    Args:
        pieces: the new pieces in id order; None for ids without a piece.
        old_ids: for each new id, the old ids whose rows it starts as the mean of; empty where there are none.
        old_size: pieces of the old tokenizer; rows of a model beyond it belong to no piece.
    """

    pieces: tuple[str | None, ...]
    old_ids: tuple[tuple[int, ...], ...]
    old_size: int

    @property
    def without(self) -> list[str]:
        """The new pieces that the old tokenizer cannot spell."""
        return [piece for piece, ids in zip(self.pieces, self.old_ids, strict=True) if piece is not None and not ids]

    def mean_rows(self, table: Tensor) -> Tensor:
        """New rows (V_new, ...) as means of the old rows (V_old, ...), in the table's type."""
        lengths = torch.tensor([len(ids) for ids in self.old_ids])
        flat = torch.tensor([number for ids in self.old_ids for number in ids], dtype=torch.long)
        owner = torch.repeat_interleave(torch.arange(len(lengths)), lengths)
        sums = table.new_zeros((len(lengths), *table.shape[1:])).index_add(0, owner, table[flat])
        shape = (-1, *[1] * (table.ndim - 1))
        means = sums / lengths.clamp(min=1).to(table.dtype).view(shape)
        return torch.where((lengths == 0).view(shape), table[: self.old_size].mean(0), means)


def piece_origins(old: PreTrainedTokenizerFast, new: PreTrainedTokenizerFast, name: str, new_name: str) -> PieceOrigins:
    """Work out what the old tokenizer makes of each piece of the new one.

    Args:
        old: the model's own tokenizer.
        new: the tokenizer whose vocabulary it gets.
        name: folder or hub name of the old one, for messages.
        new_name: the same of the new one.

    Raises:
        ValueError: one of them is of an unsupported kind.
    """
    encoder, spelling = PieceEncoder(old, name), PieceSpelling(new, new_name)
    pieces = pieces_in_order(new)
    partners = {
        getattr(new, f"{role}_token_id"): getattr(old, f"{role}_token_id")
        for role in reversed(ROLES)
        if getattr(new, f"{role}_token_id") is not None
    }
    special = frozenset([*partners, *new.all_special_ids])
    old_ids: list[tuple[int, ...]] = []
    for number, piece in enumerate(pieces):
        if number in special:
            partner = partners.get(number)
            old_ids.append(() if partner is None else (partner,))
        else:
            old_ids.append(() if piece is None else tuple(encoder.ids(spelling.read(piece))))
    return PieceOrigins(tuple(pieces), tuple(old_ids), len(pieces_in_order(old)))


def transfer_vocabulary(
    model: PreTrainedModel, origins: PieceOrigins, tokenizer: PreTrainedTokenizerFast
) -> PreTrainedModel:
    """The same network with the vocabulary of `tokenizer`, in evaluation mode, with its head if it has one.

    Args:
        model: the network.
        origins: what its new pieces are made of.
        tokenizer: the new tokenizer.

    Raises:
        ValueError: the model has fewer rows than its tokenizer has pieces.
    """
    if model.config.vocab_size < origins.old_size:
        raise ValueError(
            f"the model has {model.config.vocab_size} embeddings, its tokenizer {origins.old_size} pieces; they do not "
            "belong together"
        )
    return change_to(model, origins.mean_rows, tokenizer)


def change_to(model: PreTrainedModel, rows: Rows, tokenizer: PreTrainedTokenizerFast) -> PreTrainedModel:
    """The same network with the pieces of `tokenizer`, whose rows `rows` makes; see `change_vocabulary`."""
    return change_vocabulary(model, rows, len(pieces_in_order(tokenizer)), special_ids(tokenizer))


def special_ids(tokenizer: PreTrainedTokenizerFast) -> dict[str, int]:
    """Id of each special token, by role; tokenizers without `bos` and `eos` frame texts with `cls` and `sep`."""
    found = {role: getattr(tokenizer, f"{role}_token_id") for role in ROLES}
    found["bos"] = found["cls"] if found["bos"] is None else found["bos"]
    found["eos"] = found["sep"] if found["eos"] is None else found["eos"]
    return {role: int(number) for role, number in found.items() if number is not None}


def pieces_in_order(tokenizer: PreTrainedTokenizerFast) -> Sequence[str | None]:
    """All pieces by id, added tokens included; None for ids without a piece."""
    ids = tokenizer.get_vocab()
    pieces: list[str | None] = [None] * (max(ids.values()) + 1)
    for piece, number in ids.items():
        pieces[number] = piece
    return pieces
