"""Options that are refused with a remedy: those that had another name once, and those that other classes have."""

from typing import Final

NEW_NAMES: Final = {"seed_compatible": "reference_decoding"}
"""Last part of the old name to that of today's."""

_ELSEWHERE: Final = {
    "unlabelled_file": "texts without labels teach classes, labels and scores alone (TableDataModule, NSMCDataModule)"
}
"""Option of some classes to what it is for."""


def remedy(name: str) -> str:
    """What to say of an option that a class or command does not have; empty where nothing is known of it."""
    group, dot, last = name.rpartition(".")
    if last in NEW_NAMES:
        return f"; it is now {group}{dot}{NEW_NAMES[last]}"
    return f"; {_ELSEWHERE[last]}" if last in _ELSEWHERE else ""
