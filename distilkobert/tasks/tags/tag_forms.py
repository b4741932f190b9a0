"""Ways to write your own tags, read into one: B-TYPE opens an entity, I-TYPE continues it, O is outside.

Reads the letter before the type (B-PER, B_PER) or after it (PER-B, PER_B), and in addition to B and I also E (last
word) and S (single), as in BIOES. `O` and `-` are outside. Entities are those of `lenient_entities`, so an I that
follows O or another type opens one (IOB1, or a damaged sentence); it becomes B.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final, Literal, TypeAlias

from distilkobert.metrics.entities import Entity, lenient_entities
from distilkobert.tasks.files.common import show
from distilkobert.tasks.files.table_rows import LinePlace
from distilkobert.tasks.tags.alignment import OUTSIDE

TagForm: TypeAlias = Literal["prefix", "suffix"]
_PATTERNS: Final = {
    "prefix": re.compile("(?P<letter>[BIES])[-_](?P<type>.+)"),
    "suffix": re.compile("(?P<type>.+)[-_](?P<letter>[BIES])"),
}
_OUTSIDE: Final = (OUTSIDE, "-")


def is_tag(text: str) -> bool:
    """Whether a text is written as a tag is, in either form."""
    return text in _OUTSIDE or any(pattern.fullmatch(text) for pattern in _PATTERNS.values())


def form_of(tags: Iterable[tuple[str, LinePlace]]) -> TagForm:
    """How a file writes its tags: with the letter before the type, or behind it.

    Args:
        tags: all of a file, and where each is.

    Raises:
        ValueError: a tag is written neither way, or some this way and some that way; names file and line.
    """
    first: dict[str, tuple[str, LinePlace]] = {}
    possible: list[TagForm] = ["prefix", "suffix"]
    for tag, place in tags:
        if tag in _OUTSIDE:
            continue
        fits = [form for form in ("prefix", "suffix") if _PATTERNS[form].fullmatch(tag)]
        left = [form for form in possible if form in fits]
        if not left:
            before = next((f", and {show(other)} in {where}" for other, where in first.values()), "") if fits else ""
            raise ValueError(
                f"{place}: the tag {show(tag)}{before}; expected tags that are all like B-PER or all like PER-B, with "
                "the letters B, I, E and S, or O"
            )
        first.setdefault(fits[0], (tag, place))
        possible = left
    return possible[0]


def split_tag(tag: str, form: TagForm, place: LinePlace) -> tuple[str, str]:
    """Letter (B, I, E or S) and type of a tag; O and nothing where it is outside.

    Raises:
        ValueError: the tag is not of this form; names file and line.
    """
    if tag in _OUTSIDE:
        return OUTSIDE, ""
    found = _PATTERNS[form].fullmatch(tag)
    if found is None:
        shape = "B-PER" if form == "prefix" else "PER-B"
        raise ValueError(f"{place}: the tag {show(tag)}; expected one like {shape}, as in the training file, or O")
    return found["letter"], found["type"]


def bio_tags(tags: Sequence[str], form: TagForm, types: Sequence[str], place: LinePlace) -> tuple[str, ...]:
    """Tags of a sentence as B-TYPE, I-TYPE and O.

    Raises:
        ValueError: a tag is not of this form, or its type is none of `types`; names file and line.
    """
    read = []
    for tag in tags:
        letter, kind = split_tag(tag, form, place)
        if kind and kind not in types:
            raise ValueError(
                f"{place}: the unknown entity type {show(kind)} in {show(tag)}; the types are {', '.join(types)}. "
                "Correct the line, or name all types with --data.types=[...]"
            )
        read.append(f"{letter}-{kind}" if kind else OUTSIDE)
    return bio_of(len(tags), lenient_entities(read))


def bio_of(length: int, entities: Iterable[Entity]) -> tuple[str, ...]:
    """The tags of words or characters, from entities that do not overlap."""
    tags = [OUTSIDE] * length
    for kind, start, end in entities:
        tags[start:end] = [f"B-{kind}", *[f"I-{kind}"] * (end - start - 1)]
    return tuple(tags)
