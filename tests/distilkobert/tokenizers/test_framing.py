"""Frames of every kind of tokenizer, against what transformers itself puts around random texts."""

import random
from pathlib import Path

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from distilkobert.tokenizers import Frame, KoBertTokenizer, TextEncoder, load_tokenizer
from tests.support.tokenizers.kinds import KINDS, save_kind
from tests.support.tokenizers.sentences import SENTENCES

BERT = ("[CLS] A [SEP]", "[CLS] A [SEP] B [SEP]", "000", "00011")
ROBERTA = ("<s> A </s>", "<s> A </s> </s> B </s>", "000", "000000")
EXPECTED = {
    **dict.fromkeys(("bert", "bert_uncased", "modernbert", "albert", "deberta"), BERT),
    **dict.fromkeys(("roberta", "xlm_roberta", "camembert"), ROBERTA),
    "xlnet": ("A <sep> <cls>", "A <sep> B <sep> <cls>", "002", "00112"),
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("kinds")
    return {kind: save_kind(kind, root / kind) for kind in KINDS}


def random_texts(count: int, seed: int) -> list[str]:
    """Words of our sentences, Latin letters, numbers and signs, in random order and number."""
    words = [*" ".join(SENTENCES).split(), "BERT", "Naïve", "1,024", "(ㅋㅋ)", "👍", "한국", "?!", "3.14%"]
    draw = random.Random(seed)
    return [" ".join(draw.choices(words, k=draw.randint(1, 12))) for _ in range(count)]


def check_frames(encoder: TextEncoder, tokenizer: PreTrainedTokenizerFast) -> None:
    firsts, seconds = random_texts(40, seed=1), random_texts(40, seed=2)
    first_ids = [row.tolist() for row in encoder.encode_batch(firsts)]
    second_ids = [row.tolist() for row in encoder.encode_batch(seconds)]
    frame = encoder.frame
    single = tokenizer(firsts, return_token_type_ids=True)
    assert [frame.single(ids) for ids in first_ids] == single["input_ids"]
    assert [frame.segments(len(ids)) for ids in first_ids] == single["token_type_ids"]
    pair = tokenizer(firsts, seconds, return_token_type_ids=True)
    framed = [frame.pair(*both) for both in zip(first_ids, second_ids, strict=True)]
    assert [ids for ids, _ in framed] == pair["input_ids"]
    assert [segments for _, segments in framed] == pair["token_type_ids"]
    assert frame.special_count(1) == len(single["input_ids"][0]) - len(first_ids[0])
    assert frame.special_count(2) == len(pair["input_ids"][0]) - len(first_ids[0]) - len(second_ids[0])
    start = frame.second_start(len(first_ids[0]))
    assert pair["input_ids"][0][start : start + len(second_ids[0])] == second_ids[0]
    assert frame.special_ids == {*frame.prefix, *frame.middle, *frame.suffix, tokenizer.pad_token_id}


@pytest.mark.parametrize("kind", KINDS)
def test_frames_are_those_of_transformers(kind: str, folders: dict[str, Path]) -> None:
    check_frames(load_tokenizer(folders[kind]), AutoTokenizer.from_pretrained(folders[kind]))


@pytest.mark.parametrize("kind", KINDS)
def test_frames_as_they_are_known(kind: str, folders: dict[str, Path]) -> None:
    frame, tokenizer = load_tokenizer(folders[kind]).frame, AutoTokenizer.from_pretrained(folders[kind])
    tokenizer.add_tokens(["A", "B"])
    a, b = tokenizer.convert_tokens_to_ids(["A", "B"])
    single, pair, single_segments, pair_segments = EXPECTED[kind]
    assert frame.single([a]) == tokenizer.convert_tokens_to_ids(single.split())
    assert frame.pair([a], [b])[0] == tokenizer.convert_tokens_to_ids(pair.split())
    assert ("".join(map(str, frame.single_segments)), "".join(map(str, frame.pair_segments))) == (
        single_segments,
        pair_segments,
    )


@pytest.mark.parametrize("kind", KINDS)
def test_exported_tokenizers_frame_as_training_did(kind: str, folders: dict[str, Path], tmp_path: Path) -> None:
    encoder = load_tokenizer(folders[kind])
    encoder.to_transformers(model_max_length=64, segment_ids=True).save_pretrained(tmp_path)
    exported = AutoTokenizer.from_pretrained(tmp_path)
    check_frames(encoder, exported)
    assert exported.mask_token_id == encoder.mask_token_id
    assert load_tokenizer(tmp_path).frame == encoder.frame


def test_kobert_has_the_frame_of_bert(tiny_tokenizer: KoBertTokenizer, tmp_path: Path) -> None:
    frame = tiny_tokenizer.frame
    assert frame == Frame.bert(2, 3, 1)
    assert frame.single([7, 8]) == [2, 7, 8, 3]
    assert frame.pair([7, 8], [9]) == ([2, 7, 8, 3, 9, 3], [0, 0, 0, 0, 1, 1])
    assert frame.pair([], []) == ([2, 3, 3], [0, 0, 1])
    tiny_tokenizer.to_transformers().save_pretrained(tmp_path)
    check_frames(load_tokenizer(tmp_path), AutoTokenizer.from_pretrained(tmp_path))


def _words(template: str, pair: str) -> Tokenizer:
    tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0, "[PAD]": 1, "<a>": 2, "<b>": 3, "가": 4}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single=template, pair=pair, special_tokens=[("<a>", 2), ("<b>", 3)]
    )
    return tokenizer


def test_several_special_tokens_and_none() -> None:
    frame = Frame.of(_words("<a>:0 <b>:1 $A:2", "<a>:0 <b>:1 $A:3 <a>:4 <a>:5 $B:6"), 1, "here")
    assert frame.single([8, 9]) == [2, 3, 8, 9]
    assert frame.segments(2) == [0, 1, 2, 2]
    assert frame.pair([8, 9], [7]) == ([2, 3, 8, 9, 2, 2, 7], [0, 1, 3, 3, 4, 5, 6])
    assert frame.without_specials().pair([8, 9], [7]) == ([8, 9, 7], [3, 3, 6])
    assert frame.without_specials().segments(2) == [2, 2]
    assert Frame.of(_words("$A", "$A $B:1"), 1, "here").is_empty


@pytest.mark.parametrize(("single", "pair"), [("<a> $A", "<a> $B $A"), ("<a> $A", "<b> $A $B"), ("$A", "$A $B <b>")])
def test_unsupported_frames_are_refused(single: str, pair: str) -> None:
    with pytest.raises(ValueError, match="tokenizer here frames one text or a pair in an unsupported way"):
        Frame.of(_words(single, pair), 1, "here")


def test_numbers_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(ValueError, match="single_segments has 2 numbers; expected 3"):
        Frame((1,), (2,), (2,), 0, (0, 0), (0, 0, 0, 1, 1))
    with pytest.raises(ValueError, match="texts is 3; expected 1 or 2"):
        Frame.bert(1, 2, 0).special_count(3)
