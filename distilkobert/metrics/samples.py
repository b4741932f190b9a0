"""Examples of a task with their answers, as a Markdown table that shows any text as text."""

import string
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

_LONGEST: Final = 200
"""Characters of a cell; longer texts are cut."""

_ENTITIES: Final = {ord(character): f"&#{ord(character)};" for character in string.punctuation}


@dataclass(frozen=True)
class Sample:
    """One answered example.

    Args:
        row: its number in the part that is evaluated.
        text: what was asked, as the model read it.
        gold: the true answer.
        predicted: the model's answer.
        weight: how sure the model was (0 to 1), or how far off a score is.
        right: whether the answer counts as right.
    """

    row: int
    text: str
    gold: str
    predicted: str
    weight: float
    right: bool


def as_cell(text: str) -> str:
    """`text` for a cell of a Markdown table, on one line and cut to 200 characters.

    All ASCII punctuation becomes character references, so that no text of a data file is read as HTML or Markdown;
    characters that cannot be shown become U+FFFD.
    """
    line = " ".join(text.split())
    line = line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in line).translate(_ENTITIES)


def sample_table(samples: Iterable[Sample]) -> str:
    """A Markdown table with one sample a line: its row and text, the true answer, the model's and its weight.

    Numbers are next to the text because TensorBoard breaks the words of narrow columns.
    """
    lines = ["| text | gold | answer |", "| --- | --- | --- |"]
    for sample in samples:
        answer = f"{as_cell(sample.predicted)} ({sample.weight:.3f}){'' if sample.right else ' ✗'}"
        lines.append(f"| **{sample.row}** {as_cell(sample.text)} | {as_cell(sample.gold)} | {answer} |")
    return "\n".join(lines)


def sample_page(first: Sequence[Sample], wrong: Sequence[Sample], title: str) -> str:
    """Two tables: the same first examples every time, and below `title` the worst of the wrong answers."""
    sure = sample_table(wrong) if wrong else "None: every answer is right."
    return f"**First examples**\n\n{sample_table(first)}\n\n**{title}**\n\n{sure}\n"
