"""Records of predictions, compared as far as processors let them be equal."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest


def assert_records_alike(found: Sequence[Mapping[str, Any]], expected: Sequence[Mapping[str, Any]]) -> None:
    """The same rows, texts and answers; numbers to rounding.

    The same weights elsewhere in memory may be added up in another order, so two networks need not agree to the last
    bit.
    """
    assert len(found) == len(expected)
    for ours, its in zip(found, expected, strict=True):
        assert ours.keys() == its.keys()
        for name, value in its.items():
            numbers = isinstance(value, float)
            assert ours[name] == (pytest.approx(value, rel=1e-5, abs=1e-8) if numbers else value), name
