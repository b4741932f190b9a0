"""Files of tagged sentences: Naver NER in both of its formats, and KLUE-NER.

Naver NER, challenge format (naver/nlp-challenge): one word per line, three columns (number from 1, word, tag such as
PER_B or a dash), a blank line between sentences. One sentence per line (monologg/KoBERT-NER): words joined by spaces, a
tab, tags such as PER-B joined by spaces. Either way to write tags is taken in both. KLUE-NER 1.1: one character and its
tag (B-PS) a line; lines that start with `##` are comments, and the one before a sentence gives its id.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from distilkobert.tasks.files.common import bad_line, show, table_lines
from distilkobert.tasks.tags.labels import KLUE_ENTITY_TYPES, NAVER_ENTITY_TYPES, bio_labels, naver_labels

_COMMENT: Final = "##"
_NAVER_NAME: Final = "Naver NER"
_KLUE_NAME: Final = "KLUE-NER"


class TaggedSentence(NamedTuple):
    """Words or characters, as many tags, and what the sentence is known by: its id, or its text where it has none."""

    id: str
    units: tuple[str, ...]
    tags: tuple[str, ...]


def read_naver_ner(path: Path, types: Sequence[str] = NAVER_ENTITY_TYPES) -> Iterator[TaggedSentence]:
    """Yield the sentences of a Naver NER file, plain or compressed; the first line tells which format it has.

    Tags come out as `labels.naver_labels` writes them, whichever way the file does.

    Args:
        path: the file.
        types: types of entities.

    Raises:
        FileNotFoundError: the file does not exist.
        ValueError: a wrong number of columns, an unknown tag, unequal numbers of words and tags, words that are not
            numbered 1, 2, 3..., or what `task_files.table_lines` refuses; names file and line.
    """
    _, first = next(table_lines(path))
    columns = first.split("\t")
    if len(columns) == 3 and columns[0] == "1":
        return _read_challenge(path, naver_labels(types))
    if len(columns) == 2 and not first.startswith(_COMMENT):
        return _read_one_a_line(path, naver_labels(types))
    raise bad_line(
        path,
        1,
        show(first),
        "Naver NER: words, a tab and tags; or a word's number, the word and its tag between tabs",
        own=_NAVER_NAME,
    )


def _read_one_a_line(path: Path, labels: Sequence[str]) -> Iterator[TaggedSentence]:
    for number, line in table_lines(path):
        columns = line.split("\t")
        if len(columns) != 2:
            found = f"{len(columns)} column{'s' if len(columns) > 1 else ''} in {show(line)}"
            raise bad_line(path, number, found, "2, separated by a tab: words and tags", own=_NAVER_NAME)
        # Other white space, such as an ideographic space, may be a word of its own in these files.
        words, tags = (tuple(part for part in column.split(" ") if part) for column in columns)
        if len(words) != len(tags) or not words:
            raise bad_line(
                path, number, f"{len(words)} words and {len(tags)} tags", "one tag for each word", own=_NAVER_NAME
            )
        read = tuple(
            _naver_tag(path, number, tag, labels, f" (word {place})") for place, tag in enumerate(tags, start=1)
        )
        yield TaggedSentence(" ".join(words), words, read)


def _read_challenge(path: Path, labels: Sequence[str]) -> Iterator[TaggedSentence]:
    words: list[str] = []
    tags: list[str] = []
    for number, line in table_lines(path):
        if not line:
            if words:
                yield TaggedSentence(" ".join(words), tuple(words), tuple(tags))
            words, tags = [], []
            continue
        columns = line.split("\t")
        if len(columns) != 3:
            found = f"{len(columns)} column{'s' if len(columns) > 1 else ''} in {show(line)}"
            raise bad_line(path, number, found, "3, separated by tabs: number, word, tag", own=_NAVER_NAME)
        if columns[0] != str(len(words) + 1):
            expected = f"{len(words) + 1}: words are numbered from 1, and a blank line ends a sentence"
            raise bad_line(path, number, f"word number {show(columns[0])}", expected, own=_NAVER_NAME)
        words.append(columns[1])
        tags.append(_naver_tag(path, number, columns[2], labels))
    if words:
        yield TaggedSentence(" ".join(words), tuple(words), tuple(tags))


def _naver_tag(path: Path, number: int, written: str, labels: Sequence[str], place: str = "") -> str:
    """One of the labels: the challenge writes PER_B for PER-B and a dash for O."""
    tag = "O" if written == "-" else written.replace("_", "-")
    if tag not in labels:
        raise bad_line(
            path,
            number,
            f"the unknown tag {show(written)}{place}",
            f"{_tags(labels)} (or - for O); name other types with --data.types=[...]",
            own=_NAVER_NAME,
        )
    return tag


def read_klue_ner(path: Path, types: Sequence[str] = KLUE_ENTITY_TYPES) -> Iterator[TaggedSentence]:
    """Yield the sentences of a KLUE-NER file, plain or compressed.

    Args:
        path: the file.
        types: types of entities.

    Raises:
        FileNotFoundError: the file does not exist.
        ValueError: a line that is not one character and a tag, an unknown tag, a sentence without an id, a file without
            sentences, or what `task_files.table_lines` refuses; names file and line.
    """
    labels = bio_labels(types)
    identifier = ""
    characters: list[str] = []
    tags: list[str] = []
    number, sentences = 0, 0
    for number, line in table_lines(path):
        if line.startswith(_COMMENT):
            before, tab, _ = line.removeprefix(_COMMENT).partition("\t")
            if characters:
                raise bad_line(path, number, "a comment inside a sentence", "a blank line before it", own=_KLUE_NAME)
            if tab:
                identifier = before.strip()
            continue
        if not line:
            if characters:
                yield TaggedSentence(identifier, tuple(characters), tuple(tags))
                sentences += 1
            identifier, characters, tags = "", [], []
            continue
        columns = line.split("\t")
        if len(columns) != 2 or len(columns[0]) != 1:
            raise bad_line(path, number, show(line), "one character, a tab and its tag", own=_KLUE_NAME)
        if columns[1] not in labels:
            raise bad_line(path, number, f"the unknown tag {show(columns[1])}", _tags(labels), own=_KLUE_NAME)
        if not identifier:
            raise bad_line(
                path, number, "a sentence without an id", "a line '## id<tab>text' before it", own=_KLUE_NAME
            )
        characters.append(columns[0])
        tags.append(columns[1])
    if characters:
        yield TaggedSentence(identifier, tuple(characters), tuple(tags))
        sentences += 1
    if not sentences:
        raise bad_line(
            path, number, "the end of the file and no sentence before it", "KLUE-NER sentences", own=_KLUE_NAME
        )


def _tags(labels: Sequence[str]) -> str:
    return f"one of {', '.join(labels)}"
