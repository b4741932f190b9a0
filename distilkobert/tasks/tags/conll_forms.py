"""CoNLL files without tabs: which lines are comments, and whether a file is CoNLL at all or plain text."""

from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Final, Literal, TypeAlias

from distilkobert.tasks.files.common import show, table_lines
from distilkobert.tasks.tags.tag_forms import is_tag

ConllForm: TypeAlias = Literal["tagged", "untagged", "text"]
_MARKS: Final = ("# ", "## ", "-DOCSTART-")
_LOOKED_AT: Final = 1000
"""Lines by which a form is chosen."""


class Comments:
    """Knows the lines of a CoNLL file that are comments where a sentence may begin.

    A line that begins with # and a space is one, unless it has as many columns as other lines and a tag: there # is the
    word.

    Args:
        path: the file.
        tag_column: number of the tag column.
    """

    def __init__(self, path: Path, tag_column: int) -> None:
        self._tag_column = tag_column
        others = (line for _, line in table_lines(path) if line.strip() and not line.startswith(_MARKS))
        self._width = len(next(others, "").split())

    def __contains__(self, line: str) -> bool:
        if not line.startswith(_MARKS):
            return False
        as_others = "\t" not in line and len(line.split()) == self._width
        return not (line.startswith("#") and as_others and _has_tag(line, self._tag_column))


def conll_form(path: Path, characters: bool, tag_column: int) -> ConllForm:
    """What a file without tabs is.

    CoNLL with a tag per line has as many columns in every line, the tag among them. CoNLL without tags has one word or
    character per line and blank lines between sentences. All else is plain text, one sentence per line.

    Args:
        path: the file.
        characters: each unit is a character, not a word; a line of one space is one too.
        tag_column: number of the tag column.

    Raises:
        ValueError: the file may be CoNLL or plain text; names file and line.
    """
    first, comments = list(islice(table_lines(path), _LOOKED_AT)), Comments(path, tag_column)
    rows = [(number, line) for number, line in first if line.strip() and line not in comments]
    if rows and all(len(line if characters else line.split()) == 1 for _, line in rows):
        if len(rows) > 1 and all(line if characters else line.strip() for _, line in first):
            raise ValueError(
                f"{path}, line {rows[0][0]}: every line is one {'character' if characters else 'word'} and none is "
                "blank, so the ends of sentences are unknown; put a blank line behind each sentence"
            )
        return "untagged"
    tagged = [(number, line) for number, line in rows if _has_tag(line, tag_column)]
    widths = {len(line.split()) for _, line in tagged}
    longest = max((len(line.split()) for _, line in rows if not _has_tag(line, tag_column)), default=0)
    if not tagged or (longest and (len(widths) > 1 or longest >= min(widths))):
        return "text"
    if longest or len(widths) > 1 or len(rows) == 1:
        number, line = tagged[0]
        raise ValueError(
            f"{path}, line {number}: {show(line)} may be a word and its tag, or a sentence; expected a tab before "
            "every tag, or, in plain text, another end of the sentence, such as a full stop"
        )
    return "tagged"


def _has_tag(line: str, tag_column: int) -> bool:
    columns: Sequence[str] = line.split()
    return len(columns) > 1 and -len(columns) <= tag_column < len(columns) and is_tag(columns[tag_column])
