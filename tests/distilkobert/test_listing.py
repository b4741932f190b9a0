"""Names in a message."""

import pytest

from distilkobert.listing import few


@pytest.mark.parametrize(
    ("count", "expected"), [(0, ""), (1, "a"), (3, "a, b, c"), (4, "a, b, c and 1 more"), (6, "a, b, c and 3 more")]
)
def test_the_first_names_and_how_many_more(count: int, expected: str) -> None:
    assert few(list("abcdef"[:count])) == expected


def test_how_many_are_shown_and_what_is_between_them() -> None:
    assert few(["a 1, 2", "b 3", "c"], 2, "; ") == "a 1, 2; b 3 and 1 more"
    assert few([str(number) for number in range(1_234)], 1) == "0 and 1,233 more"
