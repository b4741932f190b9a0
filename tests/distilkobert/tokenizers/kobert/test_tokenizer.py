"""Ids and pieces against a naive step-by-step tokenizer; special tokens; decoding; the published example."""

import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distilkobert import KoBertTokenizer
from tests.support.tokenizers.reference import TEXTS, NaiveTokenizer, comma_lists, write_tokenizer
from tests.support.tokenizers.sentences import SENTENCES


@pytest.fixture(scope="module")
def naive(tiny_tokenizer_dir: Path) -> NaiveTokenizer:
    return NaiveTokenizer(tiny_tokenizer_dir)


@pytest.fixture(scope="module")
def comma_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tokenizer whose pieces join digits and commas, and whose model keeps extra spaces."""
    folder = tmp_path_factory.mktemp("comma")
    lines = [f"값은 {n}, 또 {n * 7 % 1000}, 그리고 1,{n:03d}원" for n in range(200)]
    settings = {"split_by_number": False, "split_by_unicode_script": False, "remove_extra_whitespaces": False}
    write_tokenizer(folder, lines, {"vocab_size": 150, **settings})
    return folder


@settings(max_examples=150, deadline=None)
@given(st.lists(TEXTS, max_size=5))
def test_batch_encoding_is_the_naive_algorithm(
    tiny_tokenizer: KoBertTokenizer, naive: NaiveTokenizer, texts: list[str]
) -> None:
    encoded = tiny_tokenizer.encode_batch(texts)
    assert [row.tolist() for row in encoded] == [naive.encode(text) for text in texts]
    assert all(row.dtype == np.uint16 for row in encoded)


@settings(max_examples=100, deadline=None)
@given(st.lists(TEXTS, max_size=5))
def test_ids_with_offsets_are_the_same(
    tiny_tokenizer: KoBertTokenizer, naive: NaiveTokenizer, texts: list[str]
) -> None:
    assert [tiny_tokenizer.encode_with_offsets(text)[0] for text in texts] == [naive.encode(text) for text in texts]


def test_every_sentence_alone_and_in_a_batch(tiny_tokenizer: KoBertTokenizer, naive: NaiveTokenizer) -> None:
    expected = [naive.encode(sentence) for sentence in SENTENCES]
    assert [tiny_tokenizer.encode_batch([sentence])[0].tolist() for sentence in SENTENCES] == expected
    assert [row.tolist() for row in tiny_tokenizer.encode_batch(SENTENCES)] == expected
    assert [tiny_tokenizer.convert_tokens_to_ids(tiny_tokenizer.tokenize(text)) for text in SENTENCES] == expected


def test_pieces_that_end_in_a_digit_and_a_comma_are_cut_again(comma_dir: Path) -> None:
    tokenizer, naive = KoBertTokenizer.from_pretrained(comma_dir), NaiveTokenizer(comma_dir)
    joined = [piece for piece in tokenizer.vocab if piece[-1] == "," and piece[-2:-1].isdigit()]
    assert joined, "the vocabulary has no piece for the rule to act on"
    texts = [f"값은 {n}, {n}" for n in range(0, 999, 7)] + ["", "  두  칸  ", "1,2,3,", " ".join(joined), "٣,"]
    assert any(piece in naive.model.EncodeAsPieces(text) for text in texts for piece in joined)
    expected = [naive.encode(text) for text in texts]
    assert [row.tolist() for row in tokenizer.encode_batch(texts)] == expected
    assert [tokenizer.encode_with_offsets(text)[0] for text in texts] == expected
    assert [tokenizer.tokenize(text) for text in texts] == [naive.pieces(text) for text in texts]


def test_a_piece_cut_again_at_the_start_of_its_row_stays_in_its_row(tmp_path: Path) -> None:
    write_tokenizer(tmp_path, comma_lists(), {"vocab_size": 50})
    tokenizer, naive = KoBertTokenizer.from_pretrained(tmp_path), NaiveTokenizer(tmp_path)
    assert naive.model.EncodeAsPieces("1,") == ["▁1,"]
    texts = ["가나", "1,", "", "2,", "나", "1,2,1,"]
    assert [row.tolist() for row in tokenizer.encode_batch(texts)] == [naive.encode(text) for text in texts]


@settings(max_examples=60, deadline=None)
@given(text=TEXTS)
def test_other_normalization_rules_are_followed_too(comma_dir: Path, text: str) -> None:
    tokenizer, naive = KoBertTokenizer.from_pretrained(comma_dir), NaiveTokenizer(comma_dir)
    assert tokenizer.encode_batch([text])[0].tolist() == naive.encode(text) == tokenizer.encode_with_offsets(text)[0]


def test_an_unknown_comma_after_an_unknown_digit_is_cut_from_it(tmp_path: Path) -> None:
    write_tokenizer(tmp_path, ["가나다 가나 다라"] * 5, {"vocab_size": 10})
    tokenizer, naive = KoBertTokenizer.from_pretrained(tmp_path), NaiveTokenizer(tmp_path)
    assert naive.pieces("가7,")[-2:] == ["7", ","]
    assert tokenizer.encode_batch(["가나", "가7,", "7"])[1].tolist() == naive.encode("가7,")


def test_special_tokens_are_control_ids_only_where_asked(tiny_tokenizer: KoBertTokenizer) -> None:
    text = "[CLS] 오늘 [MASK] 날씨[SEP]"
    pieces = tiny_tokenizer.tokenize(text)
    today, weather = tiny_tokenizer.tokenize("오늘"), tiny_tokenizer.tokenize("날씨")
    assert pieces == ["[CLS]", *today, "[MASK]", *weather, "[SEP]"]
    controlled = tiny_tokenizer.convert_tokens_to_ids(pieces)
    assert controlled[0] == tiny_tokenizer.cls_token_id
    assert tiny_tokenizer.encode_batch(["a", text], allow_special_tokens=True)[1].tolist() == controlled
    assert tiny_tokenizer.encode_with_offsets(text, allow_special_tokens=True)[0] == controlled
    for ids in (tiny_tokenizer.encode_batch([text])[0].tolist(), tiny_tokenizer.encode_with_offsets(text)[0]):
        assert not set(ids) & (set(tiny_tokenizer.special_ids) - {tiny_tokenizer.unk_token_id})


def test_full_width_letters_spell_no_special_token(tmp_path: Path) -> None:
    # Without Latin letters in the vocabulary the normalised spelling is one unknown piece, "[SEP]".
    write_tokenizer(tmp_path, ["가나다 가나 다라"] * 5, {"vocab_size": 10})
    tokenizer = KoBertTokenizer.from_pretrained(tmp_path)
    for text in ("［ＳＥＰ］", "[SEP]"):
        assert tokenizer.sep_token_id not in tokenizer.encode_batch([text])[0]
        assert tokenizer.sep_token_id not in tokenizer.encode_with_offsets(text)[0]


def test_neighbouring_unknown_characters_are_one_unknown_piece(tiny_tokenizer: KoBertTokenizer) -> None:
    assert tiny_tokenizer.tokenize("뷁쀍") == ["▁", "뷁쀍"]
    assert tiny_tokenizer.encode_batch(["뷁쀍"])[0].tolist()[1:] == [tiny_tokenizer.unk_token_id]


def test_ids_and_names(tiny_tokenizer: KoBertTokenizer, tiny_tokenizer_dir: Path) -> None:
    lines = (tiny_tokenizer_dir / "vocab.txt").read_text(encoding="utf-8").split("\n")[:-1]
    assert tiny_tokenizer.vocab == tuple(lines)
    assert tiny_tokenizer.vocab_size == len(lines)
    assert tiny_tokenizer.special_ids == (0, 1, 2, 3, 4)
    ids = tiny_tokenizer
    assert (ids.unk_token_id, ids.pad_token_id, ids.cls_token_id, ids.sep_token_id, ids.mask_token_id) == (
        0,
        1,
        2,
        3,
        4,
    )
    assert tiny_tokenizer.convert_tokens_to_ids([*lines, "없는것"]) == [*range(len(lines)), 0]
    assert tiny_tokenizer.convert_ids_to_tokens(np.arange(len(lines))) == lines


def test_decoding(tiny_tokenizer: KoBertTokenizer) -> None:
    framed = tiny_tokenizer("오늘은 날씨가  맑아서")["input_ids"]
    assert tiny_tokenizer.decode(framed) == "오늘은 날씨가 맑아서"
    assert tiny_tokenizer.decode(framed, skip_special_tokens=False) == "[CLS] 오늘은 날씨가 맑아서 [SEP]"
    assert tiny_tokenizer.decode(np.array(framed, dtype=np.uint16)) == "오늘은 날씨가 맑아서"
    assert tiny_tokenizer.decode([]) == ""
    for wrong in (-1, tiny_tokenizer.vocab_size):
        with pytest.raises(ValueError, match=f"id {wrong} at position 1"):
            tiny_tokenizer.decode([5, wrong])


def test_wrong_arguments_are_named(tiny_tokenizer: KoBertTokenizer) -> None:
    with pytest.raises(ValueError, match="found the string '한 문장'"):
        tiny_tokenizer.encode_batch("한 문장")
    with pytest.raises(ValueError, match="found the string"):
        tiny_tokenizer.convert_tokens_to_ids("▁한")
    with pytest.raises(ValueError, match="text 1 is None"):
        tiny_tokenizer.encode_batch(["가", None])  # type: ignore[list-item]
    with pytest.raises(ValueError, match="lone surrogate"):
        tiny_tokenizer.encode_batch(["가", "\udc00"])


def test_empty_batches_and_texts(tiny_tokenizer: KoBertTokenizer) -> None:
    assert tiny_tokenizer.encode_batch([]) == []
    assert [row.shape for row in tiny_tokenizer.encode_batch(["", " \n", "\u0301"])] == [(0,), (0,), (0,)]
    assert tiny_tokenizer.encode_with_offsets(" \n") == ([], [])
    assert tiny_tokenizer.tokenize("  ") == []


def test_a_pickled_tokenizer_is_the_same(tiny_tokenizer: KoBertTokenizer) -> None:
    copy = pickle.loads(pickle.dumps(tiny_tokenizer))  # noqa: S301 - our own bytes
    assert copy.fingerprint == tiny_tokenizer.fingerprint
    assert [row.tolist() for row in copy.encode_batch(SENTENCES)] == [
        row.tolist() for row in tiny_tokenizer.encode_batch(SENTENCES)
    ]
