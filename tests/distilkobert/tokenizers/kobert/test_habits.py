"""What people call on tokenizers of transformers by habit, against the same tokenizer as a class of transformers."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from distilkobert import KoBertTokenizer

A, B = "한국어 모델을 공유합니다.", "책"
TEXTS, PAIRS = [A, B], [B, A]


@pytest.fixture(scope="module")
def theirs(tiny_tokenizer: KoBertTokenizer) -> Any:
    return tiny_tokenizer.to_transformers()


CALLS: list[Callable[[Any], Any]] = [
    lambda each: each(TEXTS, padding=True, return_tensors="pt"),
    lambda each: each(TEXTS, PAIRS, padding=True, truncation=True, max_length=9, return_tensors="pt"),
    lambda each: each(A, text_pair=B, truncation="only_first", max_length=8, return_tensors="np"),
    lambda each: each(TEXTS, padding="max_length", max_length=24, truncation=True),
    lambda each: each(TEXTS, padding="do_not_pad", truncation="do_not_truncate"),
    lambda each: {"input_ids": each.encode(A, B, max_length=9, truncation=True)},
    lambda each: each.pad([each(A), each(B)], return_tensors="pt"),
    lambda each: each.pad({"input_ids": each(TEXTS)["input_ids"]}, padding="max_length", max_length=30),
    lambda each: each.pad([each(A), each(B)], pad_to_multiple_of=8, return_tensors="np"),
]


@pytest.mark.parametrize("number", range(len(CALLS)))
def test_calls_give_what_transformers_gives(number: int, tiny_tokenizer: KoBertTokenizer, theirs: Any) -> None:
    ours, expected = CALLS[number](tiny_tokenizer), CALLS[number](theirs)
    assert set(ours) == set(expected)
    for name, value in expected.items():
        assert type(ours[name]) is type(value)
        assert np.array_equal(np.asarray(ours[name], dtype=object), np.asarray(value, dtype=object)), name


def test_texts_of_batches(tiny_tokenizer: KoBertTokenizer, theirs: Any) -> None:
    inputs = tiny_tokenizer(TEXTS, padding=True, return_tensors="pt")
    said = tiny_tokenizer.batch_decode(inputs.input_ids, skip_special_tokens=True)
    assert said == theirs.batch_decode(inputs.input_ids, skip_special_tokens=True)
    assert said == [tiny_tokenizer.decode(row) for row in inputs.input_ids]


def test_inputs_are_attributes_and_move(tiny_tokenizer: KoBertTokenizer) -> None:
    inputs = tiny_tokenizer(TEXTS, padding=True, return_tensors="pt").to("cpu")
    assert inputs.attention_mask is inputs["attention_mask"]
    assert {**inputs}.keys() == {"input_ids", "token_type_ids", "attention_mask"}
    assert torch.equal(copy.deepcopy(inputs).input_ids, inputs.input_ids)
    with pytest.raises(AttributeError, match="the inputs have no labels, only input_ids"):
        _ = inputs.labels


def test_size_and_vocabulary(tiny_tokenizer: KoBertTokenizer, theirs: Any) -> None:
    assert len(tiny_tokenizer) == len(theirs) == tiny_tokenizer.vocab_size
    assert tiny_tokenizer.get_vocab() == theirs.get_vocab()


def test_the_collator_of_transformers(tiny_tokenizer: KoBertTokenizer) -> None:
    from transformers import DataCollatorWithPadding

    rows = [{**tiny_tokenizer(text), "labels": number} for number, text in enumerate(TEXTS)]
    batch = DataCollatorWithPadding(tiny_tokenizer)(rows)
    expected = tiny_tokenizer(TEXTS, padding=True, return_tensors="pt")
    assert batch["labels"].tolist() == [0, 1]
    assert torch.equal(batch["input_ids"], expected.input_ids)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda each: each(TEXTS, padding="always"), "padding is 'always'; expected one of .* or True"),
        (lambda each: each(TEXTS, truncation="first"), "truncation is 'first'; expected one of .* or True"),
        (
            lambda each: each(TEXTS, truncation=True),
            r"needs max_length, the number of tokens to cut to \(512 for KoBERT",
        ),
        (lambda each: each(TEXTS, padding=True, return_tensors="tf"), "return_tensors is 'tf'; expected 'pt', 'np'"),
        (lambda each: each.pad({"labels": [1]}), "pad was given labels; expected input_ids"),
        (lambda each: each.pad([each(A)], padding="max_length"), "needs max_length"),
    ],
)
def test_what_cannot_be(call: Callable[[Any], Any], message: str, tiny_tokenizer: KoBertTokenizer) -> None:
    with pytest.raises(ValueError, match=message):
        call(tiny_tokenizer)
