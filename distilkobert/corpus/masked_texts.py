"""Texts that contain [MASK], for a masked language model to fill."""

from pathlib import Path
from typing import Final, NamedTuple

from distilkobert.io.reading.texts import read_lines
from distilkobert.tokenizers.loading import TextEncoder

MASK: Final = "[MASK]"
"""How a masked piece is written for any tokenizer; its own mask token is understood too."""


class MaskedText(NamedTuple):
    """A line, and its ids in the tokenizer's frame."""

    text: str
    ids: list[int]


def read_masked_texts(path: Path, tokenizer: TextEncoder, max_length: int) -> list[MaskedText]:
    """Read and encode the lines of a text file; other special tokens written in them are text.

    Args:
        path: the file, plain, .gz, .xz, .bz2 or .zst.
        tokenizer: what encodes the text around each [MASK].
        max_length: most tokens of a line, special tokens included.

    Raises:
        FileNotFoundError: the file does not exist.
        ValueError: it is empty or not UTF-8, or a line has no [MASK] or too many tokens (file and line are named); or
            the tokenizer has no mask token.
    """
    if tokenizer.mask_token is None or tokenizer.mask_token_id is None:
        raise ValueError("the tokenizer has no mask token, so it cannot be used for prediction")
    own = "" if tokenizer.mask_token == MASK else f" or {tokenizer.mask_token}"
    texts = []
    for number, line in enumerate(read_lines(path), start=1):
        *before, last = line.replace(tokenizer.mask_token, MASK).split(MASK)
        # The space before a mask belongs to it, as it belongs to the first piece of a word.
        first, *others = tokenizer.encode_batch([*(part.rstrip() for part in before), last])
        if not others:
            raise ValueError(
                f"{path}, line {number}: found no {MASK}{own}; write {MASK} where a piece is to be predicted"
            )
        pieces = first.tolist()
        for part in others:
            pieces += [tokenizer.mask_token_id, *part.tolist()]
        ids = tokenizer.frame.single(pieces)
        if len(ids) > max_length:
            raise ValueError(
                f"{path}, line {number}: found {len(ids)} tokens, special tokens included; expected at most "
                f"{max_length}, the longest sequence of the corpus. Shorten the line"
            )
        texts.append(MaskedText(line, ids))
    return texts
