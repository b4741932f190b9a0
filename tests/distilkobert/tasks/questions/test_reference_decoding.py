"""The original's answer labels and string decoding, on cases worked by hand."""

import pytest

from distilkobert.tasks.questions.reference_decoding import read_context, reference_answer_pieces, reference_answer_text

VOCABULARY = (
    "도서",
    "관에",
    "관",
    "에서",
    "책",
    "을",
    "읽",
    "었다",
    "부산",
    "3.5",
    "%",
    "를",
    "(",
    "洪",
    ")",
    "길동",
    "은",
    ".",
)


def tokenize(text: str) -> list[str]:
    """Longest match over a fixed vocabulary, each white-space word marked at its start."""
    pieces = []
    for word in text.split():
        position, mark = 0, "▁"
        while position < len(word):
            known = [piece for piece in VOCABULARY if word.startswith(piece, position)]
            piece = max(known, key=len, default=word[position])
            pieces.append(mark + piece)
            position, mark = position + len(piece), ""
    return pieces


CONTEXT = "도서관에서 책을\t읽었다.  부산(洪)은 3.5%를"


def test_context_is_cut_into_words_and_pieces() -> None:
    context = read_context(CONTEXT, tokenize)
    assert context.words == ("도서관에서", "책을", "읽었다.", "부산(洪)은", "3.5%를")
    assert context.pieces[:5] == ("▁도서", "관에", "서", "▁책", "을")
    assert context.piece_words[:5] == (0, 0, 0, 1, 1)
    assert context.word_of_character == (*[0] * 6, *[1] * 3, *[2] * 6, *[3] * 7, *[4] * 5)
    assert read_context(" 강", tokenize).word_of_character == (-1, 0)


@pytest.mark.parametrize(
    ("answer", "label", "read_out"),
    [
        ("책", "▁책", "책"),  # found among the pieces of its word
        ("도서관", "▁도서 관에 서", "도서관에서"),  # its last piece differs: whole word
        ("3.5%", "▁3.5 %", "3.5%를"),  # right label, but the string is not found among spaced-out words
        ("洪", "▁부산 ( 洪 ) 은", "부산(洪)은"),  # alone it would begin a word
        ("책을\t읽었다.", "▁책 을 ▁읽 었다 .", "책을 읽었다."),
        ("책을\t읽었다", "▁책 을 ▁읽 었다", "책을 읽었다"),
    ],
)
def test_labels_and_decoding(answer: str, label: str, read_out: str) -> None:
    context = read_context(CONTEXT, tokenize)
    pieces = reference_answer_pieces(context, answer, CONTEXT.index(answer), tokenize)
    assert " ".join(context.pieces[pieces[0] : pieces[1] + 1]) == label
    assert reference_answer_text(context, *pieces) == read_out


def test_decoding_within_a_word_and_across_punctuation() -> None:
    context = read_context(CONTEXT, tokenize)
    first = context.pieces.index("▁부산")
    assert reference_answer_text(context, first, first) == "부산"
    assert reference_answer_text(context, first, first + 1) == "부산(洪)은"  # "부산(" stands there as "부산 ("
    assert reference_answer_text(context, first + 1, first + 1) == "("
    assert reference_answer_text(context, 1, 1) == "관에"


def test_ideographs_are_set_apart_like_punctuation() -> None:
    context = read_context("길동吉童은", list)
    assert reference_answer_text(context, 0, 1) == "길동"
    assert reference_answer_text(context, 2, 2) == "吉"
    assert reference_answer_text(context, 2, 3) == "길동吉童은"  # "吉童" stands there as "吉 童"


def test_word_without_pieces_has_no_label() -> None:
    def silent(text: str) -> list[str]:
        return [] if text == "강" else [text]

    context = read_context("산 강 들", silent)
    assert reference_answer_pieces(context, "강", 2, silent) is None
    assert reference_answer_pieces(context, "산 강", 0, silent) == (0, 0)


def test_control_characters_make_the_lengths_differ_and_give_whole_words() -> None:
    context = read_context("가\x07나다", list)
    assert reference_answer_text(context, 2, 2) == "가\x07나다"
