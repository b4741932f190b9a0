"""Files to predict, which need not tell the answers: the task files as they are, or plain text, one per line.

What `korquad.py` reads has a switch of its own for that.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from distilkobert.tasks.files.common import bad_line, looks_like, show, table_lines
from distilkobert.tasks.files.ner import TaggedSentence, read_klue_ner, read_naver_ner
from distilkobert.tasks.tags.labels import KLUE_ENTITY_TYPES, NAVER_ENTITY_TYPES


def read_words(path: Path, types: Sequence[str] = NAVER_ENTITY_TYPES) -> Iterator[TaggedSentence]:
    """Yield the sentences of a Naver NER file, or of plain text, words between spaces; unknown tags are none.

    Raises:
        FileNotFoundError: the file does not exist.
        ValueError: see `read_naver_ner`; or a line of plain text has a tab.
    """
    if not _is_plain(path):
        return read_naver_ner(path, types)
    lines = _plain_lines(path)
    return (TaggedSentence(line, tuple(word for word in line.split(" ") if word), ()) for _, line in lines)


def read_characters(path: Path, types: Sequence[str] = KLUE_ENTITY_TYPES) -> Iterator[TaggedSentence]:
    """Yield the sentences of a KLUE-NER file, or of plain text; unknown tags are none.

    Raises:
        FileNotFoundError: the file does not exist.
        ValueError: see `read_klue_ner`; or a line of plain text has a tab.
    """
    if not _is_plain(path):
        return read_klue_ner(path, types)
    return (TaggedSentence(str(number), tuple(line), ()) for number, line in _plain_lines(path))


def _is_plain(path: Path) -> bool:
    """Whether the file begins as no task file does."""
    _, first = next(table_lines(path))
    return "\t" not in first and not looks_like(path)


def _plain_lines(path: Path) -> Iterator[tuple[int, str]]:
    for number, line in table_lines(path):
        if "\t" in line:
            raise bad_line(path, number, f"a tab in {show(line)}", "plain text, as in line 1, or a file of the task")
        yield number, line
