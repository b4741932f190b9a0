"""The table that `prepare augment` writes: rows read, new ones made, counted, written and read back."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from rich.progress import BarColumn, MofNCompleteColumn, TimeRemainingColumn

from distilkobert.augmentation.rows import Augmenter, Texts, TextSet
from distilkobert.augmentation.spec import AugmentSpec
from distilkobert.io.files import atomic_file, sha256_of_file, write_text
from distilkobert.tasks.files.table_writing import TableWriter, layout_for, table_writer
from distilkobert.tasks.files.tables import TableLayout, read_table
from distilkobert.tasks.files.text_examples import TextColumns, read_examples
from distilkobert.tasks.splits import HashSplit
from distilkobert.tasks.texts.augmented import record_path, split_entry
from distilkobert.tasks.texts.targets import NoTarget
from experiments._shared.bars import progress_bar
from experiments.prepare.augment_model import load_augmenter


class Row(NamedTuple):
    """A row of the source: its cells, its texts, and what a hash divides the file by."""

    cells: dict[str, Any]
    texts: Texts
    key: str


class Source(NamedTuple):
    """The table that rows are read from."""

    path: Path
    layout: TableLayout
    columns: TextColumns

    def rows(self) -> Iterator[Row]:
        """Its rows, with the texts as data reads them."""
        examples = read_examples(self.path, self.layout, self.columns, NoTarget(None))
        for row, example in zip(read_table(self.path, self.layout), examples, strict=True):
            texts = (example.text,) if example.pair is None else (example.text, example.pair)
            yield Row(dict(row.cells), texts, example.id)

    @property
    def key(self) -> str:
        """What a hash divides it by, in words, as in `TableDataModule`."""
        columns = self.columns
        return f"column {columns.group!r}" if columns.group else "id" if columns.id else "text"


def write_augmented(
    source: Source,
    division: HashSplit,
    target: Path,
    model: str,
    tokenizer: str | None,
    spec: AugmentSpec,
    options: Mapping[str, Any],
) -> None:
    """Write the table and its record, and say what was counted.

    Args:
        source: where the rows are.
        division: of its rows; new ones are made of the training part.
        target: the table.
        model: folder, checkpoint or hub id.
        tokenizer: folder or hub name; None: that of the model.
        spec: how rows are made.
        options: of the command, for the record; `source_rows`, `max_length` and `batch_size` are read.

    Raises:
        FileNotFoundError: there is no such input or model, or no folder of the target.
        ValueError: see `augment`.
    """
    written, path = layout_for(target, source.layout), source.path
    names, rows_in, chosen, there = _read(source, division if division.dev or division.test else None)
    augmenter, facts = load_augmenter(model, tokenizer, spec, options["max_length"], options["batch_size"], there)
    with atomic_file(target) as stream:
        writer = table_writer(stream, written, names)
        if options["source_rows"] == "first":
            for row in source.rows():
                writer.write(_with_id(row.cells, source.columns.id))
        _write_new(writer, source, augmenter, chosen)
        writer.end()
        if not augmenter.counts.kept:
            raise ValueError(_nothing(path, augmenter))
        partial = Path(stream.name)
        _check(partial, written, source.columns, writer.count, target)
        counts = {"rows_in": rows_in, "rows_out": writer.count, **asdict(augmenter.counts)}
        record = {
            "sha256": sha256_of_file(partial),
            "source": {"name": path.name, "sha256": sha256_of_file(path)},
            "split": split_entry(division, source.key),
            "counts": counts,
            **facts,
            "options": dict(options),
        }
        # Before the table: a table without its record would look like one that was not augmented.
        write_text(record_path(target), json.dumps(record, ensure_ascii=False, indent=1) + "\n")
    print(
        f"{rows_in:,} rows read, {counts['rows'] - counts['without_words']:,} used, {counts['without_words']:,} "
        "without a word; new rows: "
        f"{counts['drawn']:,} drawn, dropped: {counts['unchanged']:,} unchanged, {counts['duplicates']:,} duplicates; "
        f"{counts['kept']:,} kept, {counts['words'] / counts['kept']:.1f} words replaced in each"
    )
    print(f"{counts['rows_out']:,} rows written to {target}; how they were made: {record_path(target).name}")


def _read(source: Source, division: HashSplit | None) -> tuple[list[str], int, set[int], TextSet]:
    """The columns of all rows, how many there are, the numbers of those that new ones are made of, and all texts."""
    names, there, keys, count = dict[str, None](), TextSet(), [], 0
    for row in source.rows():
        names |= dict.fromkeys(row.cells)  # an object of JSON need not have those of the first
        there.add(row.texts)
        count += 1
        if division is not None:
            keys.append(row.key)
    chosen = range(count) if division is None else division.rows(keys, "train", str(source.path), source.key)
    return list(names), count, set(chosen), there


def _write_new(writer: TableWriter, source: Source, augmenter: Augmenter, chosen: set[int]) -> None:
    columns, cells = source.columns, dict[int, dict[str, Any]]()
    bar = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with progress_bar(*bar) as progress:
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
        raise ValueError(f"{target}: {count:,} rows were written, {found:,} are read; use a .jsonl output")


def _nothing(path: Path, augmenter: Augmenter) -> str:
    counts = augmenter.counts
    if counts.rows == counts.without_words:
        return f"{path}: no text has a word; nothing was written"
    return (
        f"{path}: none of {counts.drawn:,} new rows is another text ({counts.unchanged:,} unchanged); raise "
        "probability, copies or max_pieces. Nothing was written"
    )
