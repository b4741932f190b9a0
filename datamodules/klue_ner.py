"""KlueNERDataModule: sentences tagged character by character."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from datamodules.files.parts import fetched, find_task_files
from datamodules.tagging import TaggingDataModule
from distilkobert.tasks.files.common import KLUE_DEV, KLUE_TRAIN
from distilkobert.tasks.files.ner import TaggedSentence, read_klue_ner
from distilkobert.tasks.files.unlabelled import read_characters
from distilkobert.tasks.splits import KLUE_SPLIT
from distilkobert.tasks.tags.labels import KLUE_ENTITY_TYPES
from distilkobert.tokenizers.unknowns import UNKNOWN_LIMIT


class KlueNERDataModule(TaggingDataModule):
    """Sentences of KLUE-NER 1.1, an open substitute for Naver NER.

    With both files, the dev split is a twentieth of the training file, chosen by a hash of the sentence id, and KLUE's
    dev file, the last one with public tags, is the test split. A single file is split by the same hash: 8 tenths train,
    1 dev, 1 test.

    Args:
        data_dir: folder with `klue-ner-v1.1_train.tsv` and `klue-ner-v1.1_dev.tsv`, or one of the two; plain, .gz, .xz
            or .zst.
        tokenizer: folder or hub name of a KoBERT tokenizer, or of a fast tokenizer of transformers.
        max_length: tokens of an input, including [CLS] and [SEP]; further characters are lost.
        batch_size: sentences per training batch and process.
        eval_batch_size: sentences per evaluation batch. The defaults of these three are those of Naver NER.
        particles: `split` splits words at script and punctuation changes and before a trailing particle, before
            encoding, so that no piece contains the end of an entity and a particle; `none` does not.
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

    key_name = "sentence id"

    def __init__(
        self,
        data_dir: str,
        tokenizer: str,
        max_length: int = 50,
        batch_size: int = 32,
        eval_batch_size: int = 64,
        particles: Literal["none", "split"] = "none",
        seed: int = 42,
        num_workers: int = 0,
        cache_dir: str | None = None,
        predict_file: str | None = None,
        unknown_limit: float = UNKNOWN_LIMIT,
        types: list[str] | None = None,
    ) -> None:
        files = find_task_files(
            data_dir, KLUE_TRAIN, KLUE_DEV, fetched("klue_ner"), "TaggingDataModule", one_file=KLUE_SPLIT
        )
        super().__init__(
            tokenizer,
            **files.options(),
            units="characters",
            types=types,
            particles=particles,
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
        return tuple(given or KLUE_ENTITY_TYPES)

    def read_sentences(self, path: Path, labelled: bool) -> Iterator[TaggedSentence]:
        """See the base class."""
        return read_klue_ner(path, self.types) if labelled else read_characters(path, self.types)
