"""Options among the words of a command line."""

import pytest

from experiments._shared.parsing.words import option_values, words_before


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


def test_words_before_an_option() -> None:
    words = ["-c", "a.yaml", "--x=1", "--config=b.yaml", "--config", "c.yaml", "--y"]
    assert [len(words_before(words, number, "-c", "--config")) for number in range(4)] == [0, 3, 4, 7]
