"""`prepare augment`: more training rows by a masked language model's proposals, as a table for `TableDataModule`."""

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

from jsonargparse import Namespace
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

from distilkobert.augmentation.rows import Augmenter, AugmentSpec, Texts, TextSet
from distilkobert.io.files import atomic_file, sha256_of_file, write_text
from distilkobert.tasks.augmented import record_path, split_entry
from distilkobert.tasks.files.table_writing import TableWriter, layout_for, table_writer
from distilkobert.tasks.files.tables import Quotes, TableLayout, column_names, layout_of, read_table
from distilkobert.tasks.files.text_examples import TextColumns, read_examples
from distilkobert.tasks.splits import HashSplit, shares
from distilkobert.tasks.targets import NoTarget
from experiments._shared.parsers import StrictParser
from experiments.prepare.augment_model import load_augmenter

_EVALUATED: Final = frozenset({"dev", "test", "valid", "validation", "eval"})


def augment_parser() -> StrictParser:
    """The options of `prepare augment`."""
    parser = StrictParser()
    parser.add_function_arguments(augment, skip={"spec", "overwrite"})
    parser.add_class_arguments(AugmentSpec)
    parser.add_argument("--overwrite", action="store_true", help="replace an output that is there")
    return parser


def run_augment(settings: Namespace) -> None:
    """Run the command that was read."""
    given = vars(settings)
    spec = AugmentSpec(**{name: given.pop(name) for name in asdict(AugmentSpec())})
    augment(**given, spec=spec)


class _Row(NamedTuple):
    """A row of the source: its cells, its texts, and what a hash divides the file by."""

    cells: dict[str, Any]
    texts: Texts
    key: str


class _Source(NamedTuple):
    """The table that rows are read from."""

    path: Path
    layout: TableLayout
    columns: TextColumns

    def rows(self) -> Iterator[_Row]:
        examples = read_examples(self.path, self.layout, self.columns, NoTarget(None))
        for row, example in zip(read_table(self.path, self.layout), examples, strict=True):
            texts = (example.text,) if example.pair is None else (example.text, example.pair)
            yield _Row(dict(row.cells), texts, example.id)


def augment(
    model: str,
    input: str,
    output: str,
    spec: AugmentSpec,
    text: str = "text",
    text_pair: str | None = None,
    id: str | None = None,
    tokenizer: str | None = None,
    source_rows: Literal["first", "leave_out"] = "first",
    dev_share: float = 0.0,
    test_share: float = 0.0,
    split_by: str | None = None,
    delimiter: str | None = None,
    quotes: Quotes = "auto",
    header: list[str] | None = None,
    max_length: int = 128,
    batch_size: int = 64,
    overwrite: bool = False,
) -> None:
    """Write a table with new rows, and beside it, in <output>.augment.json, how it was made and what was counted.

    Args:
        model: folder, checkpoint or hub id of an encoder with its masked-LM head.
        input: table of training rows: CSV, TSV, JSONL, JSON or Parquet. All columns are kept.
        output: table to write, of any of these formats, uncompressed.
        spec: how many rows are made, and how much they differ.
        text: column of the text, or of the first of a pair.
        text_pair: column of the second text; none for one text. Each half is read alone.
        id: column of ids, each of which is there once; new rows get ids of their own, such as 17-aug3.
        tokenizer: folder or hub name of the model's tokenizer; where it is not given, that of the model's folder.
        source_rows: write the rows of the input first, or the new ones alone.
        dev_share: share of the input that data with this dev_share cuts from it by a hash; no row is made of those.
        test_share: the same of its test part.
        split_by: column that is hashed for that, as in the data; otherwise the id or the text.
        delimiter: character between fields, as in the data.
        quotes: whether quotes enclose fields or are text, as in the data.
        header: names of the columns where the input has no line of them.
        max_length: most tokens that the model reads, special tokens included; of longer texts those around a word.
        batch_size: inputs of a forward pass. With another one a near tie of two proposals may come out otherwise.
        overwrite: replace an output that is there.

    Raises:
        FileNotFoundError: there is no such input or model.
        FileExistsError: the output is there.
        ValueError: a number is out of range, the model has no trained masked-LM head or does not fit the tokenizer, a
            column is missing, or no text has a word.
    """
    target, division = Path(output), shares(dev_share, test_share)
    path, is_cut = Path(input), bool(division.dev or division.test)
    if target.exists() and (not overwrite or target.resolve() == path.resolve()):
        raise FileExistsError(f"{target} exists; name another --output{'' if overwrite else ', or add --overwrite'}")
    if text_pair is None and spec.change == "text_pair":
        raise ValueError("change is text_pair, and no text_pair is named; name its column, or leave change out")
    if source_rows == "first" and is_cut:
        raise ValueError(
            "dev_share and test_share are for new rows beside the input, as unlabelled_file; set "
            "source_rows=leave_out, or name an input of training rows alone"
        )
    layout = layout_of(path, delimiter, quotes, header or ())
    source, written = _Source(path, layout, TextColumns(text, text_pair, id, split_by)), layout_for(target, layout)
    if _EVALUATED & set(re.split(r"[^a-z]+", path.name.lower())):
        print(f"note: {path.name} looks like a dev or test file; augment training rows alone", file=sys.stderr)
    rows_in, chosen, there = _read(source, division if is_cut else None)
    augmenter, facts = load_augmenter(model, tokenizer, spec, max_length, batch_size, there)
    key = f"column {split_by!r}" if split_by else "id" if id else "text"
    options = {"text": text, "text_pair": text_pair, "id": id, "source_rows": source_rows, **asdict(spec)}
    with atomic_file(target) as stream:
        writer = table_writer(stream, written, column_names(path, layout))
        if source_rows == "first":
            for row in source.rows():
                writer.write(_with_id(row.cells, id))
        _write_new(writer, source, augmenter, chosen)
        writer.end()
        if not augmenter.counts.kept:
            raise ValueError(_nothing(path, augmenter))
        partial = Path(stream.name)
        counts = {"rows_in": rows_in, "rows_out": writer.count, **asdict(augmenter.counts)}
        _check(partial, written, source.columns, writer.count, target)
        record = {
            "sha256": sha256_of_file(partial),
            "source": {"name": path.name, "sha256": sha256_of_file(path)},
            "split": split_entry(division, key),
            "counts": counts,
            **facts,
            "options": {**options, "max_length": max_length, "batch_size": batch_size},
        }
        # Before the table: a table without its record would pass for one that nobody has augmented.
        write_text(record_path(target), json.dumps(record, ensure_ascii=False, indent=1) + "\n")
    print(
        f"{rows_in:,} rows read, new ones made of {counts['rows']:,} ({counts['without_words']:,} have no word): "
        f"{counts['drawn']:,} drawn, dropped: {counts['unchanged']:,} unchanged, {counts['duplicates']:,} duplicates; "
        f"{counts['kept']:,} kept, {counts['words'] / counts['kept']:.1f} words replaced in each"
    )
    print(f"{counts['rows_out']:,} rows written to {target}; how they were made: {record_path(target).name}")


def _read(source: _Source, division: HashSplit | None) -> tuple[int, set[int], TextSet]:
    """How many rows there are, the numbers of those that new ones are made of, and the texts of all."""
    there, keys, count = TextSet(), [], 0
    for row in source.rows():
        there.add(row.texts)
        count += 1
        if division is not None:
            keys.append(row.key)
    chosen = set(range(count)) if division is None else set(division.rows(keys, "train", str(source.path)))
    return count, chosen, there


def _write_new(writer: TableWriter, source: _Source, augmenter: Augmenter, chosen: set[int]) -> None:
    columns, cells = source.columns, dict[int, dict[str, Any]]()
    bar = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*bar, console=Console(stderr=True), disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("", total=len(chosen))

        def rows() -> Iterator[tuple[int, Texts]]:
            for number, row in enumerate(source.rows()):
                if number in chosen:
                    cells[number] = row.cells
                    progress.advance(task)
                    yield number, row.texts

        for new in augmenter.rows(rows()):
            for done in [number for number in cells if number < new.source]:
                del cells[done]
            texts = dict(zip(columns.texts, new.texts, strict=True))
            writer.write(_with_id({**cells[new.source], **texts}, columns.id, f"-aug{new.copy + 1}"))


def _with_id(cells: dict[str, Any], name: str | None, ending: str = "") -> dict[str, Any]:
    """The cells with an id of its own, as text; unchanged where there are no ids."""
    return cells if name is None else {**cells, name: f"{cells[name]}{ending}"}


def _check(partial: Path, layout: TableLayout, columns: TextColumns, count: int, target: Path) -> None:
    """Read what was written as data does.

    Raises:
        ValueError: it is not what was written.
    """
    try:
        found = sum(1 for _ in read_examples(partial, layout, columns, NoTarget(None)))
    except ValueError as error:
        raise ValueError(f"{str(error).replace(str(partial), str(target))} (as it was about to be written)") from None
    if found != count:
        raise ValueError(f"{target}: {count:,} rows were written, {found:,} are read; name an output that is .jsonl")


def _nothing(path: Path, augmenter: Augmenter) -> str:
    counts = augmenter.counts
    if counts.rows == counts.without_words:
        return f"{path}: no text has a word; nothing was written"
    return (
        f"{path}: none of {counts.drawn:,} new rows is another text ({counts.unchanged:,} unchanged); raise "
        "probability, copies or max_pieces. Nothing was written"
    )
