"""The KoBERT tokenizer as a `PreTrainedTokenizerFast`, which loads with `AutoTokenizer` and without this project.

Its ids equal ours on all but 42 of 20,000 NSMC test reviews (99.79 %; a test holds it to 99.7 %). The differing ones
looked at are ties between equally good cuts, such as four dots in a row. Its offsets equal ours but for two cases: a
lone word-start mark spans the first letter of its word, where ours is empty; and a letter composed of several
characters (decomposed Hangul, a letter and its separate mark, a doubled quote) spans only some of them. As always in
transformers, a special token typed in a text becomes that token.
"""

import sys
import unicodedata
from typing import TYPE_CHECKING

from distilkobert.tokenizers.kobert.vocabulary import SPECIAL_TOKENS, WORD_START, Vocabulary

if TYPE_CHECKING:
    import sentencepiece
    from tokenizers import Tokenizer
    from tokenizers.normalizers import Normalizer
    from transformers import PreTrainedTokenizerFast

# What Python's str.split takes for white space; the regular expressions of `tokenizers` have a class of their own.
_WHITE_SPACE = r"[\t-\r\x{1c}-\x{20}\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}]+"


def build_fast_tokenizer(
    model: "sentencepiece.SentencePieceProcessor",
    model_bytes: bytes,
    vocabulary: Vocabulary,
    model_max_length: int,
    segment_ids: bool,
) -> "PreTrainedTokenizerFast":
    """Build it from the model's scores and normalisation rules, in the order of `vocab.txt`.

    Args:
        model: The loaded SentencePiece model.
        model_bytes: Content of the model file.
        vocabulary: Its vocabulary.
        model_max_length: Length for truncation without `max_length`.
        segment_ids: Whether calls return `token_type_ids`; DistilBERT takes none.
    """
    from tokenizers import AddedToken
    from transformers import PreTrainedTokenizerFast

    tokenizer = _tokenizer(model, model_bytes, vocabulary)
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in SPECIAL_TOKENS])
    unk, pad, cls, sep, mask = SPECIAL_TOKENS
    segments = ["token_type_ids"] if segment_ids else []
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer,
        unk_token=unk,
        pad_token=pad,
        cls_token=cls,
        sep_token=sep,
        mask_token=mask,
        model_max_length=model_max_length,
        model_input_names=["input_ids", *segments, "attention_mask"],
        clean_up_tokenization_spaces=False,
    )


def _tokenizer(
    model: "sentencepiece.SentencePieceProcessor", model_bytes: bytes, vocabulary: Vocabulary
) -> "Tokenizer":
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors

    cls, sep = SPECIAL_TOKENS[2:4]
    unk_id, _, cls_id, sep_id, _ = vocabulary.special_ids
    scores = {model.id_to_piece(number): model.get_score(number) for number in range(model.get_piece_size())}
    # Special tokens need a score too; 0 is the best one and leaves the worst, which sets that of unknowns, as it is.
    pieces = [(token, scores.get(token, 0.0)) for token in vocabulary.tokens]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=unk_id, byte_fallback=False))
    tokenizer.normalizer = _normalizer(model_bytes)
    names = "|".join(token.strip("[]") for token in SPECIAL_TOKENS)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            # Words lose their space before they gain the mark, so that offsets do not cover it.
            pre_tokenizers.WhitespaceSplit(),
            pre_tokenizers.Metaspace(replacement=WORD_START, prepend_scheme="always", split=False),
            # Full-width letters may spell a special token after normalisation; cut, it is no entry of the vocabulary.
            pre_tokenizers.Split(Regex(rf"\[(?=(?:{names})\])"), "merged_with_previous"),
        ]
    )
    tokenizer.decoder = decoders.Metaspace(replacement=WORD_START, prepend_scheme="always", split=False)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{cls} $A {sep}",
        pair=f"{cls} $A {sep} $B:1 {sep}:1",
        special_tokens=[(cls, cls_id), (sep, sep_id)],
    )
    return tokenizer


def _normalizer(model_bytes: bytes) -> "Normalizer":
    from sentencepiece import sentencepiece_model_pb2
    from tokenizers import Regex, normalizers

    # The generated module makes its classes when imported, so the type checker does not see them.
    proto = sentencepiece_model_pb2.ModelProto.FromString(model_bytes)  # type: ignore[attr-defined]
    rules = proto.normalizer_spec.precompiled_charsmap
    steps = [
        normalizers.Replace("``", '"'),
        normalizers.Replace("''", '"'),
        normalizers.NFKD(),
        normalizers.Replace(Regex(f"[{_combining_ranges()}]"), ""),
        # SentencePiece's rules put jamo together again; those of `tokenizers` look at one syllable block at a time.
        normalizers.NFC(),
        *([normalizers.Precompiled(rules)] if rules else []),
        normalizers.Replace(Regex(_WHITE_SPACE), " "),
        normalizers.Strip(),
    ]
    return normalizers.Sequence(steps)


def _combining_ranges() -> str:
    """All characters of a non-zero combining class, as the inside of a character class."""
    code_points = [point for point in range(sys.maxunicode + 1) if unicodedata.combining(chr(point))]
    starts = [point for point in code_points if not unicodedata.combining(chr(point - 1))]
    ends = [point for point in code_points if not unicodedata.combining(chr(point + 1))]
    return "".join(rf"\x{{{start:x}}}-\x{{{end:x}}}" for start, end in zip(starts, ends, strict=True))
