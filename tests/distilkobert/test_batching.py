"""The batch plan: budget, nothing lost or repeated, equal ranks, equal epochs, resuming."""

import hashlib
import tracemalloc
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from distilkobert.batching import BatchKey, TokenBudgetSampler

Plan = st.builds(
    dict,
    lengths=st.lists(st.integers(1, 40), min_size=8, max_size=120),
    max_tokens=st.integers(40, 200),
    seed=st.integers(0, 2**32),
    max_sequences=st.none() | st.integers(1, 7),
    bucket_width=st.integers(1, 50),
    shuffle=st.booleans(),
)


def epoch_of(sampler: TokenBudgetSampler, epoch: int) -> list[BatchKey]:
    sampler.set_epoch(epoch)
    return list(sampler)


def samplers_of(plan: dict, world_size: int) -> list[TokenBudgetSampler]:
    """One for each rank; plans that cannot be divided evenly are left to a test of their own."""
    try:
        return [TokenBudgetSampler(**plan, rank=rank, world_size=world_size) for rank in range(world_size)]
    except ValueError:
        reject()


@settings(max_examples=80, deadline=None)
@given(plan=Plan, world_size=st.integers(1, 4), epoch=st.integers(0, 5))
def test_every_epoch_has_every_sequence_once_within_the_budget(plan: dict, world_size: int, epoch: int) -> None:
    lengths = plan["lengths"]
    samplers = samplers_of(plan, world_size)
    ranks = [epoch_of(sampler, epoch) for sampler in samplers]
    assert {len(keys) for keys in ranks} == {len(samplers[0])}
    keys = [key for rank in ranks for key in rank]
    assert sorted(row for key in keys for row in key.rows) == list(range(len(lengths)))
    assert sorted(key.index for key in keys) == list(range(len(keys)))
    for key in keys:
        assert len(key.rows) * max(lengths[row] for row in key.rows) <= plan["max_tokens"]
        assert 1 <= len(key.rows) <= (plan["max_sequences"] or len(lengths))
        assert key.epoch == (epoch if plan["shuffle"] else 0)


@settings(max_examples=40, deadline=None)
@given(plan=Plan)
def test_all_epochs_have_the_same_number_of_batches(plan: dict) -> None:
    sampler = TokenBudgetSampler(**plan)
    assert {len(epoch_of(sampler, epoch)) for epoch in range(4)} == {len(sampler)}


@settings(max_examples=40, deadline=None)
@given(plan=Plan, epoch=st.integers(0, 3))
def test_accumulation_in_one_process_sees_the_global_batches_of_several(plan: dict, epoch: int) -> None:
    plan = {**plan, "divisible_by": 4}
    several = [epoch_of(sampler, epoch) for sampler in samplers_of(plan, 4)]
    two = [epoch_of(sampler, epoch) for sampler in samplers_of(plan, 2)]
    one = epoch_of(TokenBudgetSampler(**plan), epoch)
    for ranks in (two, several):
        assert one == [key for step in zip(*ranks, strict=True) for key in step]


@settings(max_examples=60, deadline=None)
@given(plan=Plan, epoch=st.integers(0, 3), part=st.floats(0, 1))
def test_a_saved_position_resumes_exactly(plan: dict, epoch: int, part: float) -> None:
    sampler = TokenBudgetSampler(**plan)
    whole = epoch_of(sampler, epoch) + epoch_of(sampler, epoch + 1)
    stop = int(part * len(sampler))

    sampler.set_epoch(epoch)
    reader = iter(sampler)
    before = [next(reader) for _ in range(stop)]
    resumed = TokenBudgetSampler(**plan)
    resumed.go_to(epoch, stop, sampler.plan)
    resumed.set_epoch(epoch)  # Lightning announces the epoch again
    assert before + list(resumed) + epoch_of(resumed, epoch + 1) == whole


def test_unused_and_repeated_iterators_do_not_move_a_loaded_position() -> None:
    sampler = TokenBudgetSampler([5] * 20, max_tokens=10, seed=0)
    whole = epoch_of(sampler, 3)
    sampler.go_to(3, 4, sampler.plan)
    iter(sampler)
    next(iter(sampler))
    assert list(sampler) == whole[4:]


def test_positions_of_another_plan_are_refused_inside_an_epoch_only() -> None:
    plan = TokenBudgetSampler([5] * 20, max_tokens=10, seed=0).plan
    for changed in (
        TokenBudgetSampler([5] * 20, max_tokens=10, seed=1),
        TokenBudgetSampler([5] * 20, max_tokens=15, seed=0),
        TokenBudgetSampler([5] * 22, max_tokens=10, seed=0),
        TokenBudgetSampler([5] * 20, max_tokens=10, seed=0, world_size=2),
    ):
        changed.go_to(2, 0, plan)
        assert changed.epoch == 2
        with pytest.raises(ValueError, match=r"after batch 3 of epoch 2.*planned from other data or settings"):
            changed.go_to(2, 3, plan)


def test_shuffling_depends_on_seed_and_epoch() -> None:
    lengths = list(range(1, 41)) * 5
    orders = [
        [key.rows for key in epoch_of(TokenBudgetSampler(lengths, max_tokens=80, seed=seed), epoch)]
        for seed, epoch in ((0, 0), (0, 1), (1, 0), (1, 1))
    ]
    assert all(first != second for place, first in enumerate(orders) for second in orders[:place])
    assert orders[0] == [key.rows for key in TokenBudgetSampler(lengths, max_tokens=80, seed=0)]


def test_every_row_meets_many_partners_and_every_place() -> None:
    """Over epochs, a row of a full bucket shares its batch with all others alike, and comes at any time."""
    sampler = TokenBudgetSampler([7] * 40, max_tokens=28, seed=5)
    partners: Counter[int] = Counter()
    places: Counter[int] = Counter()
    epochs = 600
    for epoch in range(epochs):
        for place, key in enumerate(epoch_of(sampler, epoch)):
            if 0 in key.rows:
                partners.update(row for row in key.rows if row)
                places[place] += 1
    # 3 partners among 39 an epoch: mean 46, standard deviation 6.5; 10 places: mean 60, standard deviation 7.3.
    assert set(partners) == set(range(1, 40))
    assert max(abs(count - epochs * 3 / 39) for count in partners.values()) < 5 * 6.5
    assert max(abs(places[place] - epochs / 10) for place in range(10)) < 5 * 7.3


def test_hand_worked_plan() -> None:
    """Width 4: lengths 1-4, 5-8, 9-12. Six short ones in fives (5 x 4 = 20): one is left and joins the middle ones."""
    lengths = [10, 2, 3, 4, 2, 2, 4, 8, 5, 12]
    keys = list(TokenBudgetSampler(lengths, max_tokens=24, seed=0, shuffle=False, max_sequences=5, bucket_width=4))
    assert sorted(key.rows for key in keys) == [[0, 9], [1, 2, 3, 4, 5], [6, 7, 8]]
    assert keys[1] == BatchKey(epoch=0, index=1, rows=keys[1].rows)
    halves = TokenBudgetSampler(
        lengths, max_tokens=24, seed=0, world_size=2, shuffle=False, max_sequences=5, bucket_width=4
    )
    both = [key.rows for key in halves]
    halves = TokenBudgetSampler(
        lengths, max_tokens=24, seed=0, rank=1, world_size=2, shuffle=False, max_sequences=5, bucket_width=4
    )
    assert sorted(both + [key.rows for key in halves]) == [[0, 9], [1, 2], [3, 4, 5], [6, 7, 8]]


def test_the_first_batches_of_a_fixed_order_are_a_sample_and_no_matter_of_the_seed() -> None:
    """What a limited evaluation reads must not be the shortest sequences."""
    lengths = np.random.default_rng(1).geometric(0.05, 4000).clip(1, 200)
    orders = [list(TokenBudgetSampler(lengths, max_tokens=2000, seed=s, shuffle=False)) for s in (0, 7)]
    assert orders[0] == orders[1]
    first = np.concatenate([lengths[key.rows] for key in orders[0][: len(orders[0]) // 2]])
    assert abs(first.mean() - lengths.mean()) < 0.25 * lengths.mean()
    assert np.quantile(first, 0.9) > 0.75 * np.quantile(lengths, 0.9)


def test_padding_is_small_on_lengths_like_those_of_reviews() -> None:
    lengths = np.random.default_rng(0).geometric(0.04, 20000).clip(1, 500) + 11
    sampler = TokenBudgetSampler(lengths, max_tokens=8192, seed=0)
    padded = sum(len(key.rows) * lengths[key.rows].max() for key in sampler)
    assert padded < 1.06 * lengths.sum()
    assert len(sampler) < 1.1 * lengths.sum() / 8192


def test_divisor_that_cannot_be_had_falls_back_to_the_processes() -> None:
    assert len(TokenBudgetSampler([9] * 5, max_tokens=9, seed=0, divisible_by=3)) == 5
    with pytest.raises(ValueError, match="5 sequences in at least 5 batches cannot give 2 processes"):
        TokenBudgetSampler([9] * 5, max_tokens=9, seed=0, world_size=2)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"lengths": [3, 11, 4]}, "sequence 1 has 11 tokens, more than max_tokens = 10"),
        ({"lengths": [3, 0]}, "sequence 1 has 0 tokens"),
        ({"lengths": []}, r"shape \(0,\); expected one number"),
        ({"rank": 2, "world_size": 2}, "rank is 2; expected 0 to world_size - 1 = 1"),
        ({"world_size": 2, "divisible_by": 3}, "divisible_by is 3; expected a multiple of world_size = 2"),
        ({"max_sequences": 0}, "max_sequences is 0"),
        ({"bucket_width": 0}, "bucket_width is 0"),
        ({"seed": -1}, "seed is -1"),
    ],
)
def test_settings_out_of_range(change: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TokenBudgetSampler(**{"lengths": [3, 4], "max_tokens": 10, "seed": 0, **change})


def test_plans_are_those_of_earlier_versions() -> None:
    """A run of an earlier version goes on in the middle of an epoch, whose plan is known by its name."""
    found = hashlib.sha256()
    generator = np.random.default_rng(3)
    for count, ranks, divisor, shuffle, seed in ((1000, 1, 1, True, 1), (777, 3, 3, False, 2), (40, 4, 8, True, 9)):
        lengths = generator.integers(3, 60, count)
        for dtype in (np.int64, np.int32, np.uint16):
            for rank in range(ranks):
                sampler = TokenBudgetSampler(
                    lengths.astype(dtype), 256, seed, rank, ranks, shuffle, divisible_by=divisor
                )
                keys = [(key.epoch, key.index, key.rows) for epoch in (0, 1) for key in epoch_of(sampler, epoch)]
                found.update(repr((sampler.plan, keys)).encode())
    assert found.hexdigest() == "793cef86ebb2d51b94106a828b01551f86ccf9e2d90fcb56511fb1b268362119"


@pytest.mark.slow
def test_ten_million_sequences_take_few_bytes_each() -> None:
    """Beside their lengths: 4 bytes to keep, 4 more while an epoch is read, and no list of all batches."""
    count = 10_000_000
    lengths = np.random.default_rng(0).integers(5, 129, count).astype(np.int32)
    tracemalloc.start()
    try:
        sampler = TokenBudgetSampler(lengths, 4096, seed=1)
        kept, while_planned = tracemalloc.get_traced_memory()
        first = next(reader := iter(sampler))
        reading, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(first.rows) * lengths[first.rows].max() <= 4096
    assert kept / count < 4.5
    assert reading / count < 9
    assert while_planned / count < 16
    del reader
