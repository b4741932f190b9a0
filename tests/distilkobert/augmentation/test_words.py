"""Words of texts, and which pieces of a vocabulary may make one, for every kind of tokenizer."""

from itertools import pairwise

import pytest

from distilkobert import KoBertTokenizer
from distilkobert.augmentation.vocabulary import WordPieces
from distilkobert.augmentation.words import find_words, is_letters
from distilkobert.tokenizers.fast import FastEncoder
from distilkobert.tokenizers.loading import TextEncoder
from tests.support.tokenizers.fast import KINDS, build
from tests.support.tokenizers.sentences import SENTENCES

TEXT = '  "친구와" (영화를) 봤다...  그리고 3시에 —— 집에 갔다!'
WORDS = ["친구와", "영화를", "봤다", "그리고", "3시에", "집에", "갔다"]


@pytest.fixture(params=["kobert", *KINDS])
def encoder(request: pytest.FixtureRequest, tiny_tokenizer: KoBertTokenizer) -> TextEncoder:
    if request.param == "kobert":
        return tiny_tokenizer
    return FastEncoder(build(request.param, SENTENCES), request.param)


def test_words_are_between_spaces_without_the_punctuation_at_their_ends(encoder: TextEncoder) -> None:
    ids, words = find_words(TEXT, encoder)
    found = [TEXT[word.start : word.end] for word in words]
    stops = any("다." in token for token in encoder.convert_ids_to_tokens(ids))
    assert [word.rstrip(".") for word in found] == WORDS
    assert (found == WORDS) is not stops  # a full stop in one piece with letters belongs to the word
    assert [TEXT[slice(*word.outer)] for word in words][:3] == ['"친구와"', "(영화를)", "봤다..."]
    for word in words:
        assert word.outer_pieces[0] <= word.first < word.stop <= word.outer_pieces[1] <= len(ids)
    assert all(one.stop <= other.first for one, other in pairwise(words))
    assert words[1].replaced(TEXT, "책을") == " (책을)"
    assert find_words("가다 오다", encoder)[1][0].replaced("가다 오다", "서다") == "서다"


@pytest.mark.parametrize("text", ["", " ", "... !?", "——"])
def test_texts_without_a_word(text: str, encoder: TextEncoder) -> None:
    assert find_words(text, encoder)[1] == []


def test_the_pieces_of_a_word_are_those_of_the_word_alone(encoder: TextEncoder) -> None:
    """Where a word has no punctuation, the text between the spaces is cut alone as it is in the text."""
    for text in SENTENCES[:40]:
        ids, words = find_words(text, encoder)
        assert words, text
        for word in words:
            first, stop = word.outer_pieces
            alone = encoder.encode_batch([word.replaced(text, text[word.start : word.end])])[0]
            assert list(ids[first:stop]) == alone.tolist()


def test_pieces_that_may_start_and_go_on(encoder: TextEncoder) -> None:
    pieces = WordPieces(encoder, "tiny")
    ids, words = find_words(SENTENCES[0], encoder)
    unknown = encoder.unk_token_id
    for word in words:
        first, *rest = ids[word.first : word.stop]
        written = SENTENCES[0][word.start : word.end]
        whole = all(pieces.text([piece]) for piece in (first, *rest))  # some are bytes of a character, or a lone mark
        if unknown in (first, *rest) or not whole or not is_letters(written):
            continue
        assert pieces.text([first, *rest]) == written
        starts = pieces.starts_word(first, at_start=True)
        assert pieces.first(starts, alone=not rest)[first]
        assert all(pieces.continuing[piece] for piece in rest)
    assert not (pieces.starting & pieces.continuing).any()
    for number in encoder.special_ids:
        assert not (pieces.starting | pieces.continuing | pieces.lone_mark)[number]
    assert pieces.starts_word(unknown, at_start=True) != pieces.starts_word(unknown, at_start=False)


@pytest.mark.parametrize(
    ("text", "expected"), [("영화", True), ("3시", True), ("e\u0301", True), ("다.", False), ("", False), ("-", False)]
)
def test_letters(text: str, expected: bool) -> None:
    assert is_letters(text) is expected
