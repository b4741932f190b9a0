"""Proposals of a masked language model against a search through all words, one forward pass each."""

import itertools
import math
from collections.abc import Sequence

import pytest
import torch
from transformers import BertForMaskedLM

from distilkobert import KoBertTokenizer
from distilkobert.augmentation.proposals import Asked, Proposer
from distilkobert.augmentation.vocabulary import WordPieces
from distilkobert.augmentation.words import find_words
from distilkobert.tokenizers.fast import FastEncoder
from distilkobert.tokenizers.loading import TextEncoder
from tests.support.networks.encoders import FAMILY_NAMES, tiny_encoder
from tests.support.networks.tiny import tiny_teacher
from tests.support.tokenizers.fast import KINDS, build
from tests.support.tokenizers.sentences import SENTENCES

Words = list[tuple[str, float]]


def model_for(encoder: TextEncoder, sharp: float = 6.0) -> BertForMaskedLM:
    """A random model that is sure of what it says, so that no two words are as likely."""
    model = tiny_teacher(vocab_size=encoder.vocab_size, layers=2, pad_token_id=encoder.pad_token_id)
    with torch.no_grad():
        model.get_output_embeddings().bias.normal_(generator=torch.Generator().manual_seed(3)).mul_(sharp / 3)
    return model


def proposer_for(encoder: TextEncoder, model: BertForMaskedLM, **options: int) -> Proposer:
    settings = {"count": 5, "beam": 4, "max_pieces": 3, "max_length": 32, "batch_size": 7, **options}
    return Proposer(model, encoder, WordPieces(encoder, "tiny"), **settings)


def asked(encoder: TextEncoder, texts: Sequence[str]) -> list[Asked]:
    return [Asked(text, ids, word) for text in texts for ids, words in [find_words(text, encoder)] for word in words]


def log_probabilities(model: BertForMaskedLM, ids: list[int], place: int) -> list[float]:
    with torch.inference_mode():
        logits = model(input_ids=torch.tensor([ids])).logits[0, place].double()
    values: list[float] = logits.log_softmax(-1).tolist()
    return values


def likeliest(encoder: TextEncoder, model: BertForMaskedLM, one: Asked, width: int, last: int) -> list[str]:
    """A beam of `width`, `last` at its end, written with plain lists and one forward pass for each input."""
    spelled = WordPieces(encoder, "tiny")
    text, ids, word = one
    assert encoder.mask_token_id is not None
    beams: list[tuple[float, list[int]]] = [(0.0, [])]
    for step in range(word.pieces):
        longer = []
        for score, found in beams:
            filled = [*found, *[encoder.mask_token_id] * (word.pieces - step)]
            frame = encoder.frame.single([*ids[: word.first], *filled, *ids[word.stop :]])
            values = log_probabilities(model, frame, len(encoder.frame.prefix) + word.first + step)
            starts = spelled.starts_word(ids[word.first], word.first == word.outer_pieces[0])
            allowed = spelled.continuing if step else spelled.first(starts, alone=word.pieces == 1)
            longer += [
                (score + value, [*found, piece])
                for piece, (value, may) in enumerate(zip(values, allowed.tolist(), strict=False))
                if may
            ]
        beams = sorted(longer, key=lambda beam: -beam[0])[: width if step + 1 < word.pieces else last]
    first, stop = word.outer_pieces
    words: list[str] = []
    for _, pieces in beams:
        other = spelled.text(pieces)
        (cut,) = encoder.encode_batch([word.replaced(text, other)])
        fits = cut.tolist() == [*ids[first : word.first], *pieces, *ids[word.stop : stop]]
        if fits and other != text[word.start : word.end] and other not in words:
            words.append(other)
    return words


@pytest.fixture(params=["kobert", *KINDS])
def encoder(request: pytest.FixtureRequest, tiny_tokenizer: KoBertTokenizer) -> TextEncoder:
    if request.param == "kobert":
        return tiny_tokenizer
    return FastEncoder(build(request.param, SENTENCES), request.param)


def test_they_are_those_of_a_plain_beam(encoder: TextEncoder) -> None:
    short = [" ".join(text.split()[:2]) for text in SENTENCES[3:12]]
    model, wanted = model_for(encoder), asked(encoder, short)
    found = proposer_for(encoder, model).propose(wanted)
    checked = 0
    for one, words in zip(wanted, found, strict=True):
        if one.word.pieces > 3:
            assert words == []
            continue
        assert words == likeliest(encoder, model, one, width=4, last=10)[:5]
        checked += bool(words)
    assert checked >= 2


def test_words_of_one_piece_are_the_model_s_likeliest(tiny_tokenizer: KoBertTokenizer) -> None:
    """As TinyBERT has it: no beam, the order of the model's output at the masked place."""
    model = model_for(tiny_tokenizer)
    single = [one for one in asked(tiny_tokenizer, SENTENCES) if one.word.pieces == 1][:4]
    assert single
    for one, words in zip(single, proposer_for(tiny_tokenizer, model, count=3).propose(single), strict=True):
        ids = [*one.ids]
        ids[one.word.first] = tiny_tokenizer.mask_token_id
        values = log_probabilities(model, tiny_tokenizer.frame.single(ids), one.word.first + 1)
        order = sorted(range(len(values)), key=lambda piece: -values[piece])
        tokens = tiny_tokenizer.convert_ids_to_tokens(order)
        whole = [token[1:] for token in tokens if token.startswith("▁") and token[1:].isalnum()]
        own = one.text[one.word.start : one.word.end]
        assert words == [word for word in whole if word != own][:3]


@pytest.mark.parametrize("family", FAMILY_NAMES)
def test_every_family_is_asked_through_its_own_head(family: str, tiny_tokenizer: KoBertTokenizer) -> None:
    """The first piece of the first proposal is the most likely of the whole model's output; padding changes nothing."""
    model = tiny_encoder(family, vocab_size=tiny_tokenizer.vocab_size, layers=2)
    wanted = [one for one in asked(tiny_tokenizer, SENTENCES[:6]) if one.word.pieces == 1][:3]
    spelled = WordPieces(tiny_tokenizer, "tiny")
    proposer: Proposer = proposer_for(tiny_tokenizer, model)  # type: ignore[arg-type]
    for one, words in zip(wanted, proposer.propose(wanted), strict=True):
        ids = [*one.ids]
        ids[one.word.first] = tiny_tokenizer.mask_token_id
        values = log_probabilities(model, tiny_tokenizer.frame.single(ids), one.word.first + 1)  # type: ignore[arg-type]
        allowed = spelled.first(spelled.starts_word(one.ids[one.word.first], True), alone=True).tolist()
        order = sorted((piece for piece, may in enumerate(allowed) if may), key=lambda piece: -values[piece])
        own = one.text[one.word.start : one.word.end]
        assert words[:2] == [spelled.text([piece]) for piece in order if spelled.text([piece]) != own][:2]


def test_the_word_itself_is_no_proposal(tiny_tokenizer: KoBertTokenizer) -> None:
    """Of a model that is sure of the words that are there."""
    model, wanted = model_for(tiny_tokenizer), asked(tiny_tokenizer, SENTENCES[:3])
    for one in [one for one in wanted if one.word.pieces <= 2]:
        own = list(one.ids[one.word.first : one.word.stop])
        with torch.no_grad():
            model.get_output_embeddings().bias[own] += 50.0
        (words,) = proposer_for(tiny_tokenizer, model).propose([one])
        with torch.no_grad():
            model.get_output_embeddings().bias[own] -= 50.0
        assert words
        assert one.text[one.word.start : one.word.end] not in words


def test_batches_and_order_do_not_matter(tiny_tokenizer: KoBertTokenizer) -> None:
    model, wanted = model_for(tiny_tokenizer), asked(tiny_tokenizer, SENTENCES[:4])
    found = proposer_for(tiny_tokenizer, model, batch_size=64).propose(wanted)
    assert proposer_for(tiny_tokenizer, model, batch_size=1).propose(wanted) == found
    assert proposer_for(tiny_tokenizer, model).propose(wanted[::-1]) == found[::-1]
    assert proposer_for(tiny_tokenizer, model).propose([]) == []


def test_of_long_texts_the_part_around_the_word_is_read(tiny_tokenizer: KoBertTokenizer) -> None:
    model, text = model_for(tiny_tokenizer), " ".join(SENTENCES[:12])
    wanted = asked(tiny_tokenizer, [text])
    assert len(wanted[0].ids) > 100
    seen: list[int] = []
    model.base_model.register_forward_pre_hook(
        lambda module, args, kwargs: seen.append(kwargs["input_ids"].shape[1]), with_kwargs=True
    )
    three = [one for one in wanted if one.word.pieces <= 3][::7]
    assert three[-1].word.first > 60
    assert all(proposer_for(tiny_tokenizer, model, max_length=12).propose(three))
    assert max(seen) == 12


def test_the_mathematics_of_a_beam_of_two_pieces(tiny_tokenizer: KoBertTokenizer) -> None:
    """With a beam as wide as the vocabulary the best word of two pieces is that of all pairs."""
    model = model_for(tiny_tokenizer)
    one = next(one for one in asked(tiny_tokenizer, SENTENCES) if one.word.pieces == 2)
    spelled, mask = WordPieces(tiny_tokenizer, "tiny"), tiny_tokenizer.mask_token_id
    before, behind = [*one.ids[: one.word.first]], [*one.ids[one.word.stop :]]
    place = 1 + len(before)
    first = log_probabilities(model, tiny_tokenizer.frame.single([*before, mask, mask, *behind]), place)
    starts = spelled.first(spelled.starts_word(one.ids[one.word.first], True), alone=False).nonzero().flatten().tolist()
    goes_on = spelled.continuing.nonzero().flatten().tolist()
    scores = {}
    for head in starts:
        second = log_probabilities(model, tiny_tokenizer.frame.single([*before, head, mask, *behind]), place + 1)
        scores |= {(head, tail): first[head] + second[tail] for tail in goes_on}
    texts: dict[str, float] = {}
    for pair, score in sorted(scores.items(), key=lambda item: -item[1])[:40]:
        word = spelled.text(pair)
        cut = tiny_tokenizer.encode_batch([one.word.replaced(one.text, word)])[0].tolist()
        start, stop = one.word.outer_pieces
        if cut == [*one.ids[start : one.word.first], *pair, *one.ids[one.word.stop : stop]]:
            texts.setdefault(word, score)
    texts.pop(one.text[one.word.start : one.word.end], None)
    (found,) = proposer_for(tiny_tokenizer, model, count=200, beam=400).propose([one])
    assert found[:3] == list(itertools.islice(texts, 3))
    assert all(math.isfinite(score) for score in texts.values())
