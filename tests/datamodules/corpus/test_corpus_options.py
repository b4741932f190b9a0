"""Options of CorpusDataModule: `pad_to_multiple_of`, `validation_max_tokens`, `masking.smoothing`."""

import math
from typing import Any

import numpy as np
import pytest
import torch

from datamodules import CorpusDataModule
from distilkobert.batching import TokenBudgetSampler, padded_length
from distilkobert.corpus.masking import MaskingSpec
from distilkobert.models.teachers import EncoderSpec
from experiments.bench.steps.distilling import Distilling, make_module, with_positions
from tests.world import World

MULTIPLE = 16


def data(world: World, max_tokens: int = 512, **options: Any) -> CorpusDataModule:
    return CorpusDataModule(str(world.corpus), str(world.tokenizer), max_tokens=max_tokens, seed=3, **options)


def test_lengths_are_rounded_up_but_not_beyond_the_longest() -> None:
    assert [padded_length(length, 8, 21) for length in (1, 8, 9, 16, 17, 21)] == [8, 8, 16, 16, 21, 21]
    assert padded_length(np.array([1, 9, 17]), 8, 21).tolist() == [8, 16, 21]
    assert [padded_length(length, 1, 21) for length in (1, 20, 21)] == [1, 20, 21]


def test_the_budget_counts_the_padding() -> None:
    """Ten rows of 5 tokens in 40: 8 a batch as they are, 5 where each takes 8."""
    lengths = [5] * 10 + [8]
    assert [len(key.rows) for key in TokenBudgetSampler(lengths, 40, 0, shuffle=False, bucket_width=1)].count(8) == 1
    keys = list(TokenBudgetSampler(lengths, 40, 0, shuffle=False, bucket_width=1, pad_to_multiple_of=8))
    assert sorted(len(key.rows) for key in keys) == [1, 5, 5]
    assert sorted(row for key in keys for row in key.rows) == list(range(11))
    with pytest.raises(ValueError, match="pad_to_multiple_of is 0; expected at least 1"):
        TokenBudgetSampler(lengths, 40, 0, pad_to_multiple_of=0)


def test_one_leaves_the_plan_as_it_was() -> None:
    lengths = list(range(5, 60)) * 3
    plain, one = TokenBudgetSampler(lengths, 128, 4), TokenBudgetSampler(lengths, 128, 4, pad_to_multiple_of=1)
    assert plain.plan == one.plan != TokenBudgetSampler(lengths, 128, 4, pad_to_multiple_of=8).plan


def test_batches_have_few_lengths_and_every_sequence(world: World) -> None:
    padded, plain = data(world, pad_to_multiple_of=MULTIPLE), data(world)
    longest = padded.manifest["longest"]["train"]
    batches = list(padded.train_dataloader())
    lengths = {batch["input_ids"].shape[1] for batch in batches}
    assert lengths <= {*range(MULTIPLE, longest, MULTIPLE), longest}
    assert len(lengths) < len({batch["input_ids"].shape[1] for batch in plain.train_dataloader()})
    assert all(batch["input_ids"].numel() <= 512 for batch in batches)
    real = sum(int(batch["attention_mask"].sum()) for batch in batches)
    assert real == sum(int(batch["attention_mask"].sum()) for batch in plain.train_dataloader())
    for batch in batches:
        assert torch.equal(batch["real_positions"], batch["attention_mask"].flatten().nonzero().squeeze(-1))
        outside = batch["attention_mask"] == 0
        assert (batch["input_ids"][outside] == padded.pad_token_id).all()
        assert (batch["labels"][outside] == -100).all()
    for one, other in zip(padded.val_dataloader(), plain.val_dataloader(), strict=True):
        assert all(torch.equal(one[name], other[name]) for name in one)


def test_padding_changes_no_mask_and_no_loss(world: World) -> None:
    dataset, plain = data(world, pad_to_multiple_of=MULTIPLE).train_dataloader().dataset, data(world).train_dataloader()
    key = next(key for key in plain.sampler if plain.dataset[key]["input_ids"].shape[1] % MULTIPLE)
    wide, narrow = dataset[key], plain.dataset[key]
    length = narrow["input_ids"].shape[1]
    assert wide["input_ids"].shape[1] > length
    for name in ("input_ids", "attention_mask", "labels"):
        assert torch.equal(wide[name][:, :length], narrow[name])
    module = make_module(Distilling(EncoderSpec(3, 16, 2, 24, dropout=0.0), (0, 2), 600, 4, 64))
    losses = [module.training_step(batch, 0)["terms"] for batch in (wide, narrow)]
    for name, value in losses[0].items():
        torch.testing.assert_close(value, losses[1][name], rtol=1e-5, atol=1e-6)
    assert with_positions(wide)["masked_positions"].tolist() == wide["masked_positions"].tolist()


def test_less_than_one_is_refused(world: World) -> None:
    with pytest.raises(ValueError, match=r"data\.pad_to_multiple_of is 0; expected at least 1"):
        data(world, pad_to_multiple_of=0)


def test_held_out_batches_have_a_budget_of_their_own(world: World) -> None:
    shapes = {}
    for budget in (None, 128, 512):
        loader: Any = data(world, 256, validation_max_tokens=budget).val_dataloader()
        shapes[budget] = [batch["input_ids"].numel() for batch in loader]
    assert max(shapes[128]) <= 128 < max(shapes[None]) <= 256 < max(shapes[512]) <= 512
    loader = data(world, 256, validation_max_tokens=128).train_dataloader()
    assert 128 < max(batch["input_ids"].numel() for batch in loader) <= 256


def frequent_share(module: CorpusDataModule) -> tuple[float, float, float]:
    """Share of frequent pieces among the masked tokens, what equal chances give, and its standard deviation."""
    ordinary = np.setdiff1d(np.arange(module.vocab_size), module.tokenizer.special_ids)
    frequent = ordinary[np.argsort(module.token_counts[ordinary])[-20:]]
    found = expected = variance = drawn = 0.0
    for batch in module.train_dataloader():
        masked = (batch["labels"] != -100).numpy()
        ids = np.where(masked, batch["labels"], batch["input_ids"])
        total, n = int(np.isin(ids, ordinary).sum()), int(masked.sum())
        share = np.isin(ids, frequent).sum() / total
        drawn += n
        found += np.isin(ids[masked], frequent).sum()
        expected += n * share
        variance += n * share * (1 - share) * (total - n) / (total - 1)  # hypergeometric
    return found / drawn, expected / drawn, math.sqrt(variance) / drawn


def test_smoothing_decides_how_often_frequent_pieces_are_masked(world: World) -> None:
    found, expected, deviation = frequent_share(data(world, masking=MaskingSpec(smoothing=0.0)))
    assert abs(found - expected) < 5 * deviation
    found, expected, deviation = frequent_share(data(world, masking=MaskingSpec(smoothing=0.7)))
    assert found < expected - 10 * deviation
