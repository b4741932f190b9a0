"""How a table of texts is read: the options of the command line."""

from dataclasses import dataclass

from distilkobert.tasks.files.tables import Quotes


@dataclass(frozen=True)
class Table:
    """What the options say of a table; the rest is read off the file, as in training.

    Args:
        columns: those with the texts, in the order of the codec's fields; None: called as the fields.
        delimiter: one character between fields.
        quotes: whether quotes enclose fields or are text.
        header: names of the columns where the file has no line of them.
    """

    columns: list[str] | None = None
    delimiter: str | None = None
    quotes: Quotes = "auto"
    header: list[str] | None = None
