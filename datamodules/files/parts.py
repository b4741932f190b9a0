"""The files of a task: which part comes from which."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from distilkobert.tasks.data_sets import DatasetName
from distilkobert.tasks.files.common import find_file, missing_files
from distilkobert.tasks.splits import DEV_CUT, HashSplit, TaskPart


@dataclass(frozen=True)
class TaskFiles:
    """The files of a task.

    Args:
        train: file that the training part comes from.
        split: how it is divided.
        dev: file that is dev; None where the split cuts it from `train`.
        test: the same of test.
    """

    train: Path
    split: HashSplit
    dev: Path | None = None
    test: Path | None = None

    def of(self, part: TaskPart) -> Path:
        """The file that a part comes from.

        Raises:
            ValueError: there is no such part.
        """
        own = {"dev": self.dev, "test": self.test}.get(part)
        if own is None and part == "test" and not self.split.test:
            raise ValueError("there is no test part: name a file with test_file, or set test_share above 0")
        return own or self.train

    @property
    def tested(self) -> Path | None:
        """The file that `test` reads; None where there is no test part."""
        return self.of("test") if self.test is not None or self.split.test else None

    def options(self) -> dict[str, Any]:
        """The options of a data module for your own files that name these files, and divide them in the same way.

        `data_dir` is the folder in which they are.
        """
        return {
            "train_file": self.train.name,
            "test_file": self.test.name if self.test else None,
            "data_dir": str(self.train.parent),
            "dev_share": len(self.split.dev) / self.split.buckets,
            "test_share": len(self.split.test) / self.split.buckets,
        }

    def is_whole(self, part: TaskPart) -> bool:
        """Whether the part is all of its file."""
        split = self.split
        return self.of(part) != self.train or not (split.dev or split.test)


def fetched(name: DatasetName) -> str:
    """How a data set that can be downloaded is, as the end of a sentence."""
    return f"comes with: python -m experiments.prepare fetch {name} --output data/{name}"


def find_task_files(
    data_dir: str, train: Sequence[str], test: Sequence[str], origin: str, own: str, one_file: HashSplit | None = None
) -> TaskFiles:
    """Find the files of a task.

    Args:
        data_dir: their folder.
        train: names that the training file may have, without .gz, .xz or .zst.
        test: the same of the file that is tested on.
        origin: where the data set comes from, as the end of a sentence; see `fetched`.
        own: data module for files of other names.
        one_file: how the file is divided where there is only one of the two; None where both are needed.

    Raises:
        FileNotFoundError: the folder, or a needed file, is not there.
        ValueError: a file occurs twice.
    """
    folder = Path(data_dir)
    train_file, test_file = find_file(folder, train), find_file(folder, test)
    if train_file is not None and test_file is not None:
        return TaskFiles(train_file, DEV_CUT, test=test_file)
    only = train_file or test_file
    if only is None or one_file is None:
        remedy = (
            f"files of your own with other names: data.class_path={own} (train_file, test_file); the data set {origin}"
        )
        raise missing_files(folder, [*test] if train_file else [*train] if test_file else [*train, *test], remedy)
    return TaskFiles(only, one_file)
