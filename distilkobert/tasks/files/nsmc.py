"""The Naver sentiment movie corpus (e9t/nsmc): `id`, `document` and `label` between tabs, one review a line.

Quoting is off: quote characters in the files are text. Documents may be empty (eight of the official ones are).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from distilkobert.tasks.files.common import bad_line, show, table_lines
from distilkobert.tasks.labels import NSMC_LABELS

HEADER: Final = ("id", "document", "label")


class Review(NamedTuple):
    """One line: the review's id, its text, and its label as a number, 0 negative or 1 positive."""

    id: str
    text: str
    label: int


def read_nsmc(path: Path) -> Iterator[Review]:
    """Yield the reviews of a file, plain or compressed.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: a header, number of columns or label that is not NSMC's, a file without reviews, or one that
            `task_files.table_lines` refuses; names file and line.
    """
    number = 0
    for number, line in table_lines(path):
        columns = line.split("\t")
        if number == 1:
            if tuple(columns) != HEADER:
                raise bad_line(path, 1, show(line), "the header of NSMC: id, document and label, separated by tabs")
            continue
        if len(columns) != len(HEADER):
            found = f"{len(columns)} column{'s' if len(columns) > 1 else ''} in {show(line)}"
            raise bad_line(path, number, found, "3, separated by tabs: id, document, label")
        identifier, text, label = columns
        if not identifier:
            raise bad_line(path, number, "no id", "a review id in the first column")
        if label not in ("0", "1"):
            names = " or ".join(f"{value} ({name})" for value, name in enumerate(NSMC_LABELS))
            raise bad_line(path, number, f"the label {show(label)}", names)
        yield Review(identifier, text, int(label))
    if number < 2:
        raise ValueError(f"{path}: a header but no review; the file seems cut off, so fetch it again")
