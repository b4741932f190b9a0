"""Model inputs: frames, segments, truncation against the original's loop, padding, tensors, and refusals."""

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from distilkobert import KoBertTokenizer
from distilkobert.tokenizers.framing import Frame
from distilkobert.tokenizers.inputs import InputShape, build_inputs
from tests.support.tokenizers.sentences import SENTENCES

A, B = SENTENCES[0], SENTENCES[7]
CLS, SEP, PAD = 2, 3, 1


def ids_of(tokenizer: KoBertTokenizer, text: str) -> list[int]:
    return tokenizer.encode_batch([text])[0].tolist()


def test_one_text_and_a_pair(tiny_tokenizer: KoBertTokenizer) -> None:
    a, b = ids_of(tiny_tokenizer, A), ids_of(tiny_tokenizer, B)
    assert tiny_tokenizer(A) == {
        "input_ids": [CLS, *a, SEP],
        "token_type_ids": [0] * (len(a) + 2),
        "attention_mask": [1] * (len(a) + 2),
    }
    assert tiny_tokenizer(A, B) == {
        "input_ids": [CLS, *a, SEP, *b, SEP],
        "token_type_ids": [0] * (len(a) + 2) + [1] * (len(b) + 1),
        "attention_mask": [1] * (len(a) + len(b) + 3),
    }
    assert tiny_tokenizer(A, B, add_special_tokens=False)["input_ids"] == [*a, *b]
    assert tiny_tokenizer("")["input_ids"] == [CLS, SEP]
    assert tiny_tokenizer("", "")["token_type_ids"] == [0, 0, 1]


def test_offsets_of_a_pair_count_in_each_text(tiny_tokenizer: KoBertTokenizer) -> None:
    inputs = tiny_tokenizer(A, B, return_offsets_mapping=True)
    a, b = tiny_tokenizer.encode_with_offsets(A)[1], tiny_tokenizer.encode_with_offsets(B)[1]
    assert inputs["offset_mapping"] == [(0, 0), *a, (0, 0), *b, (0, 0)]
    assert inputs["input_ids"] == tiny_tokenizer(A, B)["input_ids"]


def test_padding_to_the_batch_and_to_a_length(tiny_tokenizer: KoBertTokenizer) -> None:
    texts = [A, "책"]
    batch = tiny_tokenizer(texts, padding="longest", return_offsets_mapping=True)
    alone = [tiny_tokenizer(text, return_offsets_mapping=True) for text in texts]
    fillers: dict[str, Any] = {"input_ids": PAD, "token_type_ids": 0, "attention_mask": 0, "offset_mapping": (0, 0)}
    longest = len(alone[0]["input_ids"])
    for name, filler in fillers.items():
        short = alone[1][name]
        assert batch[name] == [alone[0][name], short + [filler] * (longest - len(short))]
    fixed = tiny_tokenizer("책", max_length=12, padding="max_length")
    assert fixed["input_ids"] == alone[1]["input_ids"] + [PAD] * (12 - len(alone[1]["input_ids"]))
    assert [len(row) for row in tiny_tokenizer(texts)["input_ids"]] == [longest, len(alone[1]["input_ids"])]


def test_tensors(tiny_tokenizer: KoBertTokenizer) -> None:
    single = tiny_tokenizer(A, return_tensors="pt", return_offsets_mapping=True)
    length = len(tiny_tokenizer(A)["input_ids"])
    assert single["input_ids"].shape == (1, length)
    assert single["offset_mapping"].shape == (1, length, 2)
    batch = tiny_tokenizer([A, B], padding="longest", return_tensors="pt")
    assert batch["input_ids"].dtype == torch.int64
    assert batch["input_ids"].tolist() == tiny_tokenizer([A, B], padding="longest")["input_ids"]
    with pytest.raises(ValueError, match="set padding='longest'"):
        tiny_tokenizer([A, "책"], return_tensors="pt")
    with pytest.raises(ValueError, match="no texts"):
        tiny_tokenizer([], return_tensors="pt")
    assert tiny_tokenizer([])["input_ids"] == []


def test_text_is_text_unless_asked(tiny_tokenizer: KoBertTokenizer) -> None:
    assert tiny_tokenizer("가[SEP]나")["input_ids"].count(SEP) == 1
    assert tiny_tokenizer("가[SEP]나", allow_special_tokens=True)["input_ids"].count(SEP) == 2
    inputs = tiny_tokenizer("가[SEP]나", allow_special_tokens=True, return_offsets_mapping=True)
    assert inputs["offset_mapping"][inputs["input_ids"].index(SEP)] == (1, 6)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 12), st.one_of(st.none(), st.integers(0, 12)), st.integers(3, 20), st.booleans())
def test_longest_first_is_the_originals_loop(first: int, second: int | None, max_length: int, framed: bool) -> None:
    shape = InputShape(max_length, "longest_first", False, framed)
    firsts = [([10 + n for n in range(first)], [(n, n + 1) for n in range(first)])]
    seconds = None if second is None else [([50 + n for n in range(second)], [(n, n + 1) for n in range(second)])]
    row = build_inputs(firsts, seconds, shape, Frame.bert(CLS, SEP, PAD))
    a, b = list(firsts[0][0]), list(seconds[0][0]) if seconds else []
    specials = (2 if second is None else 3) if framed else 0
    while len(a) + len(b) + specials > max_length:
        (a if second is None or len(a) > len(b) else b).pop()
    kept = [number for number in row["input_ids"][0] if number >= 10]
    assert kept == a + b
    assert len(row["offset_mapping"][0]) == len(row["input_ids"][0]) == len(row["token_type_ids"][0])


def test_one_side_alone_is_cut(tiny_tokenizer: KoBertTokenizer) -> None:
    a, b = ids_of(tiny_tokenizer, A), ids_of(tiny_tokenizer, B)
    limit = len(a) + len(b)
    cut_first = tiny_tokenizer(A, B, max_length=limit, truncation="only_first")["input_ids"]
    cut_second = tiny_tokenizer(A, B, max_length=limit, truncation="only_second")["input_ids"]
    assert cut_first == [CLS, *a[:-3], SEP, *b, SEP]
    assert cut_second == [CLS, *a, SEP, *b[:-3], SEP]
    assert tiny_tokenizer([A, "책"], max_length=5, truncation="only_first")["input_ids"][0] == [CLS, *a[:3], SEP]


def test_inputs_that_do_not_fit_are_refused_by_number(tiny_tokenizer: KoBertTokenizer) -> None:
    pieces = len(ids_of(tiny_tokenizer, A))
    with pytest.raises(ValueError, match=rf"input 1 has {pieces} pieces, and max_length=8 takes 6"):
        tiny_tokenizer(["책", A], max_length=8)
    with pytest.raises(ValueError, match="its first text, the only one that truncation='only_first' may cut, has 2"):
        tiny_tokenizer("책", A, max_length=8, truncation="only_first")
    with pytest.raises(ValueError, match="too short for the special tokens"):
        tiny_tokenizer(A, B, max_length=2, truncation="longest_first")


def test_settings_that_contradict_each_other_are_refused(tiny_tokenizer: KoBertTokenizer) -> None:
    with pytest.raises(ValueError, match="truncation='only_first' needs max_length"):
        tiny_tokenizer(A, truncation="only_first")
    with pytest.raises(ValueError, match="padding='max_length' needs max_length"):
        tiny_tokenizer(A, padding="max_length")
    with pytest.raises(ValueError, match="truncation is 'longer'; expected one of"):
        tiny_tokenizer(A, max_length=9, truncation="longer")
    with pytest.raises(ValueError, match="padding is 'longer'; expected one of"):
        tiny_tokenizer(A, padding="longer")
    with pytest.raises(ValueError, match="return_tensors is 'tf'"):
        tiny_tokenizer(A, return_tensors="tf")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="max_length is 0"):
        tiny_tokenizer(A, max_length=0)
    with pytest.raises(ValueError, match="2 texts and 1 texts in text_pair"):
        tiny_tokenizer([A, B], [A])
    with pytest.raises(ValueError, match="must both be one string"):
        tiny_tokenizer([A, B], A)
