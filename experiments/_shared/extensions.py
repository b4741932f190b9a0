"""Modules of one's own that every command imports first: those that add an encoder family or a task kind."""

import os
from importlib import import_module
from typing import Final

EXTENSIONS: Final = "DISTILKOBERT_IMPORT"
"""Environment variable with the modules' names, commas between them."""


def import_extensions() -> None:
    """Import the modules that the environment names.

    Raises:
        ValueError: one cannot be imported; says why.
    """
    for name in filter(None, map(str.strip, os.environ.get(EXTENSIONS, "").split(","))):
        try:
            import_module(name)
        except Exception as error:
            raise ValueError(
                f"{EXTENSIONS}: cannot import {name} ({type(error).__name__}: {error}); the folder of a file of your "
                "own goes into PYTHONPATH"
            ) from error
