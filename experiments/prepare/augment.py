"""`prepare augment`: more training rows by a masked language model's proposals, as a table for `TableDataModule`."""

import re
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Final, Literal

from jsonargparse import Namespace

from distilkobert.augmentation.spec import AugmentSpec
from distilkobert.tasks.files.tables import Quotes, layout_of
from distilkobert.tasks.splits import shares
from experiments._shared.parsing.parsers import StrictParser

_EVALUATED: Final = frozenset({"dev", "test", "valid", "validation", "eval"})


def augment_parser() -> StrictParser:
    """The options of `prepare augment`."""
    parser = StrictParser()
    parser.add_function_arguments(augment, skip={"spec", "overwrite"})
    parser.add_class_arguments(AugmentSpec)
    parser.add_switch("overwrite", "overwrite an existing output")
    return parser


def run_augment(settings: Namespace) -> None:
    """Run the command that was read."""
    given = vars(settings)
    spec = AugmentSpec(**{name: given.pop(name) for name in asdict(AugmentSpec())})
    augment(**given, spec=spec)


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
    """Write a table with new rows, and next to it <output>.augment.json with settings and counts.

    Args:
        model: folder, checkpoint or hub id of an encoder with its masked-LM head.
        input: table of training rows: CSV, TSV, JSONL, JSON or Parquet. All columns are kept.
        output: table to write in one of these formats, uncompressed; a .txt file is tab-separated with a header line.
        spec: how many rows are made, and how much they differ.
        text: column of the text, or of the first of a pair.
        text_pair: column of the second text; none for one text. The model reads each text separately.
        id: column of unique ids; new rows get new ids, such as 17-aug3.
        tokenizer: folder or hub name of the model's tokenizer; by default the one in the model's folder.
        source_rows: write the rows of the input first, or leave them out.
        dev_share: `dev_share` of the data module that will split the input; no row is made from its dev split.
        test_share: the same for the test split.
        split_by: column whose hash splits the input, as in the data module; by default the id or the text.
        delimiter: character between fields, as in the data module.
        quotes: whether quotes enclose fields or are text, as in the data module.
        header: names of the columns, for an input without a header line.
        max_length: longest input of the model in tokens, including special tokens; longer texts are cut around a word.
        batch_size: inputs per forward pass. Another value can decide a near tie of two proposals differently.
        overwrite: overwrite an existing output.

    Raises:
        FileNotFoundError: input or model does not exist.
        FileExistsError: the output is there.
        ValueError: a number is out of range, the model has no trained masked-LM head or does not fit the tokenizer, a
            column is missing, or no text has a word.
    """
    from distilkobert.tasks.files.text_examples import TextColumns
    from experiments.prepare.augment_table import Source, write_augmented

    target, division = Path(output), shares(dev_share, test_share)
    path = Path(input)
    if target.resolve() == path.resolve():
        raise FileExistsError(f"--output={target} is also --input; choose another --output")
    if target.exists() and not overwrite:
        raise FileExistsError(f"{target} exists; choose another --output, or add --overwrite")
    if text_pair is None and spec.change == "text_pair":
        raise ValueError(
            "change is text_pair, but the option text_pair is missing; set it to a column, or leave change out"
        )
    if source_rows == "first" and (division.dev or division.test):
        raise ValueError(
            "dev_share and test_share need a separate file of new rows, used as unlabelled_file; set "
            "source_rows=leave_out, or give an input with training rows only"
        )
    if _EVALUATED & set(re.split(r"[^a-z]+", path.name.lower())):
        print(f"note: {path.name} looks like a dev or test file; augment training rows only", file=sys.stderr)
    layout = layout_of(path, delimiter, quotes, header)
    source = Source(path, layout, TextColumns(text, text_pair, id, split_by))
    options = {"text": text, "text_pair": text_pair, "id": id, "source_rows": source_rows, **asdict(spec)}
    options |= {"max_length": max_length, "batch_size": batch_size}
    write_augmented(source, division, target, model, tokenizer, spec, options)
