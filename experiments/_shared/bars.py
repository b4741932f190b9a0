"""Progress bars on standard error, for who watches; nothing is written where that is no terminal."""

import sys

from rich.console import Console
from rich.progress import Progress, ProgressColumn


def bar_console() -> Console:
    """Standard error, quiet where it is no terminal: releases of rich before 15 end a hidden bar with an empty line."""
    return Console(stderr=True, quiet=not sys.stderr.isatty())


def progress_bar(*columns: ProgressColumn) -> Progress:
    """A bar.

    Args:
        columns: what it shows, from left to right.
    """
    console = bar_console()
    return Progress(*columns, console=console, disable=console.quiet)
