"""Texts that are in what is trained on and in the test part: counted, or left out of training."""

from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path

from pytorch_lightning.utilities import rank_zero_info

from datamodules.tasks import Tables, TaskDataModule
from distilkobert.io.metric_names import ALSO_IN_TEST
from distilkobert.tasks.splits import TaskPart


class OverlapDataModule(TaskDataModule):
    """A data module of tables with a column `text`, which has a table `examples` for each file.

    `deduplicate` leaves what the test file has out of training; otherwise the test part counts it.
    """

    deduplicate = False
    _test_texts: set[str] | None = None

    @abstractmethod
    def texts_of(self, path: Path) -> set[str]:
        """All texts of a file, of a pair both with a tab between them; not the empty one."""

    def _kept_rows(self, texts: Sequence[str]) -> list[int]:
        """Numbers of the training texts that `deduplicate` keeps; of all without it."""
        if not self.deduplicate:
            return list(range(len(texts)))
        if self._test_texts is None:
            self._test_texts = self.texts_of(self.files.of("test"))
        return [row for row, text in enumerate(texts) if text not in self._test_texts]

    def training_rows(self, texts: Sequence[str], keys: Sequence[str], part: TaskPart) -> list[int]:
        """Numbers of the training file's examples that are `train`, or `dev` where that is cut from it.

        Args:
            texts: all texts of the file.
            keys: what each example is known by.
            part: the part.

        Raises:
            ValueError: none is left.
        """
        return self._cut(self._kept_rows(texts), keys, part)

    def _cut(self, kept: Sequence[int], keys: Sequence[str], part: TaskPart) -> list[int]:
        dropped, where = len(keys) - len(kept), str(self.files.train)
        if dropped:
            where += f", without {dropped} of {len(keys)} examples that deduplicate=true leaves out"
        rows = self.files.split.rows([keys[row] for row in kept], part, where, self.split_key)
        return [kept[number] for number in rows]

    def choose_rows(self, tables: Tables, part: TaskPart) -> list[int]:
        """Examples of a part; those that `deduplicate` leaves out are gone before dev is cut."""
        cut = part == "train" or (part == "dev" and self.files.dev is None)
        if not self.deduplicate or not (cut or part == "unlabelled"):
            chosen = super().choose_rows(tables, part)
            if part == "test":
                self._count_overlap(tables, chosen)
            return chosen
        texts = tables["examples"].strings("text")
        kept = self._kept_rows(texts)
        dropped = len(texts) - len(kept)
        if part == "unlabelled":
            self.facts["data/unlabelled_also_in_test"] = dropped
            return kept
        self.facts[ALSO_IN_TEST] = dropped
        self.facts[f"{ALSO_IN_TEST}_share"] = dropped / len(texts)
        return self._cut(kept, self.split_keys(tables), part)

    def _count_overlap(self, tables: Tables, rows: list[int]) -> None:
        """Say how many test examples are training examples too, and how many are among the unlabelled ones.

        None are where `deduplicate` left them out.
        """
        if self.deduplicate:
            names = ("train",) if self.unlabelled is None else ("train", "unlabelled")
            self.facts |= {f"data/test_also_in_{name}": 0 for name in names}
            return
        texts = tables["examples"].strings("text")
        if self.files.of("test") == self.files.train:
            trained = {texts[row] for row in super().choose_rows(tables, "train")}
        else:
            trained = self.texts_of(self.files.train)
        seen = {"train": (self.files.train, trained)}
        if self.unlabelled is not None:
            found = self._tables("unlabelled")["examples"].strings("text")
            seen["unlabelled"] = (self.unlabelled, set(found) - {""})
        for name, (file, known) in seen.items():
            also = sum(texts[row] in known for row in rows)
            self.facts[f"data/test_also_in_{name}"] = also
            if also:
                rank_zero_info(
                    f"note: {also:,} of {len(rows):,} test examples have a text that is in {file.name} too; "
                    "deduplicate: true leaves those out of training"
                )
