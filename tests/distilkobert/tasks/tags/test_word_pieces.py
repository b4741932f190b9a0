"""Pieces of tagged words: a word has those that it has in its sentence."""

import pytest

from distilkobert import KoBertTokenizer
from distilkobert.tasks.files.ner import TaggedSentence
from distilkobert.tasks.input_settings import InputSettings
from distilkobert.tasks.tags.tagging import TaggingCodec
from distilkobert.tokenizers.fast import FastEncoder
from distilkobert.tokenizers.loading import TextEncoder
from tests.support.tokenizers import kinds
from tests.support.tokenizers.fast import build
from tests.support.tokenizers.sentences import SENTENCES

WORDS = [tuple(sentence.split()) for sentence in SENTENCES[:40]]
BYTE_LEVEL = ["byte_level", "roberta", "modernbert"]
OTHERS = ["unigram", "wordpiece", "metaspace_bpe", "bert", "xlm_roberta", "albert", "deberta", "xlnet"]


def encoder(kind: str) -> FastEncoder:
    made = kinds.KINDS[kind]() if kind in kinds.KINDS else build(kind, SENTENCES)
    return FastEncoder(made, kind)


def rows(tokenizer: TextEncoder) -> list[tuple[list[int], list[int]]]:
    codec = TaggingCodec(tokenizer, InputSettings(128, units="words"), ["O"])
    return [(row["ids"], row["first_pieces"]) for row in codec.encode(TaggedSentence("", words, ()) for words in WORDS)]


@pytest.mark.parametrize("kind", BYTE_LEVEL)
def test_words_of_byte_level_bpe_have_the_pieces_of_the_whole_sentence(kind: str) -> None:
    tokenizer = encoder(kind)
    whole = tokenizer.encode_batch([" ".join(words) for words in WORDS])
    for (ids, firsts), expected, words in zip(rows(tokenizer), whole, WORDS, strict=True):
        assert ids == expected.tolist()
        assert len(firsts) == len(words)
        starts = [token.startswith("Ġ") for token in tokenizer.convert_ids_to_tokens(ids)]
        assert firsts[1:] == [place for place, starts_word in enumerate(starts) if starts_word and place]


@pytest.mark.parametrize("kind", [*OTHERS, "kobert"])
def test_words_of_other_tokenizers_have_the_pieces_they_have_alone(kind: str, tiny_tokenizer: KoBertTokenizer) -> None:
    tokenizer = tiny_tokenizer if kind == "kobert" else encoder(kind)
    for (ids, _), words in zip(rows(tokenizer), WORDS, strict=True):
        alone = [row.tolist() or [tokenizer.unk_token_id] for row in tokenizer.encode_batch(words)]
        assert ids == [number for row in alone for number in row]
