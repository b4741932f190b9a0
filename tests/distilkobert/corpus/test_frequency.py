"""Frequency groups of the vocabulary, and agreement over them."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from distilkobert.corpus.frequency import BUCKETS, frequency_buckets
from distilkobert.metrics import BucketAgreement


def test_a_hand_worked_division() -> None:
    # Masked mass is count^0.3, and 1024^0.3 = 8: eight tokens of weight 1, one of 8 and one of a little more than 8.
    counts = [1024, 1, 1, 1, 1, 0, 1, 1, 1, 1025]
    groups = [BUCKETS[place] for place in frequency_buckets(counts)]
    assert groups == ["middle", *["rare"] * 8, "frequent"]


@settings(max_examples=50)
@given(st.lists(st.integers(0, 10**7), min_size=1, max_size=60))
def test_more_frequent_tokens_are_never_in_a_rarer_group(counts: list[int]) -> None:
    places = frequency_buckets(counts)
    assert places.dtype == torch.int64
    assert set(places.tolist()) <= {0, 1, 2}
    for one, place in zip(counts, places, strict=True):
        for other, other_place in zip(counts, places, strict=True):
            if max(one, 1) == max(other, 1):
                assert place == other_place
            elif one > other:
                assert place >= other_place


def test_groups_of_a_zipf_vocabulary_are_thirds_of_the_masked_mass() -> None:
    counts = (10**8 / np.arange(1, 8003)).astype(int)
    mass = torch.from_numpy(counts**0.3)
    places = frequency_buckets(counts)
    for place in range(3):
        assert float(mass[places == place].sum() / mass.sum()) == pytest.approx(1 / 3, abs=0.01)


@pytest.mark.parametrize("counts", [[], [[1, 2]], [3, -1]])
def test_counts_that_are_none_are_refused(counts: list[int]) -> None:
    with pytest.raises(ValueError, match="expected one number of 0 or more for each token"):
        frequency_buckets(counts)


def test_agreement_is_counted_by_group_over_batches() -> None:
    metric = BucketAgreement(torch.tensor([0, 2, 2, 1]))
    metric.update(torch.tensor([True, False, True]), torch.tensor([0, 1, 2]))
    metric.update(torch.tensor([True]), torch.tensor([1]))
    shares = {name: float(share) for name, share in metric.compute().items()}
    assert shares == {"rare": 1.0, "frequent": pytest.approx(2 / 3)}, "a group without tokens has no share"
    metric.reset()
    metric.update(torch.zeros(0, dtype=torch.bool), torch.zeros(0, dtype=torch.long))
    assert metric.compute() == {}
    assert not metric.state_dict(), "the groups belong to the corpus, not to the checkpoint"
