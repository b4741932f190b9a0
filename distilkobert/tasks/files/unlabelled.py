"""Files to predict, which need not tell the answers: the task files as they are, or plain text, one a line.

What `korquad_files.py` reads has a switch of its own for that.
"""

from collections.abc import Iterator
from pathlib import Path

from distilkobert.batching import IGNORE_INDEX
from distilkobert.tasks.files.common import bad_line, show, table_lines
from distilkobert.tasks.files.ner import TaggedSentence, read_klue_ner, read_naver_ner
from distilkobert.tasks.files.nsmc import HEADER, Review, read_nsmc

_UNLABELLED_HEADER = "\t".join(HEADER[:-1])


def read_reviews(path: Path) -> Iterator[Review]:
    """Yield the reviews of an NSMC file, of one without the column `label`, or of plain text; unknown labels are -100.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: see `read_nsmc`; or a line of plain text has a tab, or one below a header not its columns.
    """
    if _is_plain(path):
        yield from (Review(str(number), line, IGNORE_INDEX) for number, line in _plain_lines(path))
        return
    _, first = next(table_lines(path))
    if first != _UNLABELLED_HEADER:
        yield from read_nsmc(path)
        return
    number = 0
    for number, line in table_lines(path):
        columns = line.split("\t")
        if len(columns) != 2:
            raise bad_line(
                path, number, f"{len(columns)} columns in {show(line)}", "2, separated by a tab: id, document"
            )
        if number > 1:
            yield Review(columns[0], columns[1], IGNORE_INDEX)
    if number < 2:
        raise ValueError(f"{path}: a header but no review below it")


def read_words(path: Path) -> Iterator[TaggedSentence]:
    """Yield the sentences of a Naver NER file, or of plain text, words between spaces; unknown tags are none.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: see `read_naver_ner`; or a line of plain text has a tab.
    """
    if not _is_plain(path):
        return read_naver_ner(path)
    lines = _plain_lines(path)
    return (TaggedSentence(line, tuple(word for word in line.split(" ") if word), ()) for _, line in lines)


def read_characters(path: Path) -> Iterator[TaggedSentence]:
    """Yield the sentences of a KLUE-NER file, or of plain text; unknown tags are none.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: see `read_klue_ner`; or a line of plain text has a tab.
    """
    if not _is_plain(path):
        return read_klue_ner(path)
    return (TaggedSentence(str(number), tuple(line), ()) for number, line in _plain_lines(path))


def _is_plain(path: Path) -> bool:
    """Whether the first line is that of no task file."""
    _, first = next(table_lines(path))
    return "\t" not in first and not first.lstrip().startswith(("{", "##"))


def _plain_lines(path: Path) -> Iterator[tuple[int, str]]:
    for number, line in table_lines(path):
        if "\t" in line:
            raise bad_line(path, number, f"a tab in {show(line)}", "plain text, as in line 1, or a file of the task")
        yield number, line
