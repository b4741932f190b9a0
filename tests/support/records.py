"""Records of predictions, compared as far as processors let them be equal."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest


def assert_records_alike(found: Sequence[Mapping[str, Any]], expected: Sequence[Mapping[str, Any]]) -> None:
    """The same rows, texts and answers; numbers to rounding.

    On some processors the order of a sum depends on where the weights are in memory, so a run's checkpoint and its
    export need not agree to the last bit.
    """
    assert len(found) == len(expected)
    for ours, its in zip(found, expected, strict=True):
        assert ours.keys() == its.keys()
        for name, value in its.items():
            expectation = pytest.approx(value, rel=1e-5, abs=1e-8) if isinstance(value, float) else value
            assert ours[name] == expectation, name
