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


def words_before(words: Sequence[str], number: int, *names: str) -> list[str]:
    """The words before an option; all words where it is not given so often.

    Args:
        words: of a command line.
        number: which of the times that it is given, from 0.
        names: of the option, with their dashes.
    """
    places = [place for place, word in enumerate(words) if word.partition("=")[0] in names]
    return list(words[: places[number]] if number < len(places) else words)
