"""KlueNERDataModule: sentences tagged character by character."""

from pathlib import Path
from typing import Any, Literal

from datamodules.task_batches import TextBatches
from datamodules.tasks import Tables, TaskDataModule, find_task_files
from distilkobert.tasks.feature_cache import Columns, as_columns
from distilkobert.tasks.files.common import KLUE_DEV, KLUE_TRAIN
from distilkobert.tasks.files.ner import read_klue_ner
from distilkobert.tasks.files.unlabelled import read_characters
from distilkobert.tasks.input_settings import InputSettings
from distilkobert.tasks.labels import KLUE_NER_LABELS
from distilkobert.tasks.splits import KLUE_SPLIT, TaskPart
from distilkobert.tasks.tagging import TaggingCodec
from distilkobert.tokenizers.unknowns import UNKNOWN_LIMIT


class KlueNERDataModule(TaskDataModule):
    """Sentences of KLUE-NER 1.1, the open stand-in for Naver NER.

    With both files a twentieth of the training file, chosen by a hash of the sentence id, is dev, and KLUE's dev file,
    its last one with public tags, is the test part. One file alone is divided by the same hash: 8 tenths train, 1 dev,
    1 test.

    Args:
        data_dir: folder with `klue-ner-v1.1_train.tsv` and `klue-ner-v1.1_dev.tsv`, or one of the two; plain, .gz, .xz
            or .zst.
        tokenizer: folder or hub name of a KoBERT tokenizer, or of a fast tokenizer of transformers.
        max_length: tokens of an input, [CLS] and [SEP] included; characters beyond it are lost.
        batch_size: sentences of a training batch on each process.
        eval_batch_size: sentences of a batch in evaluation. These three are by default as for Naver NER.
        particles: `split` cuts words at script and punctuation changes and before a trailing particle before they are
            encoded, so that no piece holds the end of an entity and a particle; `none` leaves them whole.
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
        particles: Literal["none", "split"] = "none",
        seed: int = 42,
        num_workers: int = 0,
        cache_dir: str | None = None,
        predict_file: str | None = None,
        unknown_limit: float = UNKNOWN_LIMIT,
    ) -> None:
        files = find_task_files(data_dir, KLUE_TRAIN, KLUE_DEV, "klue_ner", one_file=KLUE_SPLIT)
        super().__init__(
            "klue_ner",
            files,
            "sentence id",
            tokenizer,
            InputSettings(max_length, particles, units="characters"),
            batch_size,
            eval_batch_size,
            seed,
            num_workers,
            cache_dir,
            predict_file,
            unknown_limit,
        )
        self.labels = list(KLUE_NER_LABELS)
        self.suffix_tags = False
        self._codec = TaggingCodec(self.tokenizer, self.input_settings, self.labels)

    def read_features(self, path: Path, labelled: bool) -> dict[str, Columns]:
        """See the base class."""
        sentences = self._codec.encode(read_klue_ner(path) if labelled else read_characters(path))
        return {"sentences": as_columns(sentences, ("ids", "starts", "ends"))}

    def feature_settings(self) -> dict[str, Any]:
        """How words are cut."""
        return {"particles": self.input_settings.particles}

    def split_keys(self, tables: Tables) -> list[str]:
        """The sentence ids."""
        return tables["sentences"].strings("id")

    def batches(self, tables: Tables, rows: list[int], part: TaskPart) -> TextBatches:
        """See the base class."""
        return TextBatches(tables["sentences"].without("id"), rows, self._codec)
