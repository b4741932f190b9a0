"""NSMCDataModule: film reviews, negative or positive."""

from datamodules.files.parts import find_task_files
from datamodules.table import TableDataModule
from distilkobert.tasks.files.common import NSMC_TEST, NSMC_TRAIN
from distilkobert.tasks.files.nsmc import NSMC_NAMES
from distilkobert.tokenizers.unknowns import UNKNOWN_LIMIT


class NSMCDataModule(TableDataModule):
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
        labels: what the files write, to the names of the classes, in place of NSMC's, for files of the same layout.
        unlabelled_file: more texts to train on, without labels: a file in `data_dir` with the column `document`, or one
            text a line. A teacher labels them (TaskDistillation).

    Raises:
        FileNotFoundError: a file or the tokenizer is not there.
        ValueError: a setting out of range.
    """

    key_name = "review id"

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
        labels: list[str | int] | dict[str | int, str] | None = None,
        unlabelled_file: str | None = None,
    ) -> None:
        files = find_task_files(data_dir, NSMC_TRAIN, NSMC_TEST, "nsmc", "TableDataModule")
        super().__init__(
            tokenizer,
            text="document",
            label="label",
            id="id",
            labels=labels or NSMC_NAMES,
            **files.options(),
            unlabelled_file=unlabelled_file,
            delimiter="\t",
            quotes="text",
            max_length=max_length,
            batch_size=batch_size,
            eval_batch_size=eval_batch_size,
            deduplicate=deduplicate,
            seed=seed,
            num_workers=num_workers,
            cache_dir=cache_dir,
            predict_file=predict_file,
            unknown_limit=unknown_limit,
        )
