"""The real KoBERT tokenizer on real texts: the published example, the naive algorithm, and the transformers build."""

import lzma
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

from distilkobert import KoBertTokenizer
from tests.support.tokenizers.reference import TEXTS, NaiveTokenizer, naive_normalize

pytestmark = pytest.mark.real_data


@pytest.fixture(scope="module")
def folder(real_data_dir: Path) -> Path:
    return real_data_dir / "kobert_tokenizer"


@pytest.fixture(scope="module")
def tokenizer(folder: Path) -> KoBertTokenizer:
    return KoBertTokenizer.from_pretrained(folder)


@pytest.fixture(scope="module")
def naive(folder: Path) -> NaiveTokenizer:
    return NaiveTokenizer(folder)


@pytest.fixture(scope="module")
def reviews(real_data_dir: Path) -> list[str]:
    """20,000 reviews of the NSMC test split."""
    with lzma.open(real_data_dir / "nsmc" / "ratings_test.txt.xz", "rt", encoding="utf-8", newline="\n") as stream:
        rows = stream.read().split("\n")[1:20_001]
    return [row.split("\t")[1] for row in rows]


@pytest.fixture(scope="module")
def paragraphs(real_data_dir: Path) -> list[str]:
    """3,000 lines from the mixed corpus: statutes, documents, petitions, reviews."""
    with lzma.open(real_data_dir / "corpus_ko" / "corpus_ko.txt.xz", "rt", encoding="utf-8") as stream:
        return [line.rstrip("\n") for line, _ in zip(stream, range(3000), strict=False)]


def test_the_published_example(tokenizer: KoBertTokenizer) -> None:
    # README of monologg/KoBERT-Transformers and of monologg/DistilKoBERT.
    pieces = tokenizer.tokenize("[CLS] 한국어 모델을 공유합니다. [SEP]")
    assert pieces == ["[CLS]", "▁한국", "어", "▁모델", "을", "▁공유", "합니다", ".", "[SEP]"]
    assert tokenizer.convert_tokens_to_ids(pieces) == [2, 4958, 6855, 2046, 7088, 1050, 7843, 54, 3]
    assert tokenizer("한국어 모델을 공유합니다.")["input_ids"] == [2, 4958, 6855, 2046, 7088, 1050, 7843, 54, 3]


def test_the_vocabulary_is_kobert_s(tokenizer: KoBertTokenizer) -> None:
    assert tokenizer.vocab_size == 8002
    assert tokenizer.special_ids == (0, 1, 2, 3, 4)
    assert tokenizer.id_dtype == np.uint16
    assert list(tokenizer.vocab[5:]) == sorted(tokenizer.vocab[5:])
    assert not [piece for piece in tokenizer.vocab if piece[-1] == "," and piece[-2:-1].isdigit()]


@settings(max_examples=1500, deadline=None)
@given(text=TEXTS)
def test_ids_on_random_texts_are_those_of_the_naive_algorithm(
    tokenizer: KoBertTokenizer, naive: NaiveTokenizer, text: str
) -> None:
    expected = naive.encode(text)
    assert tokenizer.encode_batch([text])[0].tolist() == expected
    assert tokenizer.encode_with_offsets(text)[0] == expected


def test_ids_on_real_texts_are_those_of_the_naive_algorithm(
    tokenizer: KoBertTokenizer, naive: NaiveTokenizer, reviews: list[str], paragraphs: list[str]
) -> None:
    texts = reviews + paragraphs
    for text, row in zip(texts, tokenizer.encode_batch(texts), strict=True):
        assert row.tolist() == naive.encode(text), text


def test_spans_on_real_texts_hold_their_pieces(
    tokenizer: KoBertTokenizer, naive: NaiveTokenizer, reviews: list[str], paragraphs: list[str]
) -> None:
    for text in reviews[:2000] + paragraphs[:1000]:
        ids, spans = tokenizer.encode_with_offsets(text)
        assert ids == naive.encode(text)
        for piece, (start, end) in zip(naive.pieces(text), spans, strict=True):
            source = naive.model.Normalize(naive_normalize(text[start:end])).replace("▁", "")
            assert piece.removeprefix("▁") in source, (text, piece)


def test_the_transformers_build_agrees_on_real_reviews(tokenizer: KoBertTokenizer, reviews: list[str]) -> None:
    theirs = tokenizer.to_transformers()(reviews, add_special_tokens=False)["input_ids"]
    ours = tokenizer.encode_batch(reviews)
    different = sum(row.tolist() != other for row, other in zip(ours, theirs, strict=True))
    # Equal-score ties, such as four dots in a row, may be cut differently.
    assert different / len(reviews) <= 0.003
