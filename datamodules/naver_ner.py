"""NaverNERDataModule: sentences tagged word by word, in the format of the challenge or of one sentence a line."""

from pathlib import Path
from typing import Any

from datamodules.task_batches import TextBatches
from datamodules.tasks import Tables, TaskDataModule, find_task_files
from distilkobert.tasks.feature_cache import Columns, as_columns
from distilkobert.tasks.files.common import NAVER_TEST, NAVER_TRAIN
from distilkobert.tasks.files.ner import read_naver_ner
from distilkobert.tasks.files.unlabelled import read_words
from distilkobert.tasks.input_settings import InputSettings
from distilkobert.tasks.labels import NAVER_NER_LABELS
from distilkobert.tasks.splits import KLUE_SPLIT, TaskPart
from distilkobert.tasks.tagging import TaggingCodec
from distilkobert.tokenizers.unknowns import UNKNOWN_LIMIT


class NaverNERDataModule(TaskDataModule):
    """Sentences of the Naver and Changwon NLP Challenge 2018, or of files in its formats.

    With both files a twentieth of the training file, chosen by a hash of the sentence, is dev, and the test file is the
    test part. One file alone is divided by the same hash: 8 tenths train, 1 dev, 1 test.

    Args:
        data_dir: folder with `train.tsv` and `test.tsv` (one sentence a line) or `train_data` and `test_data` (one word
            a line), or one of the two; plain, .gz, .xz or .zst.
        tokenizer: folder or hub name of a KoBERT tokenizer, or of a fast tokenizer of transformers.
        max_length: tokens of an input, [CLS] and [SEP] included (monologg/KoBERT-NER: 50); words beyond it are lost.
        batch_size: sentences of a training batch on each process (the original: 32).
        eval_batch_size: sentences of a batch in evaluation (the original: 64).
        seed: seed of the order of batches.
        num_workers: loader processes per loader and rank; 0 loads in the training process.
        cache_dir: folder of encoded files; None: `distilkobert` in the cache folder of `datasets`.
        predict_file: file that the `predict` command answers: one of the same format, or plain text, one sentence a
            line; None: the test part.
        unknown_limit: share of unknown pieces from which a part of the data is refused; 1 accepts any.

    Raises:
        FileNotFoundError: there is no such file, or no tokenizer.
        ValueError: a setting out of range.
    """

    def __init__(
        self,
        data_dir: str,
        tokenizer: str,
        max_length: int = 50,
        batch_size: int = 32,
        eval_batch_size: int = 64,
        seed: int = 42,
        num_workers: int = 0,
        cache_dir: str | None = None,
        predict_file: str | None = None,
        unknown_limit: float = UNKNOWN_LIMIT,
    ) -> None:
        files = find_task_files(data_dir, NAVER_TRAIN, NAVER_TEST, "naver_ner", one_file=KLUE_SPLIT)
        super().__init__(
            "naver_ner",
            files,
            "sentence",
            tokenizer,
            InputSettings(max_length, units="words"),
            batch_size,
            eval_batch_size,
            seed,
            num_workers,
            cache_dir,
            predict_file,
            unknown_limit,
        )
        self.labels = list(NAVER_NER_LABELS)
        self.suffix_tags = True
        self._codec = TaggingCodec(self.tokenizer, self.input_settings, self.labels)

    def read_features(self, path: Path, labelled: bool) -> dict[str, Columns]:
        """See the base class."""
        sentences = self._codec.encode(read_naver_ner(path) if labelled else read_words(path))
        return {"sentences": as_columns(sentences, ("ids", "first_pieces"))}

    def feature_settings(self) -> dict[str, Any]:
        """None."""
        return {}

    def split_keys(self, tables: Tables) -> list[str]:
        """The sentences, words joined by spaces, so that repeated ones stay together."""
        return tables["sentences"].strings("id")

    def batches(self, tables: Tables, rows: list[int], part: TaskPart) -> TextBatches:
        """See the base class."""
        return TextBatches(tables["sentences"].without("id"), rows, self._codec)
