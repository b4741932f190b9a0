"""Character spans: hand-worked cases, and what every span must fulfil on random texts."""

import unicodedata
from pathlib import Path

import pytest
from hypothesis import example, given, settings

from distilkobert import KoBertTokenizer
from tests.support.tokenizers.reference import TEXTS, NaiveTokenizer, naive_normalize, write_tokenizer
from tests.support.tokenizers.sentences import SENTENCES


@pytest.fixture(scope="module")
def naive(tiny_tokenizer_dir: Path) -> NaiveTokenizer:
    return NaiveTokenizer(tiny_tokenizer_dir)


def spans_by_piece(tokenizer: KoBertTokenizer, text: str) -> list[tuple[str, str]]:
    """Each piece beside the slice of the original text that its span gives."""
    _, spans = tokenizer.encode_with_offsets(text)
    return [(piece, text[start:end]) for piece, (start, end) in zip(tokenizer.tokenize(text), spans, strict=True)]


def final_form(naive: NaiveTokenizer, text: str) -> str:
    return naive.model.Normalize(naive_normalize(text)).replace("▁", "")


@settings(max_examples=200, deadline=None)
@given(TEXTS)
@example("`  `")
@example("ﷺ")  # one character of four words: their marks have empty spans at its start, after spans that end behind it
def test_spans_hold_what_the_pieces_came_from(
    tiny_tokenizer: KoBertTokenizer, naive: NaiveTokenizer, text: str
) -> None:
    _, spans = tiny_tokenizer.encode_with_offsets(text)
    pieces = naive.pieces(text)
    assert len(spans) == len(pieces)
    for piece, (start, end) in zip(pieces, spans, strict=True):
        letters = piece.removeprefix("▁")
        assert 0 <= start <= end <= len(text)
        assert (start == end) == (not letters)
        assert text[start:end] == text[start:end].strip()
        assert letters.replace("▁", "") in final_form(naive, text[start:end])
    starts, ends = [start for start, _ in spans], [end for start, end in spans if start < end]
    assert starts == sorted(starts)
    assert ends == sorted(ends)
    inside = {position for start, end in spans for position in range(start, end)}
    # White space stays: two backticks apart must not become the double quote that two together are.
    covered = "".join(c if p in inside else " " if c.isspace() else "" for p, c in enumerate(text))
    assert final_form(naive, covered) == final_form(naive, text).replace("▁", "")


@pytest.mark.parametrize("sentence", SENTENCES)
def test_spans_of_plain_sentences_are_their_pieces(tiny_tokenizer: KoBertTokenizer, sentence: str) -> None:
    pairs = spans_by_piece(tiny_tokenizer, sentence)
    assert "".join(found for _, found in pairs) == sentence.replace(" ", "")
    assert all(found == piece.removeprefix("▁") for piece, found in pairs)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("가\n\n 나", [("▁가", "가"), ("▁나", "나")]),
        ("가 \u3000나 ", [("▁가", "가"), ("▁나", "나")]),
        ("１２", [("1", "１"), ("2", "２")]),
        ("⑫", [("1", "⑫"), ("2", "⑫")]),
        ("㈎", [("(", "㈎"), ("가", "㈎"), (")", "㈎")]),
        (unicodedata.normalize("NFD", "학교"), [("▁학교", unicodedata.normalize("NFD", "학교"))]),
        ("ﾡㅏ", [("가", "ﾡㅏ")]),
        ("각́", [("각", "각́")]),
        ("``가''", [('"', "``"), ("가", "가"), ('"', "''")]),
        ("x\u0301\u0308", [("x", "x\u0301\u0308")]),
        ("가\u200b", [("▁가", "가")]),
    ],
)
def test_spans_through_every_normalization(
    tiny_tokenizer: KoBertTokenizer, text: str, expected: list[tuple[str, str]]
) -> None:
    found = [(piece, part) for piece, part in spans_by_piece(tiny_tokenizer, text) if piece != "▁"]
    expected_letters = "".join(piece.removeprefix("▁") for piece, _ in expected)
    assert "".join(piece.removeprefix("▁") for piece, _ in found) == expected_letters
    assert [part for _, part in found] == [part for _, part in expected]


def test_a_lone_word_start_has_an_empty_span_before_the_word(tiny_tokenizer: KoBertTokenizer) -> None:
    text = "  뷁 뷁"
    assert tiny_tokenizer.tokenize(text) == ["▁", "뷁", "▁", "뷁"]
    assert tiny_tokenizer.encode_with_offsets(text)[1] == [(2, 2), (2, 3), (4, 4), (4, 5)]


def test_spans_around_special_tokens_count_from_the_start_of_the_text(tiny_tokenizer: KoBertTokenizer) -> None:
    text = " 가 [MASK]나"
    ids, spans = tiny_tokenizer.encode_with_offsets(text, allow_special_tokens=True)
    mask = ids.index(tiny_tokenizer.mask_token_id)
    assert text[slice(*spans[mask])] == "[MASK]"
    assert [text[start:end] for start, end in spans if start < end] == ["가", "[MASK]", "나"]


def test_rules_of_the_model_that_make_two_characters_of_one_or_none(tmp_path: Path) -> None:
    rules = tmp_path / "rules.tsv"
    rules.write_text("DF\t73 73\n2A\t\n")  # sharp s gives two letters, an asterisk nothing
    lines = ["s t r a e", "stras se"] * 4
    write_tokenizer(tmp_path, lines, {"vocab_size": 11, "normalization_rule_tsv": str(rules)})
    tokenizer = KoBertTokenizer.from_pretrained(tmp_path)
    text = "*stra*ß*e*"
    assert "".join(tokenizer.tokenize(text.replace("*", "").replace("ß", "ss"))) == "▁strasse"
    ids, spans = tokenizer.encode_with_offsets(text)
    letters = ["s", "t", "r", "a", "ß", "ß", "e"]
    assert ids == tokenizer.encode_batch(["strasse"])[0].tolist()
    pieces = [piece.removeprefix("▁") for piece in tokenizer.convert_ids_to_tokens(ids)]
    for piece, (start, end) in zip(pieces, spans, strict=True):
        expected, letters = letters[: len(piece)], letters[len(piece) :]
        assert text[start:end].strip("*") == text[start:end]
        assert text[start:end].replace("*", "") == "".join(dict.fromkeys(expected))
