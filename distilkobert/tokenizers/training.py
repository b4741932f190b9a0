"""Train a new tokenizer in KoBERT's format: a SentencePiece unigram model and the `vocab.txt` that numbers its pieces.

tokenizer = train_tokenizer(lines, "my_tokenizer", vocab_size=8002)
"""

import hashlib
import io
import random
import re
from collections.abc import Iterable
from pathlib import Path

import sentencepiece

from distilkobert.tokenizers.kobert import KoBertTokenizer
from distilkobert.tokenizers.kobert.files import TokenizerFiles
from distilkobert.tokenizers.kobert.normalization import normalize_text
from distilkobert.tokenizers.kobert.vocabulary import SPECIAL_TOKENS, vocabulary_text

# SentencePiece's own <unk>, <s> and </s>, which vocab.txt leaves out.
_CONTROL_PIECES = 3
# SentencePiece marks unknown characters with this one while it trains, and skips lines that hold it.
_RESERVED = "\u2585"
_LONGEST_LINE_BYTES = 1 << 30
_TOO_HIGH = re.compile(r"Vocabulary size too high.*<= (\d+)")
_TOO_LOW = re.compile(r"smaller than required_chars\. \d+ vs (\d+)")


def train_tokenizer(
    texts: Iterable[str], output_dir: str | Path, vocab_size: int = 8002, seed: int = 42, max_texts: int = 1_000_000
) -> KoBertTokenizer:
    """Train a tokenizer on `texts` and write `tokenizer_<first ten digits of its MD5>.model` and `vocab.txt`.

    The settings are those stored in KoBERT's model file: unigram, character coverage 0.9995, nmt_nfkc normalisation.
    The comma is always a piece of its own, so that the original's rule for pieces that end in a digit and a comma has
    nothing to cut. The same texts, settings and SentencePiece version give the same two files, byte for byte.

    Args:
        texts: Lines of text. At most `max_texts` of them are held in memory.
        output_dir: Folder for the two files; made where missing.
        vocab_size: Number of ids, the five special tokens included (KoBERT has 8,002).
        seed: Decides which texts are drawn where there are more than `max_texts`; else without effect.
        max_texts: Train on a uniform sample of this many texts, where there are more.

    Raises:
        ValueError: No text holds a visible character; or `vocab_size` is too large for the pieces that the texts give,
            or too small for their characters: the message gives the limit.
        FileExistsError: The folder holds a different tokenizer.
    """
    if max_texts < 1:
        raise ValueError(f"max_texts is {max_texts}; expected at least 1")
    lines = _sample(texts, max_texts, random.Random(seed))
    if not lines:
        raise ValueError("there is nothing to train a tokenizer on: no text has a visible character")
    outside = len(SPECIAL_TOKENS) - _CONTROL_PIECES
    if vocab_size <= len(SPECIAL_TOKENS) + 1:
        raise ValueError(f"vocab_size is {vocab_size}; expected more than the special tokens and the comma")
    model = io.BytesIO()
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(lines),
            model_writer=model,
            model_type="unigram",
            vocab_size=vocab_size - outside,
            character_coverage=0.9995,
            normalization_rule_name="nmt_nfkc",
            user_defined_symbols=[","],
            max_sentence_length=_LONGEST_LINE_BYTES,
            # The number of threads decides in which order counts are added up, and so the last digits of the scores.
            num_threads=4,
            minloglevel=2,
        )
    except RuntimeError as error:
        raise _size_error(str(error), vocab_size, len(lines), outside) from error
    processor = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    name = f"tokenizer_{hashlib.md5(model.getvalue(), usedforsecurity=False).hexdigest()[:10]}.model"
    vocab = vocabulary_text(processor).encode("utf-8")
    tokenizer = KoBertTokenizer(TokenizerFiles(name, model.getvalue(), vocab, str(output_dir)))
    tokenizer.save_pretrained(output_dir)
    return tokenizer


def _sample(texts: Iterable[str], limit: int, generator: random.Random) -> list[str]:
    """Up to `limit` normalised, non-empty texts, each with the same chance (reservoir sampling), in a fixed order."""
    kept: list[str] = []
    seen = 0
    for text in texts:
        line = normalize_text(text).replace(_RESERVED, " ").strip()
        if not line:
            continue
        seen += 1
        if len(kept) < limit:
            kept.append(line)
        elif (place := generator.randrange(seen)) < limit:
            kept[place] = line
    return kept


def _size_error(message: str, vocab_size: int, lines: int, outside: int) -> ValueError:
    """What SentencePiece found wrong with the size, in terms of `vocab_size`."""
    if found := _TOO_HIGH.search(message):
        return ValueError(
            f"vocab_size={vocab_size} is too large for these {lines} texts, which give at most "
            f"{int(found[1]) + outside} ids; lower it to that or less, or train on more text"
        )
    if found := _TOO_LOW.search(message):
        return ValueError(
            f"vocab_size={vocab_size} is too small for the characters of these {lines} texts, which need at least "
            f"{int(found[1]) + outside} ids; raise it to that or more"
        )
    return ValueError(f"SentencePiece cannot train on these {lines} texts with vocab_size={vocab_size}: {message}")
