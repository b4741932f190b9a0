"""Decomposed Hangul (Unicode NFD), which looks like composed Hangul and is other characters to a tokenizer."""

import logging
import re
from typing import Final

_log = logging.getLogger(__name__)

_JAMO: Final = re.compile("[\u1100-\u1112][\u1161-\u1175]")

DECOMPOSED: Final = (
    "Hangul in conjoining letters (U+1100 to U+11FF, Unicode NFD) in {rows}; many tokenizers make unknown pieces of "
    "them, or many more pieces. Convert the text to NFC, for example with: uconv -x nfc"
)
"""What is said of texts that have it; `rows` says how many."""


def has_jamo(text: str) -> bool:
    """Whether Hangul is written in conjoining letters, as macOS writes names of files (NFD)."""
    return not text.isascii() and _JAMO.search(text) is not None


def warn_decomposed(count: int, unit: str, where: str) -> None:
    """Warn of texts with decomposed Hangul, if there are any.

    A share of unknown pieces does not show them where the tokenizer knows every byte.

    Args:
        count: how many have it.
        unit: what one is called, such as `line`.
        where: where they are, for the message.
    """
    if count:
        _log.warning("%s: %s", where, DECOMPOSED.format(rows=f"{count:,} {unit}{'s' if count != 1 else ''}"))
