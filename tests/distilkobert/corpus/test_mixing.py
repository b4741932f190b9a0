"""Which sequences an epoch has of several corpora: against a definition that goes through all places."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from distilkobert.corpus.mixing import MixedSequences, WeightedSlots, sequences_of_epoch
from distilkobert.corpus.sequences import Rows


class Numbered:
    """Sequences whose ids are a number of their own, so that it is seen which one was taken."""

    def __init__(self, lengths: Sequence[int], first: int = 0) -> None:
        self._lengths, self._first = np.array(lengths, dtype=np.int32), first

    def __len__(self) -> int:
        return len(self._lengths)

    def lengths(self) -> npt.NDArray[np.int32]:
        return self._lengths

    def gather(self, rows: list[int]) -> Rows:
        lengths = self._lengths[rows]
        return Rows(np.repeat(np.array(rows, dtype=np.uint32) + self._first, lengths), lengths)


def rows_of(slots: WeightedSlots, epoch: int) -> list[int]:
    return slots.rows(np.arange(len(slots)), epoch).tolist()


@given(
    lengths=st.lists(st.integers(3, 40), min_size=1, max_size=40),
    weight=st.floats(0.05, 3.5),
    seed=st.integers(0, 5),
    first=st.integers(0, 1000),
)
def test_every_sequence_comes_as_often_as_the_weight_says(
    lengths: list[int], weight: float, seed: int, first: int
) -> None:
    count = len(lengths)
    wanted = sequences_of_epoch(count, weight)
    assert abs(wanted - weight * count) <= 0.5 + 1e-9
    if not wanted:
        return
    slots = WeightedSlots(Numbered(lengths), weight, seed)
    bounds = slots.lengths().tolist()
    seen: Counter[int] = Counter()
    came: dict[int, list[int]] = {row: [] for row in range(count)}
    for epoch in range(first, first + count):
        rows = rows_of(slots, epoch)
        assert len(rows) == wanted == len(bounds)
        assert all(lengths[row] <= bound for row, bound in zip(rows, bounds, strict=True))
        times = Counter(rows)
        assert set(times.values()) <= {wanted // count, wanted // count + 1}
        for row in range(count):
            if times[row] > wanted // count:
                came[row].append(epoch)
        seen.update(times)
    assert set(seen.values()) == {wanted}  # in N epochs, each of N sequences
    for epochs in came.values():
        gaps = np.diff(epochs)
        drawn = wanted % count
        assert not len(gaps) or {int(gap) for gap in gaps} <= {count // drawn, -(-count // drawn)}


def test_what_is_drawn_is_the_set_of_the_definition() -> None:
    count, drawn = 23, 9
    slots = WeightedSlots(Numbered(range(3, 3 + count)), drawn / count, seed=1)  # the order of lengths is that of rows
    for epoch in range(2 * count):
        expected = [place for place in range(count) if (place + epoch) * drawn % count < drawn]
        assert rows_of(slots, epoch) == expected


def test_a_drawn_slot_counts_as_its_longest_and_not_as_more() -> None:
    slots = WeightedSlots(Numbered(range(3, 43)), 0.25, seed=1)
    longest = np.max([slots.rows(np.arange(10), epoch) for epoch in range(40)], axis=0) + 3
    assert slots.lengths().tolist() == longest.tolist()


def test_whole_weights_draw_nothing() -> None:
    slots = WeightedSlots(Numbered([5, 9, 7]), 2.0, seed=1)
    assert rows_of(slots, 0) == rows_of(slots, 8) == [0, 1, 2, 0, 1, 2]
    assert slots.lengths().tolist() == [5, 9, 7, 5, 9, 7]


def test_the_seed_decides_which_of_equal_lengths_are_drawn() -> None:
    drawn = [rows_of(WeightedSlots(Numbered([8] * 60), 0.5, seed), 0) for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1]
    assert set(drawn[0]) != set(drawn[2])
    assert set(drawn[0]) not in ({*range(0, 60, 2)}, {*range(1, 60, 2)})  # no pattern of the text


@pytest.mark.parametrize("weights", [(1.0, 1.0), (2.0, 0.5), (0.3, 1.5)])
def test_a_mixture_gathers_from_the_corpora_by_turns(weights: tuple[float, float]) -> None:
    corpora = Numbered([5, 3, 9, 4, 6, 6, 5, 8, 7, 3]), Numbered([4, 4, 11, 7, 5, 9], first=100)
    mixed = MixedSequences(corpora, weights, seed=3)
    sizes = [sequences_of_epoch(len(corpus), weight) for corpus, weight in zip(corpora, weights, strict=True)]
    bounds = mixed.lengths()
    assert len(bounds) == sum(sizes)
    chosen = np.random.default_rng(0).permutation(len(bounds))[:9].tolist()
    for epoch in range(4):
        rows, tokens = mixed.gather(chosen, epoch)
        expected = []
        for corpus, weight, first, start in zip(corpora, weights, (0, 100), (0, sizes[0]), strict=True):
            own = rows_of(WeightedSlots(corpus, weight, 3), epoch)
            expected.append(
                [(own[slot - start] + first, corpus.lengths()[own[slot - start]])
                 for slot in chosen if start <= slot < start + len(own)]
            )  # fmt: skip
        ends = np.cumsum(rows.lengths)
        found = [(rows.ids[end - 1], length) for end, length in zip(ends, rows.lengths, strict=True)]
        assert found == [*expected[0], *expected[1]]
        assert tokens == [sum(length for _, length in part) for part in expected]
