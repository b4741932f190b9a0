"""The Naver sentiment movie corpus (e9t/nsmc): `id`, `document` and `label` between tabs, one review per line.

Quoting is off: quote characters in the files are text. Documents may be empty (eight of the official ones are).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from distilkobert.tasks.files.tables import TableLayout
from distilkobert.tasks.files.text_examples import TextColumns, TextExample, read_examples
from distilkobert.tasks.tags.labels import NSMC_LABELS
from distilkobert.tasks.texts.targets import ClassTarget

NSMC_NAMES: Final[dict[str | int, str]] = {str(number): name for number, name in enumerate(NSMC_LABELS)}
"""What the file writes, to the name of the class."""

_ADVICE: Final = (
    "Files of NSMC begin with the line id<TAB>document<TAB>label: add it, or read the file as a table of your own "
    "(docs/extending.md)"
)


def read_nsmc(path: Path) -> Iterator[TextExample]:
    """Yield the reviews of a file, plain or compressed, each known by its id; labels are 0 and 1.

    Raises:
        FileNotFoundError: the file does not exist.
        ValueError: see `read_examples`.
    """
    target = ClassTarget("label", NSMC_NAMES)
    return read_examples(path, TableLayout(".txt", "\t"), TextColumns("document", id="id"), target, advice=_ADVICE)
