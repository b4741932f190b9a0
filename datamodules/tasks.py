"""What the data modules of the subtasks share: files found and split, features cached, three parts, facts.

A dev part is always held out of training and chooses the checkpoint. The file or part that is tested on is scored by
`test` only; `fit` encodes it, `predict` reads it where no other file is named, and `deduplicate` reads its texts.
"""

from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, cast

from pytorch_lightning.trainer.states import TrainerFn
from pytorch_lightning.utilities import rank_zero_info, rank_zero_warn

from datamodules.base import PlannedDataModule
from datamodules.batches.loading import PlannedBatches, PlannedLoader
from datamodules.batches.part import TaskBatches, cut_note, few_note
from datamodules.files.parts import TaskFiles
from distilkobert.io.files import require_nonempty, sha256_of_file
from distilkobert.io.metric_names import FILE_CONTENT, SPLIT, TOKENIZER_CONTENT
from distilkobert.tasks.feature_cache import Columns, FeatureTable, cached_features
from distilkobert.tasks.files.odd_texts import NOTES_TABLE
from distilkobert.tasks.input_settings import InputSettings
from distilkobert.tasks.kinds import TaskKind, TaskName
from distilkobert.tasks.splits import LABELLED, TaskPart, describe, groups_of, shares
from distilkobert.tasks.task_facts import TaskFacts
from distilkobert.tasks.unknown_pieces import count_pieces
from distilkobert.tokenizers.loading import load_tokenizer
from distilkobert.tokenizers.unknowns import UNKNOWN_LIMIT, check_unknown, require_limit

_PARTS: dict[str, tuple[TaskPart, ...]] = {"fit": ("train", "dev"), "validate": ("dev",), "test": ("test",)}
_STAGES = {TrainerFn.FITTING: "fit", TrainerFn.VALIDATING: "validate", TrainerFn.TESTING: "test"}

Tables = dict[str, FeatureTable]


class TaskDataModule(PlannedDataModule):
    """Base of all; a subclass reads files, names what is hashed, and makes batches.

    `vocab_size`, `pad_token_id`, `max_length`, `input_settings`, `tokenizer`, `tokenizer_dir` and `facts` can be read
    at once. `facts` names the split and the files, and gains the counts of each part that is loaded; it goes into
    `metrics.json`.

    Args:
        name: begins the names of cached features.
        files: the task's files.
        split_key: what is hashed to divide the files, in words.
        tokenizer: folder or hub name of the tokenizer.
        input_settings: lengths, and how words are cut.
        batch_size: sequences per training batch and process.
        eval_batch_size: sequences per evaluation batch.
        seed: seed of the batch order.
        num_workers: loader processes per loader and rank; 0 loads in the training process.
        cache_dir: folder of cached features; None: see `feature_cache.cached_features`.
        predict_file: file for the `predict` command, with or without labels; None: the test split.
        unknown_limit: share of unknown pieces from which a split is refused; 1 accepts any.

    Raises:
        FileNotFoundError: tokenizer or `predict_file` does not exist.
        ValueError: a setting out of range.
    """

    least: ClassVar = {**PlannedDataModule.least, "batch_size": 1, "eval_batch_size": 1, "max_length": 1}
    kind: TaskKind
    unlabelled: Path | None = None
    multi_label = False
    class_weights: list[float] | None = None

    def __init__(
        self,
        name: str,
        files: TaskFiles,
        split_key: str,
        tokenizer: str,
        input_settings: InputSettings,
        batch_size: int,
        eval_batch_size: int,
        seed: int,
        num_workers: int,
        cache_dir: str | None,
        predict_file: str | None,
        unknown_limit: float = UNKNOWN_LIMIT,
    ) -> None:
        super().__init__(seed, num_workers)
        limits = {"batch_size": batch_size, "eval_batch_size": eval_batch_size, "unknown_limit": unknown_limit}
        self.check_settings(limits)
        self.unknown_limit = unknown_limit
        self.files, self.split_key = files, split_key
        self._predict_file = None if predict_file is None else Path(predict_file)
        if self._predict_file is not None:
            require_nonempty(self._predict_file)
        self.tokenizer_dir, self.tokenizer = tokenizer, load_tokenizer(tokenizer)
        self.vocab_size: int = self.tokenizer.vocab_size
        self.pad_token_id: int = self.tokenizer.pad_token_id
        self.input_settings = input_settings
        self.max_length = input_settings.max_length
        self.batch_size, self.eval_batch_size = batch_size, eval_batch_size
        others = (None if file is None else file.name for file in (files.dev, files.test))
        self.facts: dict[str, str | int | float] = {
            SPLIT: describe(files.split, split_key, files.train.name, *others),
            TOKENIZER_CONTENT: self.tokenizer.fingerprint,
        }
        self._name = name
        self._cache = None if cache_dir is None else Path(cache_dir)
        self._loaded: dict[TaskPart, TaskBatches] = {}
        self._noted, self._measured, self._warned = set[Path](), set[TaskPart](), False
        self._test_groups: list[int] | None = None

    @classmethod
    def check_settings(cls, settings: Mapping[str, Any]) -> None:
        """See the base class."""
        super().check_settings(settings)
        require_limit(settings.get("unknown_limit", UNKNOWN_LIMIT))
        hub = settings.get("hub_splits") or ()
        cut = [part for part in ("dev", "test") if part not in hub and not settings.get(f"{part}_file")]
        shares(*(settings.get(f"{part}_share", 0.0) if part in cut else 0.0 for part in ("dev", "test")))

    @property
    def task_facts(self) -> TaskFacts:
        """The task, for a module that trains any of them."""
        return TaskFacts(
            cast(TaskName, self.kind.name),
            tuple(getattr(self, "labels", ())),
            getattr(self, "suffix_tags", False),
            None if self.class_weights is None else tuple(self.class_weights),
            self.tokenizer.fingerprint,
            getattr(self, "rouge_w", False),
        )

    @abstractmethod
    def read_features(self, path: Path, part: TaskPart) -> dict[str, Columns]:
        """Read and encode a whole file; parts that are not `LABELLED` may be plain text or without answers.

        A table named `NOTES_TABLE` says what is unusual about it.
        """

    @abstractmethod
    def feature_settings(self) -> dict[str, Any]:
        """What `read_features` depends on besides the file and the tokenizer."""

    @abstractmethod
    def split_keys(self, tables: Tables) -> list[str]:
        """What each example of a file is known by; examples with equal keys stay together."""

    @abstractmethod
    def batches(self, tables: Tables, rows: list[int], part: TaskPart) -> TaskBatches:
        """The batches of the examples `rows` of a file."""

    def choose_rows(self, tables: Tables, part: TaskPart) -> list[int]:
        """Examples of a part, in the order of the file."""
        if part not in LABELLED or self.files.is_whole(part):
            return list(range(len(self.split_keys(tables))))
        return self.files.split.rows(self.split_keys(tables), part, str(self._file(part)), self.split_key)

    def prepare_data(self) -> None:
        """Encode the files that the command needs, on one process of each machine; the others find the result."""
        for part in self._parts_of(self._stage()):
            self._tables(part)
        if self._stage() == "fit" and self.files.test is not None and self.files.test.is_file():
            self._tables("test")  # or an error in it would be found after training

    def setup(self, stage: str) -> None:
        """Load the parts of a stage, and say once how many of their inputs are cut; raises as in the base class."""
        super().setup(stage)
        for part in self._parts_of(stage):
            self._part(part)
        new = [part for part in self._parts_of(stage) if part not in self._measured]
        if note := cut_note(new, self.facts, self.input_settings):
            rank_zero_info(note)
        self._measured.update(new)
        if stage == "fit" and (tested := self.files.tested) is not None and tested.is_file():
            self.facts[FILE_CONTENT.format("test")] = sha256_of_file(tested)  # so that `test` knows the run's own file

    def groups(self, command: str) -> list[int] | None:
        """The `groups_of` the test examples, where the command (`test`, or `predict` without a file) reads them."""
        return self._test_groups if self._parts_of(command)[0] == "test" else None

    def training_batches(self) -> TaskBatches:
        """What is trained on."""
        return self._part("train")

    def train_dataloader(self) -> PlannedLoader:
        """Shuffled, grouped by length."""
        part = self.training_batches()
        return self.planned_train_loader(part, part.lengths, self.batch_size * self.max_length, self.batch_size)

    def val_dataloader(self) -> PlannedLoader:
        """The dev part."""
        return self._evaluation_loader("dev")

    def test_dataloader(self) -> PlannedLoader:
        """The test part."""
        return self._evaluation_loader("test")

    def predict_dataloader(self) -> PlannedBatches:
        """`predict_file`, or the test part."""
        return PlannedBatches(self._evaluation_loader(*self._parts_of("predict")))

    def _evaluation_loader(self, name: TaskPart) -> PlannedLoader:
        part = self._part(name)
        budget = max(self.eval_batch_size * self.max_length, int(part.lengths.max()))
        return self.planned_evaluation_loader(part, part.lengths, budget, self.eval_batch_size)

    def _stage(self) -> str:
        fn = self.trainer.state.fn if self.trainer is not None else None
        return "fit" if fn is None else _STAGES.get(fn, "predict")

    def _parts_of(self, stage: str) -> tuple[TaskPart, ...]:
        more: tuple[TaskPart, ...] = ("unlabelled",) if stage == "fit" and self.unlabelled is not None else ()
        return _PARTS.get(stage, ("test",) if self._predict_file is None else ("predict",)) + more

    def _file(self, part: TaskPart) -> Path:
        if part == "predict" and self._predict_file is not None:
            return self._predict_file
        if part == "unlabelled" and self.unlabelled is not None:
            return self.unlabelled
        return self.files.of(part)

    def _tables(self, part: TaskPart) -> Tables:
        path = self._file(part)
        content = self.facts[FILE_CONTENT.format(part)] = sha256_of_file(path)
        key = {"file": content, "tokenizer": self.tokenizer.fingerprint, **self.feature_settings()}
        if part not in LABELLED:  # what passes there may not pass for training; `reader` grows with a change of it
            key |= {"labelled": False, "reader": 2} if part == "predict" else {"labelled": None}
        return cached_features(self._cache, self._name, key, lambda: self.read_features(path, part))

    def _part(self, part: TaskPart) -> TaskBatches:
        if part not in self._loaded:
            tables = self._tables(part)
            rows = self.choose_rows(tables, part)
            counts = count_pieces(tables, rows, self.tokenizer.unk_token_id)
            where = f"{self._file(part)} ({part})"
            self._show_notes(part, tables)
            if part == "dev" and (note := few_note(where, len(rows))):
                rank_zero_warn(note)
            if part == "test":
                self._test_groups = groups_of(self.split_keys(tables), rows)
            self._warned |= check_unknown(counts, where, self.unknown_limit, again=self._warned)
            self._loaded[part] = self.batches(tables, rows, part)
            facts = {"unknown": counts.share, **self._loaded[part].facts}
            self.facts |= {f"data/{part}_{name}": value for name, value in facts.items()}
        return self._loaded[part]

    def _show_notes(self, part: TaskPart, tables: Tables) -> None:
        """Warn, once for each file, of what is unusual about it."""
        file = self._file(part)
        if NOTES_TABLE in tables and file not in self._noted:
            for note in tables[NOTES_TABLE].strings("note"):
                rank_zero_warn(f"{file}: {note}")
        self._noted.add(file)
