"""Transferred vocabularies against a second, naive implementation, and by hand."""

from pathlib import Path

import pytest
import torch
from transformers import BertForMaskedLM, BertModel, PreTrainedTokenizerFast

from distilkobert import KoBertTokenizer
from distilkobert.tokenizers.transfer import PieceOrigins, piece_origins, special_ids, transfer_vocabulary
from tests.support.networks.tiny import tiny_teacher
from tests.support.tokenizers.fast import KINDS, build
from tests.support.tokenizers.sentences import SENTENCES

ROLES = ("pad", "unk", "cls", "sep", "mask")


def naive_text(piece: str, tokenizer: PreTrainedTokenizerFast, kind: str) -> str | None:
    """The piece as text behind the letter `a`."""
    if kind == "wordpiece":
        return f"a{piece[2:]}" if piece.startswith("##") else f"a {piece}"
    if kind == "byte_level":
        text = tokenizer.backend_tokenizer.decoder.decode([piece])
        return None if "\ufffd" in text else f"a{text}"
    return f"a{piece.replace('▁', ' ')}"


def naive_row(text: str, old: PreTrainedTokenizerFast, table: torch.Tensor) -> torch.Tensor | None:
    """Mean of the rows of what a whole tokenizer makes of `text`, its `a` left out; None where both merge."""
    encoded = old(text, add_special_tokens=False, return_offsets_mapping=True)
    # Spans of pieces tell which letter they cover; a lone mark before the first letter covers it too.
    rows, alone = [], False
    for number, (start, end) in zip(encoded["input_ids"], encoded["offset_mapping"], strict=True):
        if start == 0 and end > 0:
            if end > 1:
                return None
            alone = True
        elif number != old.unk_token_id:
            rows.append(table[number])
    return sum(rows) / len(rows) if rows and alone else None


@pytest.fixture(scope="module")
def kobert(tiny_tokenizer_dir: Path) -> PreTrainedTokenizerFast:
    return KoBertTokenizer.from_pretrained(tiny_tokenizer_dir).to_transformers()


@pytest.mark.parametrize("new_kind", [*KINDS, "kobert"])
@pytest.mark.parametrize("old_kind", [*KINDS, "kobert"])
def test_rows_are_those_of_a_naive_second_implementation(
    old_kind: str, new_kind: str, kobert: PreTrainedTokenizerFast
) -> None:
    """The naive one reads whole texts: equal wherever the old tokenizer does not join `a` with what follows it."""
    old = kobert if old_kind == "kobert" else build(old_kind, SENTENCES[::2])
    new = kobert if new_kind == "kobert" else build(new_kind, SENTENCES[1::2])
    table = torch.randn(len(old), 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    rows = piece_origins(old, new, "old", "new").mean_rows(table)
    assert rows.shape == (len(new), 3)
    compared = 0
    for piece, number in new.get_vocab().items():
        if number in new.all_special_ids:
            continue
        text = naive_text(piece, new, new_kind)
        expected = None if text is None else naive_row(text, old, table)
        if expected is not None:
            assert torch.allclose(rows[number], expected), piece
            compared += 1
    assert compared > 60  # many pieces of bytes are no characters
    for role in ROLES:
        ids = [getattr(tokenizer, f"{role}_token_id") for tokenizer in (old, new)]
        assert torch.equal(rows[ids[1]], table[ids[0]]), role


def test_means_by_hand() -> None:
    table = torch.tensor([[1.0, 0.0], [4.0, 6.0], [4.0, 3.0], [100.0, 100.0]])
    origins = PieceOrigins(("a", "b", None, "c"), ((1,), (0, 1, 1), (), ()), old_size=3)
    assert origins.without == ["c"]
    # Row 3 of the model is beyond the old tokenizer and belongs to no piece.
    mean = [3.0, 3.0]
    assert origins.mean_rows(table).tolist() == [[4.0, 6.0], [3.0, 4.0], mean, mean]
    assert origins.mean_rows(table[:, 0]).tolist() == [4.0, 3.0, 3.0, 3.0]


def test_the_same_tokenizer_gives_the_same_rows_to_pieces_that_it_uses(kobert: PreTrainedTokenizerFast) -> None:
    """A piece that a better cut into smaller ones hides is never used, and starts as the mean of these."""
    origins = piece_origins(kobert, kobert, "old", "new")
    own = [number for number, ids in enumerate(origins.old_ids) if ids == (number,)]
    used = {number for sentence in SENTENCES for number in kobert(f"a {sentence}")["input_ids"]}
    assert used <= set(own)
    table = torch.randn(len(kobert), 4)
    assert torch.equal(origins.mean_rows(table)[own], table[own])


@pytest.fixture(scope="module")
def fast() -> PreTrainedTokenizerFast:
    return build("wordpiece", SENTENCES)


def test_a_head_goes_along_and_stays_tied(fast: PreTrainedTokenizerFast, kobert: PreTrainedTokenizerFast) -> None:
    model = tiny_teacher(vocab_size=len(fast), layers=2, pad_token_id=0)
    origins = piece_origins(fast, kobert, "old", "new")
    changed = transfer_vocabulary(model, origins, kobert)
    assert isinstance(changed, BertForMaskedLM)
    bias = origins.mean_rows(model.cls.predictions.bias.detach())
    assert torch.equal(changed.cls.predictions.bias, bias)
    assert changed.cls.predictions.decoder.weight is changed.bert.embeddings.word_embeddings.weight
    assert changed.cls.predictions.decoder.bias is changed.cls.predictions.bias
    assert changed.config.vocab_size == len(kobert)
    assert (model.config.pad_token_id, changed.config.pad_token_id) == (0, 1)
    same = set(model.state_dict()) - {
        "bert.embeddings.word_embeddings.weight", "cls.predictions.bias", "cls.predictions.decoder.weight",
        "cls.predictions.decoder.bias",
    }  # fmt: skip
    assert all(torch.equal(changed.state_dict()[name], model.state_dict()[name]) for name in same)
    # A text of one old piece for each new one gives the hidden states that it gave before.
    single = [(number, ids[0]) for number, ids in enumerate(origins.old_ids) if len(ids) == 1]
    new_ids, old_ids = (torch.tensor([pair[side] for pair in single[:30]]).view(2, 15) for side in (0, 1))
    with torch.inference_mode():
        assert torch.equal(changed.bert(new_ids).last_hidden_state, model.bert(old_ids).last_hidden_state)


def test_a_bare_encoder_stays_bare(fast: PreTrainedTokenizerFast, kobert: PreTrainedTokenizerFast) -> None:
    config = tiny_teacher(vocab_size=len(fast), layers=1, pad_token_id=0).config
    changed = transfer_vocabulary(
        BertModel(config, add_pooling_layer=False), piece_origins(fast, kobert, "a", "b"), kobert
    )
    assert type(changed) is BertModel
    assert changed.pooler is None


def test_special_tokens_have_one_role_each(fast: PreTrainedTokenizerFast) -> None:
    roberta = build("byte_level", SENTENCES)
    assert special_ids(roberta) == {"cls": 0, "pad": 1, "sep": 2, "unk": 3, "mask": 4, "bos": 0, "eos": 2}
    assert special_ids(fast) == {"pad": 0, "unk": 1, "cls": 2, "sep": 3, "mask": 4, "bos": 2, "eos": 3}


def test_a_special_token_without_partner_has_no_origin(kobert: PreTrainedTokenizerFast) -> None:
    old = build("unigram", SENTENCES)
    old.mask_token = None
    new = build("unigram", SENTENCES)
    new.add_special_tokens({"additional_special_tokens": ["<extra>"]})
    assert set(piece_origins(old, new, "old", "new").without) >= {"<mask>", "<extra>"}


def test_a_tokenizer_of_another_model_is_refused(kobert: PreTrainedTokenizerFast) -> None:
    with pytest.raises(ValueError, match=rf"has 50 embeddings, its tokenizer {len(kobert)} pieces; they do not belong"):
        transfer_vocabulary(tiny_teacher(), piece_origins(kobert, kobert, "old", "new"), kobert)
