"""Names in a message: the first ones, and how many more there are."""

from collections.abc import Sequence


def few(names: Sequence[str], most: int = 3, separator: str = ", ") -> str:
    """The names as text, such as `a, b, c and 2 more`; empty without names.

    Args:
        names: in the order in which they are shown.
        most: how many are shown.
        separator: between two names.
    """
    rest = len(names) - most
    return separator.join(names[:most]) + (f" and {rest:,} more" if rest > 0 else "")
