"""Final consonants against Unicode's own decomposition, and particle forms worked by hand."""

import unicodedata

import pytest

from distilkobert.korean.hangul import choose_particle, is_syllable, spoken_final, syllable_final, with_final


def test_every_syllable_has_the_final_that_unicode_decomposes_it_into() -> None:
    for code in range(0xAC00, 0xD7A4):
        parts = unicodedata.normalize("NFD", chr(code))
        final = syllable_final(chr(code))
        assert (final == "") == (len(parts) == 2)
        if final:  # compatibility and conjoining jamo share the end of their Unicode names
            names = [unicodedata.name(jamo).rsplit(" ", 1)[1] for jamo in (final, parts[2])]
            assert names[0].replace("SSANG", "") == names[1].replace("SSANG", "") or names[0] == names[1]
        assert with_final(chr(code), final) == chr(code)


def test_with_final_composes() -> None:
    assert [with_final("르", "ㄴ"), with_final("썰", "ㄴ"), with_final("강", "")] == ["른", "썬", "가"]


@pytest.mark.parametrize("text", ["", "a", "ㄱ", "가나", "漢"])
def test_only_one_composed_syllable_is_a_syllable(text: str) -> None:
    assert not is_syllable(text)
    with pytest.raises(ValueError, match="one composed Hangul syllable"):
        syllable_final(text)


@pytest.mark.parametrize(
    ("word", "pair", "expected"),
    [
        ("책", "을/를", "을"),
        ("나무", "을/를", "를"),
        ("서울", "으로/로", "로"),
        ("부산", "으로/로", "으로"),
        ("제주", "으로/로", "로"),
        ("서울", "과/와", "과"),
        ("썰", "으면서/면서", "면서"),
        ("읽", "으면서/면서", "으면서"),
        ("1987", "은/는", "은"),  # 칠
        ("2012", "은/는", "는"),  # 이
        ("10", "으로/로", "으로"),  # 십
        ("KTX", "이/가", "가"),  # 엑스
        ("DVD", "으로/로", "로"),
        ("PVR", "은/는", "은"),  # 알
        ("《푸른 강》", "이/가", "이"),
        ("현미경(microscope)", "은/는", "은"),
        ("'바다'", "을/를", "를"),
        ("", "을/를", "를"),
        ("linux", "을/를", "를"),
    ],
)
def test_particle_agrees_with_the_word(word: str, pair: str, expected: str) -> None:
    assert choose_particle(word, *pair.split("/")) == expected


def test_end_that_cannot_be_read_is_none() -> None:
    assert [spoken_final(text) for text in ("linux", "", "漢", "나무", "강")] == [None, None, None, "", "ㅇ"]
