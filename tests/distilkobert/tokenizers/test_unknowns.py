"""The share of unknown pieces: counted, warned of, refused."""

import logging

import numpy as np
import pytest

from distilkobert.tokenizers.unknowns import PieceCounts, check_unknown, require_limit


def counts(percent: float, pieces: int = 1000) -> PieceCounts:
    return PieceCounts(pieces, round(percent * pieces / 100))


def test_counts_of_lists_and_arrays() -> None:
    found = PieceCounts.of([[5, 1, 1], np.array([1, 7], dtype=np.uint16), [], np.zeros(0, dtype=np.uint32)], 1)
    assert found == PieceCounts(pieces=5, unknown=3)
    assert found.share == pytest.approx(0.6)
    assert found + PieceCounts(5, 0) == PieceCounts(10, 3)
    assert PieceCounts().share == 0.0


@pytest.mark.parametrize(
    ("percent", "limit", "warns", "refuses"),
    [
        (0, 0.3, False, False),
        (4.9, 0.3, False, False),
        (5, 0.3, True, False),
        (29.9, 0.3, True, False),
        (30, 0.3, False, True),
        (30, 0.31, True, False),
        (10, 0.1, False, True),
        (4, 0.02, False, False),
        (100, 1, True, False),
        (99, 0.999, True, False),
    ],
)
def test_warning_from_five_percent_and_error_from_the_limit(
    percent: float, limit: float, warns: bool, refuses: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    if refuses:
        with pytest.raises(ValueError, match=rf"here: {percent:.1f}% of 1,000 pieces .*raise unknown_limit") as error:
            check_unknown(counts(percent), "here", limit)
        message = str(error.value)
    else:
        check_unknown(counts(percent), "here", limit)
        message = caplog.text
    assert bool(caplog.records) == warns
    if warns or refuses:
        assert all(cause in message for cause in ("do_lower_case", "NFD", "another model's tokenizer"))
        assert "\n" not in message.rstrip("\n")


def test_few_pieces_are_warned_of_only(caplog: pytest.LogCaptureFixture) -> None:
    check_unknown(PieceCounts(99, 99), "here")
    assert "here: 100.0% of 99 pieces" in caplog.text
    with pytest.raises(ValueError, match="here"):
        check_unknown(PieceCounts(100, 30), "here")


def test_causes_are_named_once(caplog: pytest.LogCaptureFixture) -> None:
    assert not check_unknown(counts(1), "train")
    assert check_unknown(counts(6.7), "dev", again=True)
    assert [record.getMessage() for record in caplog.records] == [
        "dev: 6.7% of 1,000 pieces are unknown to the tokenizer"
    ]
    with pytest.raises(ValueError, match="do_lower_case"):
        check_unknown(counts(40), "test", again=True)


@pytest.mark.parametrize("limit", [0, -0.1, 1.1, float("nan")])
def test_limits_out_of_range(limit: float) -> None:
    with pytest.raises(ValueError, match=r"unknown_limit is .*expected more than 0 and at most 1"):
        require_limit(limit)
