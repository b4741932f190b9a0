"""Your own tagged sentences: one word or character per line, one sentence per line, or character spans in JSONL."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

from distilkobert.metrics.entities import Entity
from distilkobert.tasks.files.common import show, table_lines
from distilkobert.tasks.files.table_rows import LinePlace
from distilkobert.tasks.files.tables import TableLayout, read_table
from distilkobert.tasks.tags.conll_forms import Comments, conll_form
from distilkobert.tasks.tags.labels import WORD
from distilkobert.tasks.tags.tag_forms import bio_of

TagFormat: TypeAlias = Literal["conll", "lines", "spans"]
Units: TypeAlias = Literal["words", "characters"]
_START, _END, _TYPE = ("start", "start_offset"), ("end", "end_offset"), ("label", "type", "tag")


class WrittenSentence(NamedTuple):
    """Words or characters, their tags as the file writes them (none where it has none), and where it begins."""

    units: tuple[str, ...]
    tags: tuple[str, ...]
    place: LinePlace


@dataclass(frozen=True)
class TagFiles:
    """How files of tagged sentences are read.

    Args:
        format: `conll` has a word or a character and its tag a line and a blank line between sentences, `lines` words
            joined by spaces, a tab, and their tags joined by spaces, `spans` JSONL of texts with spans of characters.
        units: what is tagged.
        word_column: number of the word column in `conll`, from 0; negative numbers count from the last.
        tag_column: the same for the tag column.
        text: key of the text in `spans`.
        entities: key of the list of entities there: [start, end, type], or objects with start, end and label (or
            start_offset, end_offset and type, as some annotation tools write them).

    Raises:
        ValueError: `lines` has words, so `units` cannot be characters; or an option is for another format.
    """

    format: TagFormat
    units: Units
    word_column: int = 0
    tag_column: int = -1
    text: str = "text"
    entities: str = "entities"

    def __post_init__(self) -> None:
        if self.format == "lines" and self.units == "characters":
            raise ValueError("format=lines has one tag per word; expected units=words, or format=conll or spans")
        options = {"word_column": "conll", "tag_column": "conll", "text": "spans", "entities": "spans"}
        for field in fields(self):
            only = options.get(field.name, self.format)
            if self.format != only and getattr(self, field.name) != field.default:
                raise ValueError(f"{field.name} is set, but is for format={only} only; leave it out, or set the format")

    def read(self, path: Path, labelled: bool = True) -> Iterator[WrittenSentence]:
        """Yield the sentences of a file.

        Args:
            path: the file.
            labelled: whether every sentence must have its tags. If not, files of plain text, one sentence per line, are
                read as well, and `conll` without tags: one word or character per line, blank lines between sentences.

        Raises:
            FileNotFoundError: the file does not exist.
            ValueError: the file is of another format, or may be of two; a line is not of this one, numbers of words and
                tags differ, spans overlap, cross words or are outside of the text, or there is no sentence; names file
                and line.
        """
        if self.format == "lines" and _is_conll(path):
            raise ValueError(f"{path}: every line has one word, and blank lines are between them; set format: conll")
        read: _Reader = {"conll": _conll, "lines": _lines, "spans": _spans}[self.format]
        if not labelled and self.format != "spans" and not _has_columns(path):
            read = _plain if self.format == "lines" else _without_tabs(path, self)
        count = 0
        for sentence in read(path, self):
            count += 1
            if labelled and len(sentence.tags) != len(sentence.units):
                absent = f"a sentence without tags; expected one for each of its {self.units}"
                if self.format == "spans":
                    absent = f"no {self.entities!r}; write [] where there is none"
                raise ValueError(f"{sentence.place}: {absent}")
            yield sentence
        if not count:
            raise ValueError(f"{path}: no sentence in it; expected the format {self.format!r}")


_Reader: TypeAlias = Callable[[Path, TagFiles], Iterator[WrittenSentence]]


def _is_conll(path: Path) -> bool:
    """Whether the first lines have one word and its tag each, with blank lines between sentences."""
    first = [line for (_, line), _ in zip(table_lines(path), range(100), strict=False)]
    words = [line.split("\t")[0] for line in first if line.strip()]
    return "" in [line.strip() for line in first] and len(words) > 1 and all(len(word.split()) == 1 for word in words)


def _has_columns(path: Path) -> bool:
    return any("\t" in line for (_, line), _ in zip(table_lines(path), range(20), strict=False))


def _without_tabs(path: Path, files: TagFiles) -> _Reader:
    form = conll_form(path, files.units == "characters", files.tag_column)
    return {"tagged": _conll, "untagged": _untagged, "text": _plain}[form]


def _plain(path: Path, files: TagFiles) -> Iterator[WrittenSentence]:
    for number, line in table_lines(path):
        units = tuple(WORD.findall(line)) if files.units == "words" else tuple(line)
        yield WrittenSentence(units, (), LinePlace(path, number))


def _conll(path: Path, files: TagFiles) -> Iterator[WrittenSentence]:
    for block in _blocks(path, files, " "):
        pairs = [_tagged_unit(line, place, files) for place, line in block]
        yield WrittenSentence(tuple(unit for unit, _ in pairs), tuple(tag for _, tag in pairs), block[0][0])


def _untagged(path: Path, files: TagFiles) -> Iterator[WrittenSentence]:
    characters = files.units == "characters"
    for block in _blocks(path, files, "" if characters else " "):
        units = tuple(line if characters else line.strip() for _, line in block)
        for unit, (place, line) in zip(units, block, strict=True):
            if len(unit if characters else unit.split()) != 1:
                raise ValueError(f"{place}: found {show(line)}; expected one of the {files.units}, as in lines before")
        yield WrittenSentence(units, (), block[0][0])


def _blocks(path: Path, files: TagFiles, spaces: str) -> Iterator[list[tuple[LinePlace, str]]]:
    """The lines of each sentence of a file with blank lines between them, comments left out.

    Args:
        path: the file.
        files: how it is read.
        spaces: what a blank line may have.
    """
    block: list[tuple[LinePlace, str]] = []
    comments = Comments(path, files.tag_column)
    for number, line in table_lines(path):
        if not line.strip(spaces):
            if block:
                yield block
            block = []
        elif block or line not in comments:
            block.append((LinePlace(path, number), line))
    if block:
        yield block


def _tagged_unit(line: str, place: LinePlace, files: TagFiles) -> tuple[str, str]:
    """The word or character of a line, and its tag."""
    columns = line.split("\t") if "\t" in line else line.split()
    try:
        unit, tag = columns[files.word_column], columns[files.tag_column]
    except IndexError:
        columns = []
    if len(columns) > 1 and files.word_column % len(columns) == files.tag_column % len(columns):
        raise ValueError(
            f"{place}: word_column={files.word_column} and tag_column={files.tag_column} are the same of "
            f"{len(columns)} columns; expected that of the words and that of the tags"
        )
    if len(columns) < 2 or not unit:
        raise ValueError(f"{place}: found {show(line)}; expected a word, a tab or a space, and its tag")
    if "\t" in line and min(len(unit.split()), len(tag.split())) > 1:
        raise ValueError(f"{place}: several words and several tags in {show(line)}; set format: lines")
    if files.units == "characters" and len(unit) != 1:
        raise ValueError(f"{place}: found {show(unit)}; expected one character, or set units: words")
    return unit, tag


def _lines(path: Path, files: TagFiles) -> Iterator[WrittenSentence]:
    for number, line in table_lines(path):
        place = LinePlace(path, number)
        if not line.strip():
            continue
        columns = line.split("\t")
        if len(columns) != 2:
            raise ValueError(f"{place}: {len(columns) - 1} tabs in {show(line)}; expected words, a tab, and tags")
        words, tags = (tuple(part for part in column.split(" ") if part) for column in columns)
        if len(words) != len(tags) or not words:
            raise ValueError(f"{place}: {len(words)} words and {len(tags)} tags; expected one tag for each word")
        yield WrittenSentence(words, tags, place)


def _spans(path: Path, files: TagFiles) -> Iterator[WrittenSentence]:
    for row in read_table(path, TableLayout(".jsonl")):
        assert isinstance(row.place, LinePlace)
        text = row.cells.get(files.text)
        if not isinstance(text, str) or not text.strip():
            raise ValueError(f"{row.place}: no text in {files.text!r}; the keys are {', '.join(row.cells)}")
        entities = row.cells.get(files.entities)
        if entities is None:
            yield WrittenSentence(_units(text, files.units), (), row.place)
            continue
        if not isinstance(entities, list):
            raise ValueError(f"{row.place}: {files.entities!r} is {show(str(entities))}; expected a list of entities")
        spans = sorted((_span(entity, text, row.place) for entity in entities), key=lambda span: span[1:])
        for before, span in pairwise(spans):
            if span.start < before.end:
                raise ValueError(
                    f"{row.place}: the entity {show(span.type)} from {span.start} overlaps the one before it"
                )
        tags = _word_tags(text, spans, row.place) if files.units == "words" else bio_of(len(text), spans)
        yield WrittenSentence(_units(text, files.units), tags, row.place)


def _span(entity: Any, text: str, place: LinePlace) -> Entity:
    if isinstance(entity, Mapping):
        entity = [next((entity[key] for key in keys if key in entity), None) for keys in (_START, _END, _TYPE)]
    if not (isinstance(entity, list) and len(entity) == 3 and all(map(isinstance, entity, (int, int, str)))):
        raise ValueError(f"{place}: the entity {show(str(entity))}; expected [start, end, type] or an object of these")
    start, end, kind = entity
    if not 0 <= start < end <= len(text):
        raise ValueError(f"{place}: the entity {show(kind)} from {start} to {end}; the text has {len(text)} characters")
    return Entity(kind, start, end)


def _units(text: str, units: Units) -> tuple[str, ...]:
    return tuple(WORD.findall(text)) if units == "words" else tuple(text)


def _word_tags(text: str, spans: Sequence[Entity], place: LinePlace) -> tuple[str, ...]:
    words = [found.span() for found in WORD.finditer(text)]
    tagged = []
    for kind, start, end in spans:
        inside = [number for number, (first, last) in enumerate(words) if first < end and last > start]
        if not inside or words[inside[0]][0] != start or words[inside[-1]][1] != end:
            raise ValueError(
                f"{place}: the entity {show(text[start:end])} ({kind}) begins or ends inside a word; set units: "
                "characters, or move it to the ends of words"
            )
        tagged.append(Entity(kind, inside[0], inside[-1] + 1))
    return bio_of(len(words), tagged)
