"""Options that had another name once; a file or a command line with the old one is answered with the new one."""

from typing import Final

NEW_NAMES: Final = {"seed_compatible": "reference_decoding"}
"""Last part of the old name to that of today's."""
