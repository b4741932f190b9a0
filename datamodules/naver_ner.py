"""NaverNERDataModule: sentences tagged word by word, in the format of the challenge or of one sentence per line."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from datamodules.files.parts import find_task_files
from datamodules.tagging import TaggingDataModule
from distilkobert.tasks.files.common import NAVER_TEST, NAVER_TRAIN
from distilkobert.tasks.files.ner import TaggedSentence, read_naver_ner
from distilkobert.tasks.files.unlabelled import read_words
from distilkobert.tasks.splits import KLUE_SPLIT
from distilkobert.tasks.tags.labels import NAVER_ENTITY_TYPES, naver_labels
from distilkobert.tokenizers.unknowns import UNKNOWN_LIMIT

_ORIGIN: Final = (
    "has no open licence and is not downloaded: place your own copy in data/naver_ner; python -m experiments.prepare "
    "fetch naver_ner --output data/naver_ner says in which form"
)


class NaverNERDataModule(TaggingDataModule):
    """Sentences of the Naver and Changwon NLP Challenge 2018, or of files in its formats.

    With both files, the dev split is a twentieth of the training file, chosen by a hash of the sentence, and the test
    file is the test split. A single file is split by the same hash: 8 tenths train, 1 dev, 1 test.

    Args:
        data_dir: folder with `train.tsv` and `test.tsv` (one sentence per line) or `train_data` and `test_data` (one
            word a line), or one of the two; plain, .gz, .xz or .zst.
        tokenizer: folder or hub name of a KoBERT tokenizer, or of a fast tokenizer of transformers.
        max_length: tokens of an input, including [CLS] and [SEP] (monologg/KoBERT-NER: 50); further words are lost.
        batch_size: sentences per training batch and process (the original: 32).
        eval_batch_size: sentences per evaluation batch (the original: 64).
        seed: seed of the batch order.
        num_workers: loader processes per loader and rank; 0 loads in the training process.
        cache_dir: folder for encoded files; None: `distilkobert` in the cache folder of `datasets`.
        predict_file: file for the `predict` command: in the same format, or plain text with one sentence per line;
            None: the test split.
        unknown_limit: share of unknown pieces from which a split is refused; 1 accepts any.
        types: entity types that replace those of the data set, for files in the same layout.

    Raises:
        FileNotFoundError: there is no such file, or no tokenizer.
        ValueError: a setting out of range.
    """

    suffix_tags = True

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
        types: list[str] | None = None,
    ) -> None:
        files = find_task_files(data_dir, NAVER_TRAIN, NAVER_TEST, _ORIGIN, "TaggingDataModule", one_file=KLUE_SPLIT)
        super().__init__(
            tokenizer,
            **files.options(),
            units="words",
            types=types,
            max_length=max_length,
            batch_size=batch_size,
            eval_batch_size=eval_batch_size,
            seed=seed,
            num_workers=num_workers,
            cache_dir=cache_dir,
            predict_file=predict_file,
            unknown_limit=unknown_limit,
        )

    def find_types(self, given: Sequence[str] | None) -> tuple[str, ...]:
        """Those of the data set, or those given."""
        return tuple(given or NAVER_ENTITY_TYPES)

    def make_labels(self) -> list[str]:
        """Those of the data set's label file: UNK and O first, the letter after the type."""
        return naver_labels(self.types)

    def read_sentences(self, path: Path, labelled: bool) -> Iterator[TaggedSentence]:
        """See the base class."""
        return read_naver_ner(path, self.types) if labelled else read_words(path, self.types)
