"""The text of a piece, and what tokenizers of each kind make of it, by hand and against whole texts."""

import pytest
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from distilkobert.tokenizers.pieces import BYTES, PieceEncoder, PieceSpelling, PieceText
from tests.support.tokenizers.fast import KINDS, build
from tests.support.tokenizers.sentences import SENTENCES


def word(text: str) -> PieceText:
    return PieceText(text.encode(), starts_word=True)


def inside(text: str) -> PieceText:
    return PieceText(text.encode(), starts_word=False)


def wordpiece(*pieces: str, lowercase: bool = False) -> PreTrainedTokenizerFast:
    tokenizer = Tokenizer(models.WordPiece({piece: n for n, piece in enumerate(("[UNK]", *pieces))}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="[UNK]")


def unigram(*pieces: str) -> PreTrainedTokenizerFast:
    scores = [("<unk>", 0.0), *((piece, -float(len(pieces)) / len(piece)) for piece in pieces)]
    tokenizer = Tokenizer(models.Unigram(scores, unk_id=0, byte_fallback=False))
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>")


def made_of(tokenizer: PreTrainedTokenizerFast, piece: PieceText) -> list[str]:
    return tokenizer.convert_ids_to_tokens(PieceEncoder(tokenizer, "x").ids(piece))


def test_pieces_are_read_in_each_spelling() -> None:
    read = PieceSpelling(unigram("▁모델", "모델", "▁"), "x").read
    assert [read("▁모델"), read("모델"), read("▁")] == [word("모델"), inside("모델"), word("")]
    read = PieceSpelling(wordpiece("모델", "##모델", "##"), "x").read
    assert [read("모델"), read("##모델"), read("##")] == [word("모델"), inside("모델"), inside("")]
    read = PieceSpelling(build("byte_level", SENTENCES), "x").read
    assert [read("Ġmodel"), read("model"), read("Ġ")] == [word("model"), inside("model"), word("")]
    assert read("ëª¨") == inside("모")
    assert read("ëª").text is None
    assert read("ëª").data == "모".encode()[:2]


def test_the_table_of_bytes_is_that_of_the_library() -> None:
    assert set(BYTES) == set(pre_tokenizers.ByteLevel.alphabet())
    assert sorted(BYTES.values()) == list(range(256))
    level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    text = "모델을 Ünïcode\n\t🙂"
    ((shown, _),) = level.pre_tokenize_str(text)
    assert bytes(BYTES[character] for character in shown) == text.encode()


def test_a_continuation_gains_no_word_start() -> None:
    tokenizer = unigram("▁모델", "모델", "▁", "모", "델", "▁a", "a")
    assert made_of(tokenizer, inside("모델")) == ["모델"]
    assert made_of(tokenizer, word("모델")) == ["▁모델"]
    assert made_of(tokenizer, word("")) == ["▁"]
    assert made_of(unigram("▁모", "모", "델", "▁"), inside("모델")) == ["모", "델"]
    # The same text at the start of an input would begin with the mark.
    assert tokenizer.tokenize("모델") == ["▁모델"]
    tokenizer = wordpiece("모델", "##모델", "##을", "을", ".", "a", "##.")
    assert made_of(tokenizer, inside("모델을")) == ["##모델", "##을"]
    assert made_of(tokenizer, word("모델을")) == ["모델", "##을"]
    # Punctuation is a word of its own for BERT, wherever it is; behind it a word starts.
    assert made_of(tokenizer, inside("을.모델")) == ["##을", ".", "모델"]
    assert made_of(tokenizer, inside(".")) == ["."]


def test_unknown_parts_are_left_out() -> None:
    tokenizer = unigram("▁모", "모", "▁")
    assert made_of(tokenizer, inside("쀍")) == []
    assert made_of(tokenizer, word("쀍")) == ["▁"]
    assert made_of(tokenizer, inside("모쀍")) == ["모"]
    assert made_of(wordpiece("모", "##모"), inside("모쀍")) == []


def test_the_normalization_of_the_tokenizer_counts() -> None:
    assert made_of(wordpiece("model", "##s", lowercase=True), word("MODELS")) == ["model", "##s"]
    assert made_of(unigram("▁모", "모", "㎏", "kg"), inside("㎏")) == ["kg"]
    # A lone accent would merge with the letter before it.
    assert made_of(unigram("▁a", "á", "\u0301", "1"), inside("\u0301")) == ["\u0301"]


def test_bytes_that_are_no_character_are_known_to_bytes_only() -> None:
    half = PieceText("모".encode()[:2], starts_word=False)
    source = build("byte_level", SENTENCES, vocab_size=262)
    assert made_of(source, half) == ["ë", "ª"]
    assert made_of(source, PieceText(half.data, starts_word=True)) == ["Ġ", "ë", "ª"]
    assert made_of(build("unigram", SENTENCES), half) == []
    fallback = Tokenizer(models.BPE({"<unk>": 0, "<0xEB>": 1, "▁": 2, "a": 3, "1": 4}, [], byte_fallback=True))
    fallback.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=fallback, unk_token="<unk>")
    assert made_of(tokenizer, half) == ["<0xEB>"]
    assert PieceSpelling(tokenizer, "x").read("<0xEB>").data == b"\xeb"


@pytest.mark.parametrize("kind", KINDS)
def test_a_tokenizer_makes_itself_of_its_own_pieces(kind: str) -> None:
    """Of every piece that it uses in a text, it makes that piece."""
    tokenizer = build(kind, SENTENCES)
    encoder, spelling = PieceEncoder(tokenizer, kind), PieceSpelling(tokenizer, kind)
    used = {piece for sentence in SENTENCES for piece in tokenizer.tokenize(f"a {sentence}")}
    ids = {piece: encoder.ids(spelling.read(piece)) for piece in used}
    assert len(used) > 100
    different = {piece for piece, found in ids.items() if found != [tokenizer.convert_tokens_to_ids(piece)]}
    assert not different


def test_a_kind_without_a_mark_of_words_is_refused() -> None:
    tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0, "모델": 1}, unk_token="[UNK]"))
    with pytest.raises(ValueError, match=r"the tokenizer here is a WordLevel .*supported are SentencePiece"):
        PieceSpelling(PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="[UNK]"), "here")
