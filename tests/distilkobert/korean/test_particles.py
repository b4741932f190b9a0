"""Particles: agreement worked by hand, and properties of the split on any text."""

import itertools
import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distilkobert.korean.particles import (
    NOT_STRIPPED,
    PARTICLES,
    agrees,
    encode_text,
    split_words,
    strip_particle,
    trailing_particle,
)
from tests.support.tokenizers import toy_pieces

KOREAN = st.text(
    st.sampled_from("강나무서울책은는을를이가의에로으부터 AzK19.,()《》'\"ㅋㅠ漢カ\u0301\u1112\t\n")
    | st.characters(exclude_categories=("Cs",)),
    max_size=40,
)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("부산에서", "부산"),
        ("부산에서는", "부산"),
        ("도서관을", "도서관"),
        ("도서관를", "도서관를"),  # does not agree
        ("나무를", "나무"),
        ("나무을", "나무을"),
        ("서울로", "서울"),
        ("서울으로", "서울으로"),
        ("부산으로", "부산"),
        ("부산로", "부산로"),
        ("제주로", "제주"),
        ("교사였다", "교사"),
        ("학생이었다", "학생"),
        ("학생이라는", "학생"),
        ("교사라는", "교사"),
        ("1987년에", "1987년"),
        ("1987은", "1987"),  # 칠
        ("2012은", "2012은"),  # 이
        ("KTX를", "KTX"),
        ("KTX을", "KTX을"),
        ("linux을", "linux"),  # cannot be read: either form
        ("linux를", "linux"),
        ("《푸른 강》을", "《푸른 강》"),
        ("현미경(microscope)은", "현미경(microscope)"),
        ("책을", "책을"),  # one character would remain
        ("강의", "강의"),
        ("제주도", "제주도"),
        ("한국인", "한국인"),
        ("부산", "부산"),
        ("에서", "에서"),
        ("을", "을"),
        ("", ""),
        ("부산에서의", "부산"),  # one step, the longest
        ("서울에서부터", "서울에서"),
    ],
)
def test_strip_particle(answer: str, expected: str) -> None:
    assert strip_particle(answer) == expected


def test_particle_with_two_forms_agrees_with_exactly_one_kind_of_word() -> None:
    for closed, opened in (
        ("이", "가"),
        ("을", "를"),
        ("은", "는"),
        ("과", "와"),
        ("이라는", "라는"),
        ("이라고", "라고"),
        ("이란", "란"),
    ):
        for final in ("ㄱ", "ㄹ", "ㅇ"):
            assert agrees(closed, final)
            assert not agrees(opened, final)
        assert agrees(opened, "")
        assert not agrees(closed, "")
    for closed, opened in (("으로", "로"), ("으로서", "로서"), ("으로부터", "로부터")):
        assert [agrees(closed, final) for final in ("ㄱ", "ㄹ", "")] == [True, False, False]
        assert [agrees(opened, final) for final in ("ㄱ", "ㄹ", "")] == [False, True, True]
    for particle in ("의", "에", "에서", "까지", "이다"):
        assert all(agrees(particle, final) for final in ("ㄱ", "ㄹ", "", None))
    assert not agrees("학교", None)


def test_list_has_about_the_documented_size_and_only_hangul() -> None:
    assert 70 <= len(PARTICLES) <= 85
    assert all(re.fullmatch("[가-힣]{1,4}", particle) for particle in PARTICLES)
    assert NOT_STRIPPED < PARTICLES


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("도서관에서 책을 읽었다.", "도서관|에서|책|을|읽었다|."),
        ("1987년에는 3.5%가 1,200명을", "1987|년|에는|3.5|%|가|1,200|명|을"),
        ("《푸른 강》으로", "《|푸른|강|》|으로"),
        ("(A)에서는 'B'이라는", "(|A|)|에서는|'|B|'|이라는"),  # particles themselves stay whole
        ("KTX(급행)를 탄다...", "KTX|(|급행|)|를|탄다|..."),
        ("홍길동(洪吉童)은", "홍길동|(|洪吉童|)|은"),
        ("café는 ㅋㅋㅋ재미ㅠㅠ", "café|는|ㅋㅋㅋ|재미|ㅠㅠ"),
        ("나을 책를", "나을|책를"),
        ("에서 으로", "에서|으로"),
        ("カナ가", "カナ|가"),
        ('"가"(나)', '"|가|"|(|나|)'),
        ("", ""),
        (" \t\n", ""),
    ],
)
def test_split_words(text: str, parts: str) -> None:
    assert "|".join(text[start:end] for start, end in split_words(text)) == parts


def test_decomposed_syllables_stay_together() -> None:
    text = unicodedata.normalize("NFD", "도서관에서 책을")
    assert [text[start:end] for start, end in split_words(text)] == text.split()


@given(KOREAN)
@settings(max_examples=100, deadline=None)
def test_parts_are_ordered_and_hold_every_visible_character(text: str) -> None:
    spans = split_words(text)
    assert all(start < end for start, end in spans)
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(spans))
    inside = {place for start, end in spans for place in range(start, end)}
    assert inside == {place for place, character in enumerate(text) if not character.isspace()}


@given(KOREAN)
@settings(max_examples=100, deadline=None)
def test_split_encoding_has_the_characters_of_the_text_and_crosses_no_cut(text: str) -> None:
    ids, spans = encode_text(text, toy_pieces.encode, "split")
    assert len(ids) == len(spans)
    places = [place for start, end in spans for place in range(start, end)]
    assert places == [place for place, character in enumerate(text) if not character.isspace()]
    cuts = {place for span in split_words(text) for place in span}
    for number, (start, end) in zip(ids, spans, strict=True):
        assert not any(start < cut < end for cut in cuts)
        if start == end:  # a mark stays only where a word of the original begins
            assert number == toy_pieces.MARK
            assert start == 0 or text[start - 1].isspace()
        else:
            assert number == sum(map(ord, text[start:end]))


@pytest.mark.parametrize("particles", ["none", "strip"])
def test_other_modes_encode_the_text_as_it_is(particles: str) -> None:
    text = "도서관에서 책을"
    assert encode_text(text, toy_pieces.encode, particles) == toy_pieces.encode(text)


def test_trailing_particle_is_the_longest_that_agrees() -> None:
    assert [trailing_particle(word) for word in ("집으로부터", "서울로부터", "학교", "나", "교사인")] == [
        "으로부터",
        "로부터",
        "",
        "",
        "인",
    ]
