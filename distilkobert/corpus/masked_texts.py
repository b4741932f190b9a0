"""Texts in which somebody has written [MASK], for a masked language model to fill."""

from pathlib import Path
from typing import Final, NamedTuple

from distilkobert.io.texts import read_lines
from distilkobert.tokenizers.kobert import KoBertTokenizer
from distilkobert.tokenizers.vocabulary import SPECIAL_TOKENS

MASK: Final = SPECIAL_TOKENS[4]
"""How a masked piece is written."""


class MaskedText(NamedTuple):
    """A line, and its ids between [CLS] and [SEP], these two included."""

    text: str
    ids: list[int]


def read_masked_texts(path: Path, tokenizer: KoBertTokenizer, max_length: int) -> list[MaskedText]:
    """Read and encode the lines of a text file; other special tokens written in them are text.

    Args:
        path: the file, plain, .gz, .xz or .zst.
        tokenizer: what encodes the text around each [MASK].
        max_length: most tokens of a line, [CLS] and [SEP] included.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is empty or not UTF-8, or a line has no [MASK] or too many tokens; file and line are named.
    """
    texts = []
    for number, line in enumerate(read_lines(path), start=1):
        first, *others = tokenizer.encode_batch(line.split(MASK))
        if not others:
            raise ValueError(f"{path}, line {number}: found no {MASK}; write {MASK} where a piece is to be predicted")
        ids = [tokenizer.cls_token_id, *first.tolist()]
        for part in others:
            ids += [tokenizer.mask_token_id, *part.tolist()]
        ids.append(tokenizer.sep_token_id)
        if len(ids) > max_length:
            raise ValueError(
                f"{path}, line {number}: found {len(ids)} tokens, [CLS] and [SEP] included; expected at most "
                f"{max_length}, the longest sequence of the corpus. Shorten the line"
            )
        texts.append(MaskedText(line, ids))
    return texts
