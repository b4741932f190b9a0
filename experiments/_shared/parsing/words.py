"""Options among the words of a command line, in both forms: `--option=value` and `--option value`."""

from collections.abc import Sequence
from typing import Final

CONFIG_OPTIONS: Final = ("-c", "--config")


def option_values(words: Sequence[str], *names: str) -> list[str]:
    """The values of an option that are not empty, in the order in which it is given.

    Args:
        words: of a command line.
        names: of the option, with their dashes.
    """
    values = []
    for word, following in zip(words, [*words[1:], ""], strict=False):
        name, equals, value = word.partition("=")
        if name in names:
            values.append(value if equals else following)
    return list(filter(None, values))
