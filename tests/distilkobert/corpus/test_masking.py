"""Masking: exact counts, rates within statistical bounds, weights against a naive second implementation."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from distilkobert.batching import IGNORE_INDEX
from distilkobert.corpus.masking import MaskingSpec, mask_tokens, smoothed_token_weights
from distilkobert.seeds import derived_seed

SPECIAL_IDS = (0, 1, 2, 3, 4)
PAD, CLS, SEP, MASK = 1, 2, 3, 4
VOCAB = 50
SPEC = MaskingSpec()


def make_batch(lengths: list[int], seed: int = 0) -> tuple[Tensor, Tensor]:
    """Random `[CLS] ... [SEP]` rows of these lengths, padded."""
    generator = torch.Generator().manual_seed(seed)
    inside = torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]
    ids = torch.randint(5, VOCAB, inside.shape, generator=generator)
    ids[:, 0] = CLS
    ids[torch.arange(len(lengths)), torch.tensor(lengths) - 1] = SEP
    return ids.masked_fill(~inside, PAD), inside.long()


def mask(ids: Tensor, attention: Tensor, weights: Tensor, seed: int, spec: MaskingSpec = SPEC) -> tuple[Tensor, Tensor]:
    return mask_tokens(ids, attention, weights, MASK, spec, torch.Generator().manual_seed(seed))


UNIFORM = smoothed_token_weights(np.ones(VOCAB), SPECIAL_IDS)


@settings(max_examples=60, deadline=None)
@given(
    lengths=st.lists(st.integers(3, 30), min_size=1, max_size=12),
    probability=st.floats(0.01, 0.99),
    seed=st.integers(0, 1000),
)
def test_exact_number_of_ordinary_real_tokens(lengths: list[int], probability: float, seed: int) -> None:
    ids, attention = make_batch(lengths, seed)
    kept_ids = ids.clone()
    masked, labels = mask(ids, attention, UNIFORM, seed, MaskingSpec(probability=probability))
    assert torch.equal(ids, kept_ids)
    drawn = labels != IGNORE_INDEX
    ordinary = sum(lengths) - 2 * len(lengths)
    assert int(drawn.sum()) == min(max(1, round(probability * sum(lengths))), ordinary)
    assert torch.equal(labels[drawn], ids[drawn])
    assert torch.equal(masked[~drawn], ids[~drawn])
    assert not set(ids[drawn].tolist()) & set(SPECIAL_IDS)
    assert not set(masked[drawn].tolist()) & {0, PAD, CLS, SEP}


def test_equal_generators_give_equal_masks_and_others_do_not() -> None:
    ids, attention = make_batch([30, 20, 25])
    first, again, other = (mask(ids, attention, UNIFORM, seed) for seed in (1, 1, 2))
    assert torch.equal(first[0], again[0])
    assert torch.equal(first[1], again[1])
    assert not torch.equal(first[1], other[1])


def test_padding_changes_nothing_but_its_own_columns_rate() -> None:
    """The number drawn counts real tokens only, so wider padding draws no more."""
    ids, attention = make_batch([10, 40])
    masked, labels = mask(ids, attention, UNIFORM, 0)
    assert int((labels != IGNORE_INDEX).sum()) == round(0.15 * 50)
    assert torch.equal(masked[attention == 0], ids[attention == 0])


def test_shares_of_mask_keep_and_random_within_five_standard_deviations() -> None:
    spec = MaskingSpec(probability=0.5, mask=0.6, keep=0.3, random=0.1)
    ids, attention = make_batch([200] * 100)
    masked, labels = mask(ids, attention, UNIFORM, 3, spec)
    drawn = labels != IGNORE_INDEX
    count = int(drawn.sum())
    assert count == 10_000
    ordinary = VOCAB - len(SPECIAL_IDS)
    replaced = drawn & (masked != MASK) & (masked != ids)
    for observed, expected in (
        (masked[drawn] == MASK, 0.6),
        (masked[drawn] == ids[drawn], 0.3 + 0.1 / ordinary),  # a random token may be the one that was there
        (replaced[drawn], 0.1 * (1 - 1 / ordinary)),
    ):
        deviation = math.sqrt(expected * (1 - expected) / count)
        assert abs(float(observed.double().mean()) - expected) < 5 * deviation
    # Random tokens: every ordinary token about equally often (mean 22, standard deviation 4.6), no special one.
    tokens = torch.bincount(masked[replaced], minlength=VOCAB)
    assert set(tokens[: len(SPECIAL_IDS)].tolist()) == {0}
    assert int(tokens[5:].min()) > 22 - 5 * 4.7
    assert int(tokens[5:].max()) < 22 + 5 * 4.7


@pytest.mark.parametrize(("share", "kept", "is_mask"), [("mask", False, True), ("keep", True, False)])
def test_shares_of_one(share: str, kept: bool, is_mask: bool) -> None:
    shares = {"mask": 0.0, "keep": 0.0, "random": 0.0, share: 1.0}
    ids, attention = make_batch([60] * 10)
    masked, labels = mask(ids, attention, UNIFORM, 0, MaskingSpec(**shares))
    drawn = labels != IGNORE_INDEX
    assert bool((masked[drawn] == ids[drawn]).all()) is kept
    assert bool((masked[drawn] == MASK).all()) is is_mask


def test_draws_follow_the_weights_like_a_naive_implementation() -> None:
    """Drawing positions one after the other with numpy, each time from what is left, gives the same inclusion rates."""
    ids = torch.tensor([[CLS, 5, 6, 7, 8, 9, 10, SEP]])
    weights = torch.zeros(VOCAB, dtype=torch.float64)
    weights[5:11] = torch.tensor([8.0, 4.0, 2.0, 1.0, 1.0, 0.25])
    spec = MaskingSpec(probability=0.3)  # 2 of 8
    trials = 2000
    ours = np.zeros(8)
    for seed in range(trials):
        ours += (mask(ids, torch.ones_like(ids), weights, seed, spec)[1][0] != IGNORE_INDEX).numpy()

    generator = np.random.default_rng(0)
    naive = np.zeros(8)
    for _ in range(trials):
        left = np.array([0, 8.0, 4.0, 2.0, 1.0, 1.0, 0.25, 0])
        for _ in range(2):
            position = generator.choice(8, p=left / left.sum())
            left[position] = 0
            naive[position] += 1
    assert ours.sum() == naive.sum() == 2 * trials
    # Each rate has a standard deviation of at most sqrt(0.25 / 2000) = 0.0112, their difference 0.0158.
    assert np.abs(ours - naive).max() / trials < 5 * 0.0158
    assert ours[0] == ours[7] == 0


def test_weights_too_small_for_a_division_are_still_drawn_in_their_order() -> None:
    ids = torch.tensor([[CLS, 5, 6, 7, SEP]])
    weights = torch.zeros(VOCAB, dtype=torch.float64)
    weights[5:8] = torch.tensor([1e-308, 1e-300, 1.0], dtype=torch.float64)
    _, labels = mask(ids, torch.ones_like(ids), weights, 0, MaskingSpec(probability=0.4))
    assert labels.tolist() == [[IGNORE_INDEX, IGNORE_INDEX, 6, 7, IGNORE_INDEX]]


def test_batches_of_special_tokens_only() -> None:
    ids = torch.tensor([[CLS, 0, SEP], [CLS, SEP, PAD]])
    masked, labels = mask(ids, torch.tensor([[1, 1, 1], [1, 1, 0]]), UNIFORM, 0)
    assert torch.equal(masked, ids)
    assert set(labels.flatten().tolist()) == {IGNORE_INDEX}


def test_smoothed_weights_by_hand() -> None:
    weights = smoothed_token_weights([10, 0, 1, 16, 81], special_ids=(0,), smoothing=0.5)
    assert weights.dtype == torch.float64
    torch.testing.assert_close(weights, torch.tensor([0, 1, 1, 1 / 4, 1 / 9], dtype=torch.float64))
    assert smoothed_token_weights([1, 10**9], (), smoothing=0.0).tolist() == [1.0, 1.0]
    assert float(smoothed_token_weights([3], ())[0]) == pytest.approx(3**-0.7)


@pytest.mark.parametrize(
    ("counts", "special", "message"),
    [
        ([], (), "one number of 0 or more"),
        ([[1, 2]], (), r"shape \(1, 2\)"),
        ([1, -1], (), "one number of 0 or more"),
        ([1, 2], (2,), "special token id 2 is outside the vocabulary of 2 tokens"),
    ],
)
def test_counts_that_cannot_be(counts: list, special: tuple[int, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        smoothed_token_weights(counts, special)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"probability": 0.0}, "masking probability is 0.0; expected more than 0 and less than 1"),
        ({"probability": 1.0}, "masking probability is 1.0"),
        ({"mask": 1.2, "keep": -0.2, "random": 0.0}, "masking mask is 1.2; expected 0 to 1"),
        ({"mask": 0.9}, r"mask \+ keep \+ random is 1.1; expected 1"),
        ({"smoothing": -0.1}, "masking smoothing is -0.1; expected 0 or more"),
        ({"smoothing": math.nan}, "masking smoothing is nan"),
    ],
)
def test_specs_out_of_range(change: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        MaskingSpec(**change)


def test_seeds_are_distinct_and_fixed() -> None:
    seeds = {derived_seed(seed, epoch, index) for seed in range(10) for epoch in range(10) for index in range(100)}
    assert len(seeds) == 10_000
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert derived_seed(1, 23, 4) != derived_seed(12, 3, 4)
    assert derived_seed(42, 0, 0) == 6_021_012_080_299_937_286
