"""TableDataModule: your own texts or pairs of texts with labels or scores, out of tables."""

from pathlib import Path
from typing import Any, Literal, TypeAlias, cast

from pytorch_lightning.utilities import rank_zero_info

from datamodules.batches.examples import JoinedBatches, TextBatches
from datamodules.batches.part import TaskBatches
from datamodules.files.tables import find_table, hub_of, named_files
from datamodules.overlap import OverlapDataModule
from datamodules.tasks import Tables
from distilkobert.tasks.feature_cache import Columns, as_columns
from distilkobert.tasks.files.odd_texts import OddTexts
from distilkobert.tasks.files.tables import FORMATS, SEPARATED, Quotes, TableLayout, format_of, layout_of, read_table
from distilkobert.tasks.files.text_examples import TextColumns, read_examples, read_unlabelled, require_columns
from distilkobert.tasks.input_settings import InputSettings
from distilkobert.tasks.kinds import MULTI_LABEL_CLASSIFICATION, SEQUENCE_CLASSIFICATION, SEQUENCE_REGRESSION
from distilkobert.tasks.splits import LABELLED, TaskPart
from distilkobert.tasks.texts.augmented import check_augmented
from distilkobert.tasks.texts.classification import SequenceCodec
from distilkobert.tasks.texts.table_labels import DEFAULT_SEPARATOR, balanced_weights, read_target
from distilkobert.tasks.texts.targets import NoTarget, word
from distilkobert.tokenizers.unknowns import UNKNOWN_LIMIT

TableKind: TypeAlias = Literal["classification", "regression", "multi_label"]
_KINDS = {
    "classification": SEQUENCE_CLASSIFICATION,
    "regression": SEQUENCE_REGRESSION,
    "multi_label": MULTI_LABEL_CLASSIFICATION,
}


class TableDataModule(OverlapDataModule):
    """Texts or pairs of texts in CSV, TSV, JSONL, JSON (a list of objects) or Parquet, or of the Hugging Face hub.

    Without `dev_file` or `test_file`, the dev or test split is a part of the training file, chosen by a hash of the id
    or of the text. Relative file names are searched in `data_dir`, as given and with .gz, .xz, .bz2 or .zst. The module
    gets the classes from `labels`.

    Args:
        tokenizer: folder or hub name of a KoBERT tokenizer, or of a fast tokenizer of transformers.
        text: column of the text, or of the first of a pair; `a.b` is b inside the object a of JSON.
        label: column of the label or score; for `multi_label` one column with all labels, or one column per label.
        train_file: table to train on.
        dev_file: table that selects the checkpoint; None: part of the training file.
        test_file: table for the `test` command; None: part of the training file.
        unlabelled_file: more training texts, without labels: a table with the text columns, or a .txt file with one
            text per line. A teacher labels them (TaskDistillation); labels in the file are ignored.
        data_dir: folder of the files.
        text_pair: column of the second text; None for one text.
        id: column with the id of an example; None: the text identifies it.
        split_by: column whose hash splits a file, instead of the id or the text: rows with the same value stay in one
            split.
        kind: one class per example, a score, or any number of labels.
        labels: all classes in their order, or a mapping of values in the file to class names; None: those of the
            training file, numbers in numeric order, words in alphabetical order.
        label_separator: separates the labels in one column of `multi_label`.
        score_range: lowest and highest score; None for any.
        class_weights: weights of the classes in the loss: `balanced` computes them from the training split's counts, or
            a number per class; None for none.
        delimiter: character between fields; None: a tab in .tsv, else the most frequent candidate in the first line.
        quotes: whether quotes `enclose` fields or are `text`; `auto` tries both on the training file and prints which.
        header: names of the columns, for files without a header line.
        hub: data set on the hub, `owner/name`, instead of files; its code is never run.
        hub_config: its configuration.
        hub_splits: its splits for `train`, `dev` and `test`; without dev or test, they are taken from train.
        dev_share: share of the training file for the dev split if there is no `dev_file`.
        test_share: the same for the test split.
        max_length: tokens of an input, including special tokens; longer texts are truncated, in a pair the longer one
            first.
        batch_size: examples per training batch and process.
        eval_batch_size: examples per evaluation batch.
        deduplicate: remove training examples whose text also occurs in the test file, which must be a file of its own.
            `facts` has their share.
        seed: seed of the batch order.
        num_workers: loader processes per loader and rank; 0 loads in the training process.
        cache_dir: folder for encoded files; None: `distilkobert` in the cache folder of `datasets`.
        predict_file: table for the `predict` command, with or without labels, or a .txt file with one text per line;
            None: the test split.
        unknown_limit: share of unknown pieces from which a split is refused; 1 accepts any.

    Raises:
        FileNotFoundError: a file or the tokenizer is not there.
        ValueError: a setting out of range, a column is missing, or the training file has fewer than two classes.
    """

    key_name = ""
    """What is hashed to divide a file, in words; empty: the id or the text."""

    def __init__(
        self,
        tokenizer: str,
        text: str = "text",
        label: str | list[str] = "label",
        train_file: str | None = None,
        dev_file: str | None = None,
        test_file: str | None = None,
        unlabelled_file: str | None = None,
        data_dir: str = ".",
        text_pair: str | None = None,
        id: str | None = None,
        split_by: str | None = None,
        kind: TableKind = "classification",
        labels: list[str | int] | dict[str | int, str] | None = None,
        label_separator: str = DEFAULT_SEPARATOR,
        score_range: tuple[float, float] | None = None,
        class_weights: Literal["balanced"] | list[float] | None = None,
        delimiter: str | None = None,
        quotes: Quotes = "auto",
        header: list[str] | None = None,
        hub: str | None = None,
        hub_config: str | None = None,
        hub_splits: dict[str, str] | None = None,
        dev_share: float = 0.1,
        test_share: float = 0.1,
        max_length: int = 128,
        batch_size: int = 32,
        eval_batch_size: int = 64,
        deduplicate: bool = False,
        seed: int = 42,
        num_workers: int = 0,
        cache_dir: str | None = None,
        predict_file: str | None = None,
        unknown_limit: float = UNKNOWN_LIMIT,
    ) -> None:
        names = {"train": train_file, "dev": dev_file, "test": test_file}
        cache = None if cache_dir is None else Path(cache_dir)
        files = named_files(data_dir, names, dev_share, test_share, hub_of(hub, hub_config, hub_splits), cache)
        key = f"column {split_by!r}" if split_by else "id" if id else "text"
        super().__init__(
            "table",
            files,
            self.key_name or key,
            tokenizer,
            InputSettings(max_length, pair=text_pair is not None),
            batch_size,
            eval_batch_size,
            seed,
            num_workers,
            cache_dir,
            predict_file,
            unknown_limit,
        )
        if deduplicate and files.test is None:
            raise ValueError(
                "deduplicate is true, but there is no test file to compare with; name one (test_file, or test in "
                "hub_splits), or leave deduplicate out. Without id and split_by equal texts come into one part anyway"
            )
        self.unlabelled = None if unlabelled_file is None else find_table(data_dir, unlabelled_file)
        evaluated = {"dev_file": files.dev, "test_file": files.test}
        for name, path in {"train_file": files.train, **evaluated}.items():
            if self.unlabelled is not None and path is not None and self.unlabelled.resolve() == path.resolve():
                raise ValueError(
                    f"unlabelled_file={self.unlabelled} is {name} as well, so dev or test texts would be trained on; "
                    "name a file of other texts"
                )
        check_augmented(files.train, evaluated, self.unlabelled, files.split, key)
        self.layout = layout_of(files.train, delimiter, quotes, header)
        self.columns = TextColumns(text, text_pair, id, split_by)
        self.kind = _KINDS[kind]
        self.deduplicate = deduplicate
        label_columns = [label] if isinstance(label, str) else list(label)
        if both := [name for name in label_columns if name in self.columns.texts]:
            raise ValueError(f"label and text are both {both[0]!r}; expected two columns, or the label would be read")
        require_columns(files.train, self.layout, (*self.columns.all, *label_columns))
        self.labels, self._target = read_target(
            self.kind, label_columns, labels, label_separator, score_range, lambda: read_table(files.train, self.layout)
        )
        self.multi_label = self.kind is MULTI_LABEL_CLASSIFICATION
        self.class_weights = self._weights(class_weights)
        self.facts["data/table"] = f"{files.train.name}: {self.layout}"
        rank_zero_info(f"{files.train}: {self.layout}; labels: {', '.join(self.labels)}")
        self._codec = cast(SequenceCodec, self.kind.load_codec()(self.tokenizer, self.input_settings, self.labels))

    def read_features(self, path: Path, part: TaskPart) -> dict[str, Columns]:
        """See the base class."""
        columns, target = self.columns, self._target
        if part == "unlabelled":  # which needs no ids, and whose labels, if it has any, are not read
            columns, target = TextColumns(columns.text, columns.pair), NoTarget(target.unknown)
        read, odd = read_examples if part in LABELLED else read_unlabelled, OddTexts("row")
        examples = odd.seen(
            read(path, self._layout_of(path), columns, target),
            lambda one: (one.text,) if one.pair is None else (one.text, one.pair),
        )
        return {"examples": as_columns(self._codec.encode(examples), ("ids", "pair_ids")), **odd.table()}

    def feature_settings(self) -> dict[str, Any]:
        """Columns, labels, and how the file is read."""
        return {
            "columns": [*self.columns.texts, self.columns.id, self.columns.group, *self._target.columns],
            "layout": str(self.layout),
            "header": self.layout.header,
            "kind": self.kind.name,
            "target": self._target.key,
        }

    def split_keys(self, tables: Tables) -> list[str]:
        """Ids, or texts where there are none."""
        return tables["examples"].strings("id")

    def training_batches(self) -> TaskBatches:
        """Labelled examples, and the unlabelled ones after them."""
        train = super().training_batches()
        if self.unlabelled is None:
            return train
        more = self._part("unlabelled")
        assert isinstance(train, TextBatches)
        assert isinstance(more, TextBatches)
        rank_zero_info(
            f"{self.unlabelled}: {len(more.lengths):,} texts without labels, {len(train.lengths):,} with one"
        )
        return JoinedBatches(train, more)

    def batches(self, tables: Tables, rows: list[int], part: TaskPart) -> TextBatches:
        """See the base class."""
        return TextBatches(tables["examples"].without("id", "text"), rows, self._codec)

    def _layout_of(self, path: Path) -> TableLayout:
        """That of the training file where the format is the same, so that its quotes decide for all."""
        unnamed = not any(suffix in FORMATS for suffix in path.suffixes)
        if unnamed or format_of(path) == self.layout.format:
            return self.layout
        return layout_of(path, header=self.layout.header or None if format_of(path) in SEPARATED else None)

    def texts_of(self, path: Path) -> set[str]:
        """See the base class."""
        rows = read_table(path, self._layout_of(path))
        return {"\t".join(word(row.cells.get(name)) for name in self.columns.texts) for row in rows} - {""}

    def _weights(self, asked: Literal["balanced"] | list[float] | None) -> list[float] | None:
        if asked is not None and self.kind is SEQUENCE_REGRESSION:
            raise ValueError(f"class_weights is {asked}, but kind is regression, which has no classes; leave it out")
        if asked is None or isinstance(asked, list):
            return asked
        examples = list(read_examples(self.files.train, self.layout, self.columns, self._target))
        rows = self.training_rows([one.texts for one in examples], [one.id for one in examples], "train")
        return balanced_weights([examples[row].label for row in rows], self.labels)
