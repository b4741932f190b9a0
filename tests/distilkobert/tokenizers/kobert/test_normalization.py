"""Normalisation against a naive second implementation, and the way back to the original text."""

import re
import unicodedata

import pytest
from hypothesis import given, settings

from distilkobert.tokenizers.kobert.normalization import PLAIN_PROBE, is_plain, normalize_text, normalize_with_origins
from tests.support.tokenizers.reference import TEXTS, naive_normalize

_NFD_GAK = unicodedata.normalize("NFD", "각")


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_normalization_is_that_of_the_naive_steps(text: str) -> None:
    assert normalize_text(text) == naive_normalize(text)


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_every_normalized_character_comes_from_its_span(text: str) -> None:
    normalized, origins = normalize_with_origins(text)
    assert normalized == naive_normalize(text)
    assert len(normalized) == len(origins)
    for character, (start, end) in zip(normalized, origins, strict=True):
        assert 0 <= start < end <= len(text)
        if character != " ":
            assert character in naive_normalize(text[start:end])
    assert origins == sorted(origins)


@pytest.mark.parametrize(
    ("text", "normalized", "origins"),
    [
        ("", "", []),
        (" \t\n ", "", []),
        ("  a \n b ", "a b", [(2, 3), (3, 6), (6, 7)]),
        ("``a''", '"a"', [(0, 2), (2, 3), (3, 5)]),
        ("'''", "\"'", [(0, 2), (2, 3)]),
        ("＇＇", "''", [(0, 1), (1, 2)]),
        ("ＡＢ１", "AB1", [(0, 1), (1, 2), (2, 3)]),
        ("⑳a", "20a", [(0, 1), (0, 1), (1, 2)]),
        ("é", "e", [(0, 1)]),
        ("e\u0301\u0323x", "ex", [(0, 3), (3, 4)]),
        ("\u0301x", "x", [(1, 2)]),
        ("x \u0301", "x ", [(0, 1), (1, 2)]),
        ("각", _NFD_GAK, [(0, 1)] * 3),
        (_NFD_GAK, _NFD_GAK, [(0, 1), (1, 2), (2, 3)]),
        ("ㅋㅠ", "\u110f\u1172", [(0, 1), (1, 2)]),
    ],
)
def test_hand_worked_origins(text: str, normalized: str, origins: list[tuple[int, int]]) -> None:
    assert normalize_with_origins(text) == (normalized, origins)
    assert normalize_text(text) == normalized


@pytest.fixture(scope="module")
def plain_characters() -> set[str]:
    return {character for character in map(chr, range(0x110000)) if is_plain(character)}


def test_plain_characters_change_only_as_hangul_does(plain_characters: set[str]) -> None:
    assert len(plain_characters) > 11_172 + 95
    for character in plain_characters:
        decomposed = unicodedata.normalize("NFKD", character)
        assert unicodedata.combining(character) == 0
        if "가" <= character <= "힣":
            assert unicodedata.normalize("NFC", decomposed) == character
        elif "ㄱ" <= character <= "ㅣ":
            # One initial consonant or one vowel: a final consonant would join the syllable before it.
            assert re.fullmatch("[\u1100-\u1112\u1161-\u1175]", decomposed)
        else:
            assert decomposed == character


def test_the_probe_holds_every_plain_character_and_is_plain(plain_characters: set[str]) -> None:
    assert set(PLAIN_PROBE) == plain_characters
    assert is_plain(PLAIN_PROBE)


@pytest.mark.parametrize("text", ["``", "''", "ㅋㅠ", "가ㄳ", "가\n나", "①", "é", "\x00", "가\u0301", "\u1100"])
def test_texts_that_normalization_changes_are_not_plain(text: str) -> None:
    assert not is_plain(text)


def test_half_a_surrogate_pair_is_refused_with_its_place() -> None:
    for call in (normalize_text, normalize_with_origins):
        with pytest.raises(ValueError, match=r"U\+D83D at character 3"):
            call("안녕 \ud83d!")
