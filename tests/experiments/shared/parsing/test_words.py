"""Options among the words of a command line."""

import pytest

from experiments._shared.parsing.words import option_values


@pytest.mark.parametrize(
    ("words", "values"),
    [
        ("fit -c a.yaml --config=b.yaml --config c.yaml", ["a.yaml", "b.yaml", "c.yaml"]),
        ("fit -c=a.yaml --configs=b.yaml --x=-c", ["a.yaml"]),
        ("fit --config= -c", []),
        ("fit --config=a=b", ["a=b"]),
        ("", []),
    ],
)
def test_both_forms_of_an_option_are_found_in_order(words: str, values: list[str]) -> None:
    assert option_values(words.split(), "-c", "--config") == values
