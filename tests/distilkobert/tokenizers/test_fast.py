"""Fast tokenizers behind the interface: special tokens in texts, special ids, and ids of any size and order."""

from pathlib import Path

import numpy as np
import pytest
from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from distilkobert.tokenizers import FastEncoder, KoBertTokenizer, load_tokenizer
from tests.support.tokenizers.kinds import KINDS, save_kind
from tests.support.tokenizers.sentences import SENTENCES


@pytest.fixture(scope="module", params=KINDS)
def encoder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> FastEncoder:
    loaded = load_tokenizer(save_kind(request.param, tmp_path_factory.mktemp(request.param)))
    assert isinstance(loaded, FastEncoder)
    return loaded


def test_no_text_spells_a_special_token(encoder: FastEncoder) -> None:
    tokens = encoder.tokenizer.all_special_tokens
    texts = [*tokens, *(f"서울{token}은 {token} {token}{token}" for token in tokens), "＜s＞ ［SEP］"]
    forbidden = set(encoder.special_ids) - {encoder.unk_token_id}
    for text, ids in zip(texts, encoder.encode_batch(texts), strict=True):
        assert not forbidden & set(ids.tolist()), text
        assert encoder.encode_with_offsets(text)[0] == ids.tolist()


def test_other_texts_are_encoded_as_by_transformers(encoder: FastEncoder) -> None:
    expected = encoder.tokenizer(SENTENCES, add_special_tokens=False)["input_ids"]
    assert [ids.tolist() for ids in encoder.encode_batch(SENTENCES)] == expected
    assert [encoder.encode_with_offsets(text)[0] for text in SENTENCES] == expected


def test_special_ids_are_all_but_the_pieces(encoder: FastEncoder) -> None:
    vocabulary = encoder.tokenizer.get_vocab()
    specials = {encoder.tokenizer.convert_tokens_to_ids(token) for token in encoder.tokenizer.all_special_tokens}
    assert {encoder.mask_token_id, encoder.pad_token_id, encoder.unk_token_id} <= specials == set(encoder.special_ids)
    assert encoder.vocab_size == max(vocabulary.values()) + 1 == len(vocabulary)
    tokens = sorted(vocabulary, key=lambda token: vocabulary[token])
    assert encoder.convert_ids_to_tokens(range(encoder.vocab_size)) == tokens
    with pytest.raises(ValueError, match=rf"id {len(tokens)} is outside the {len(tokens)} ids"):
        encoder.convert_ids_to_tokens([0, len(tokens)])


def words(vocabulary: dict[str, int], **specials: str) -> FastEncoder:
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    names = {f"{name}_token": f"[{name.upper()}]" for name in ("unk", "pad", "cls", "sep", "mask")} | specials
    return FastEncoder(PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names), "here")


SPECIALS = {"[UNK]": 9, "[PAD]": 3, "[CLS]": 0, "[SEP]": 7, "[MASK]": 5}


def test_free_places_and_missing_numbers_count_as_special() -> None:
    encoder = words(SPECIALS | {"[unused1]": 1, "서울": 2, "부산": 11, "<unused_2>": 12, "unused3": 13})
    assert encoder.vocab_size == 14
    assert set(encoder.special_ids) == set(range(14)) - {2, 11, 13}
    assert encoder.pad_token_id == 3
    assert encoder.convert_ids_to_tokens([2, 4]) == ["서울", ""]


@pytest.mark.parametrize(("largest", "dtype"), [(65_535, np.uint16), (65_536, np.uint32), (250_001, np.uint32)])
def test_ids_beyond_two_bytes(largest: int, dtype: type) -> None:
    encoder = words(SPECIALS | {"서울": largest})
    (ids,) = encoder.encode_batch(["서울 서울"])
    assert ids.tolist() == [largest, largest]
    assert ids.dtype == encoder.id_dtype == dtype


def test_first_and_last_token_may_be_named_otherwise() -> None:
    encoder = words(SPECIALS, cls_token=None, sep_token=None, bos_token="[CLS]", eos_token="[SEP]")
    assert (encoder.cls_token_id, encoder.sep_token_id) == (0, 7)
    assert encoder.frame.single([4]) == [0, 4, 7]
    assert words(SPECIALS, mask_token=None).mask_token_id is None
    with pytest.raises(ValueError, match=r"the tokenizer here has no pad token.*tokenizer_config\.json"):
        words(SPECIALS, pad_token=None)


def test_words_added_to_a_vocabulary_are_text() -> None:
    encoder = words(SPECIALS | {"서울": 2})
    encoder.tokenizer.add_tokens([AddedToken("카카오뱅크", special=False)])
    larger = FastEncoder(encoder.tokenizer, "here")
    assert larger.encode_batch(["서울 카카오뱅크"])[0].tolist() == [2, 6]
    assert 6 not in larger.special_ids


def test_kobert_has_the_same_interface(tiny_tokenizer: KoBertTokenizer) -> None:
    assert tiny_tokenizer.mask_token == "[MASK]"
    assert tiny_tokenizer.convert_tokens_to_ids(["[MASK]"]) == [tiny_tokenizer.mask_token_id]


def test_uncased_kinds_lower_letters(tmp_path: Path) -> None:
    uncased, cased = (load_tokenizer(save_kind(kind, tmp_path / kind)) for kind in ("bert_uncased", "bert"))
    assert uncased.encode_with_offsets("Seoul")[0] == uncased.encode_with_offsets("seoul")[0]
    assert cased.fingerprint != uncased.fingerprint
