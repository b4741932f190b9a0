"""From reviews and tagged sentences to tables of ids: what `feature_cache.py` keeps.

Texts are encoded whole. Truncation and special tokens come later, when a batch is made, so one table serves
every length.
"""

from collections.abc import Iterable, Sequence
from itertools import chain, islice

from distilkobert.korean.particles import ParticleMode, encode_text
from distilkobert.tasks.alignment import align_words
from distilkobert.tasks.feature_cache import Columns, ragged
from distilkobert.tasks.files.ner import TaggedSentence
from distilkobert.tasks.files.nsmc import Review
from distilkobert.tokenizers.loading import TextEncoder

_BLOCK = 4096


def review_features(reviews: Iterable[Review], encoder: TextEncoder) -> dict[str, Columns]:
    """Table `reviews`: `id`, `text`, `label`, `ids`, `pieces` (their number)."""
    kept = list(reviews)
    ids: list[list[int]] = []
    for start in range(0, len(kept), _BLOCK):
        block = encoder.encode_batch([review.text for review in kept[start : start + _BLOCK]])
        ids += [row.tolist() for row in block]
    columns = {
        "id": [review.id for review in kept],
        "text": [review.text for review in kept],
        "label": [review.label for review in kept],
        "ids": ragged(ids),
        "pieces": [len(row) for row in ids],
    }
    return {"reviews": columns}


def word_features(sentences: Iterable[TaggedSentence], encoder: TextEncoder) -> dict[str, Columns]:
    """Table `sentences`: `id`, `units` (words), `tags`, `ids`, `first_pieces`, `pieces`."""
    kept = list(sentences)
    aligned = []
    for start in range(0, len(kept), _BLOCK):
        block = kept[start : start + _BLOCK]
        words = list(chain.from_iterable(sentence.units for sentence in block))
        encoded = iter([row.tolist() for row in encoder.encode_batch(words)])
        aligned += [align_words(list(islice(encoded, len(item.units))), encoder.unk_token_id) for item in block]
    columns = _sentence_columns(kept) | {
        "ids": ragged([words.input_ids for words in aligned]),
        "first_pieces": ragged([words.first_pieces for words in aligned]),
        "pieces": [len(words.input_ids) for words in aligned],
    }
    return {"sentences": columns}


def character_features(
    sentences: Iterable[TaggedSentence], encoder: TextEncoder, particles: ParticleMode
) -> dict[str, Columns]:
    """Table `sentences`: `id`, `units` (characters), `tags`, `ids`, `starts` and `ends` (spans), `pieces`."""
    kept = list(sentences)
    encoded = [encode_text("".join(item.units), encoder.encode_with_offsets, particles) for item in kept]
    columns = _sentence_columns(kept) | {
        "ids": ragged([ids for ids, _ in encoded]),
        "starts": ragged([[start for start, _ in spans] for _, spans in encoded]),
        "ends": ragged([[end for _, end in spans] for _, spans in encoded]),
        "pieces": [len(ids) for ids, _ in encoded],
    }
    return {"sentences": columns}


def _sentence_columns(sentences: Sequence[TaggedSentence]) -> Columns:
    return {
        "id": [sentence.id for sentence in sentences],
        "units": [list(sentence.units) for sentence in sentences],
        "tags": [list(sentence.tags) for sentence in sentences],
    }
