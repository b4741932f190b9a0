"""NSMCDataModule: film reviews, negative or positive."""

from pathlib import Path

from datamodules.task_batches import TextBatches
from datamodules.tasks import Tables, TaskDataModule, find_task_files
from distilkobert.tasks.classification import ClassificationCodec
from distilkobert.tasks.feature_cache import Columns, as_columns
from distilkobert.tasks.files.common import NSMC_TEST, NSMC_TRAIN
from distilkobert.tasks.files.nsmc import read_nsmc
from distilkobert.tasks.files.unlabelled import read_reviews
from distilkobert.tasks.input_settings import InputSettings
from distilkobert.tasks.labels import NSMC_LABELS
from distilkobert.tasks.splits import TaskPart
from distilkobert.tokenizers.unknowns import UNKNOWN_LIMIT


class NSMCDataModule(TaskDataModule):
    """Reviews of the Naver sentiment movie corpus.

    A twentieth of `ratings_train.txt`, chosen by a hash of the review id, is dev; `ratings_test.txt` is the test part.

    Args:
        data_dir: folder with `ratings_train.txt` and `ratings_test.txt`, plain, .gz, .xz or .zst.
        tokenizer: folder or hub name of a KoBERT tokenizer, or of a fast tokenizer of transformers.
        max_length: tokens of an input, [CLS] and [SEP] included (monologg/KoBERT-nsmc: 50); longer texts are cut.
        batch_size: reviews of a training batch on each process (the original: 32).
        eval_batch_size: reviews of a batch in evaluation (the original: 64).
        deduplicate: leave training reviews out whose text also occurs in the test file (off in the original; empty
            texts stay). Their share goes into `facts`.
        seed: seed of the order of batches.
        num_workers: loader processes per loader and rank; 0 loads in the training process.
        cache_dir: folder of encoded files; None: `distilkobert` in the cache folder of `datasets`.
        predict_file: file that the `predict` command answers: one of the same format, with or without the column
            `label`, or plain text, one review a line; None: the test part.
        unknown_limit: share of unknown pieces from which a part of the data is refused; 1 accepts any.

    Raises:
        FileNotFoundError: a file or the tokenizer is not there.
        ValueError: a setting out of range.
    """

    def __init__(
        self,
        data_dir: str,
        tokenizer: str,
        max_length: int = 50,
        batch_size: int = 32,
        eval_batch_size: int = 64,
        deduplicate: bool = False,
        seed: int = 42,
        num_workers: int = 0,
        cache_dir: str | None = None,
        predict_file: str | None = None,
        unknown_limit: float = UNKNOWN_LIMIT,
    ) -> None:
        files = find_task_files(data_dir, NSMC_TRAIN, NSMC_TEST, "nsmc")
        super().__init__(
            "nsmc",
            files,
            "review id",
            tokenizer,
            InputSettings(max_length),
            batch_size,
            eval_batch_size,
            seed,
            num_workers,
            cache_dir,
            predict_file,
            unknown_limit,
        )
        self.labels = list(NSMC_LABELS)
        self.deduplicate = deduplicate
        self._codec = ClassificationCodec(self.tokenizer, self.input_settings, self.labels)
        self._test_texts: set[str] | None = None

    def read_features(self, path: Path, labelled: bool) -> dict[str, Columns]:
        """See the base class."""
        reviews = self._codec.encode(read_nsmc(path) if labelled else read_reviews(path))
        return {"reviews": as_columns(reviews, ("ids",))}

    def feature_settings(self) -> dict[str, str | bool]:
        """None."""
        return {}

    def split_keys(self, tables: Tables) -> list[str]:
        """The review ids."""
        return tables["reviews"].strings("id")

    def choose_rows(self, tables: Tables, part: TaskPart) -> list[int]:
        """Reviews of a part; those that `deduplicate` leaves out are gone before dev is cut."""
        if part not in ("train", "dev") or not self.deduplicate:
            return super().choose_rows(tables, part)
        if self._test_texts is None:
            self._test_texts = {review.text for review in read_nsmc(self.files.test)} - {""}
        texts, keys = tables["reviews"].strings("text"), self.split_keys(tables)
        kept = [row for row, text in enumerate(texts) if text not in self._test_texts]
        dropped = len(texts) - len(kept)
        self.facts["data/train_file_also_in_test"] = dropped
        self.facts["data/train_file_also_in_test_share"] = dropped / len(texts)
        where = f"{self.files.train}, without {dropped} of {len(texts)} reviews that deduplicate=true leaves out"
        return [kept[number] for number in self.files.split.rows([keys[row] for row in kept], part, where)]

    def batches(self, tables: Tables, rows: list[int], part: TaskPart) -> TextBatches:
        """See the base class."""
        return TextBatches(tables["reviews"].without("id", "text"), rows, self._codec)
