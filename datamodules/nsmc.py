"""NSMCDataModule: film reviews, negative or positive."""

from datamodules.files.parts import fetched, find_task_files
from datamodules.table import TableDataModule
from distilkobert.tasks.files.common import NSMC_TEST, NSMC_TRAIN
from distilkobert.tasks.files.nsmc import NSMC_NAMES
from distilkobert.tokenizers.unknowns import UNKNOWN_LIMIT


class NSMCDataModule(TableDataModule):
    """Reviews of the Naver sentiment movie corpus.

    The dev split is a twentieth of `ratings_train.txt`, chosen by a hash of the review id; `ratings_test.txt` is the
    test split.

    Args:
        data_dir: folder with `ratings_train.txt` and `ratings_test.txt`, plain, .gz, .xz or .zst.
        tokenizer: folder or hub name of a KoBERT tokenizer, or of a fast tokenizer of transformers.
        max_length: tokens of an input, including [CLS] and [SEP] (monologg/KoBERT-nsmc: 50); longer texts are
            truncated.
        batch_size: reviews per training batch and process (the original: 32).
        eval_batch_size: reviews per evaluation batch (the original: 64).
        deduplicate: remove training reviews whose text also occurs in the test file (off in the original; empty texts
            stay). `facts` has their share.
        seed: seed of the batch order.
        num_workers: loader processes per loader and rank; 0 loads in the training process.
        cache_dir: folder for encoded files; None: `distilkobert` in the cache folder of `datasets`.
        predict_file: file for the `predict` command: in the same format, with or without the column `label`, or plain
            text with one review per line; None: the test split.
        unknown_limit: share of unknown pieces from which a split is refused; 1 accepts any.
        labels: values in the files, and the class names for them, instead of NSMC's; for files in the same layout.
        unlabelled_file: more training texts, without labels: a file in `data_dir` with the column `document`, or one
            text per line. A teacher labels them (TaskDistillation).

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
        files = find_task_files(data_dir, NSMC_TRAIN, NSMC_TEST, fetched("nsmc"), "TableDataModule")
        super().__init__(
            tokenizer,
            text="document",
            label="label",
            id="id",
            labels=NSMC_NAMES if labels is None else labels,
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
