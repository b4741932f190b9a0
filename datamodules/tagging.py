"""TaggingDataModule: your own sentences with tagged words or characters."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from pytorch_lightning.utilities import rank_zero_info

from datamodules.batches.examples import TextBatches
from datamodules.files.tables import named_files
from datamodules.tasks import Tables, TaskDataModule
from distilkobert.tasks.feature_cache import Columns, as_columns
from distilkobert.tasks.files.ner import TaggedSentence
from distilkobert.tasks.files.odd_texts import OddTexts
from distilkobert.tasks.files.tagged import TagFiles, TagFormat, Units
from distilkobert.tasks.input_settings import InputSettings
from distilkobert.tasks.kinds import TOKEN_CLASSIFICATION
from distilkobert.tasks.splits import LABELLED, TaskPart
from distilkobert.tasks.tags.labels import bio_labels
from distilkobert.tasks.tags.tag_forms import bio_tags, form_of, split_tag
from distilkobert.tasks.tags.tagging import TaggingCodec
from distilkobert.tasks.texts.targets import labels_in_order
from distilkobert.tokenizers.unknowns import UNKNOWN_LIMIT


class TaggingDataModule(TaskDataModule):
    """Sentences with entities, in three formats: see `TagFiles`.

    Tags are BIO (also IOB1) or BIOES, as B-PER or PER-B; all are converted to BIO with the letter first, which does not
    change entities: an I that follows O or another type becomes B. Without `dev_file` or `test_file`, the dev or test
    split is a part of the training file, chosen by a hash of the sentence. The module gets the tags from `labels`.

    Args:
        tokenizer: folder or hub name of a KoBERT tokenizer, or of a fast tokenizer of transformers.
        train_file: file to train on.
        format: `conll`: a word (or a character) and its tag per line, a blank line between sentences; `lines`: words
            joined by spaces, a tab, tags joined by spaces; `spans`: JSONL of texts with character spans.
        units: what is tagged: `words` at their first piece, or `characters`, so that an entity can end inside a word.
        dev_file: file that selects the checkpoint; None: part of the training file.
        test_file: file for the `test` command; None: part of the training file.
        data_dir: folder of the files.
        types: all entity types in their order; None: those of the training file, in alphabetical order.
        word_column: number of the word column in `conll`, from 0; negative numbers count from the last.
        tag_column: the same for the tag column.
        text: key of the text in `spans`.
        entities: key of the entities in `spans`.
        particles: with `characters`, `split` splits words at script and punctuation changes and before a trailing
            particle, before encoding, so that no piece contains the end of an entity and a particle.
        dev_share: share of the training file for the dev split if there is no `dev_file`.
        test_share: the same for the test split.
        max_length: tokens of an input, including special tokens; further words are lost and count as O.
        batch_size: sentences per training batch and process.
        eval_batch_size: sentences per evaluation batch.
        seed: seed of the batch order.
        num_workers: loader processes per loader and rank; 0 loads in the training process.
        cache_dir: folder for encoded files; None: `distilkobert` in the cache folder of `datasets`.
        predict_file: file for the `predict` command: in the same format, with or without tags, or plain text with one
            sentence per line; None: the test split.
        unknown_limit: share of unknown pieces from which a split is refused; 1 accepts any.

    Raises:
        FileNotFoundError: a file or the tokenizer is not there.
        ValueError: a setting out of range, or invalid tags.
    """

    kind = TOKEN_CLASSIFICATION
    suffix_tags = False
    key_name = "sentence"

    def __init__(
        self,
        tokenizer: str,
        train_file: str,
        format: TagFormat = "conll",
        units: Units = "words",
        dev_file: str | None = None,
        test_file: str | None = None,
        data_dir: str = ".",
        types: list[str] | None = None,
        word_column: int = 0,
        tag_column: int = -1,
        text: str = "text",
        entities: str = "entities",
        particles: Literal["none", "split"] = "none",
        dev_share: float = 0.1,
        test_share: float = 0.1,
        max_length: int = 128,
        batch_size: int = 32,
        eval_batch_size: int = 64,
        seed: int = 42,
        num_workers: int = 0,
        cache_dir: str | None = None,
        predict_file: str | None = None,
        unknown_limit: float = UNKNOWN_LIMIT,
    ) -> None:
        if types is not None and (not types or len(set(types)) < len(types)):
            raise ValueError(f"types is {types}; expected entity types, each once, or null for those of the data")
        if particles != "none" and units == "words":
            raise ValueError(f"particles is {particles!r}, but tags of whole words have no use for it; leave it out")
        names = {"train": train_file, "dev": dev_file, "test": test_file}
        super().__init__(
            "tags",
            named_files(data_dir, names, dev_share, test_share),
            self.key_name,
            tokenizer,
            InputSettings(max_length, particles, units=units),
            batch_size,
            eval_batch_size,
            seed,
            num_workers,
            cache_dir,
            predict_file,
            unknown_limit,
        )
        self.tag_files = TagFiles(format, units, word_column, tag_column, text, entities)
        self.types = self.find_types(types)
        self.labels = self.make_labels()
        rank_zero_info(f"{self.files.train}: tags of {', '.join(self.types)}")
        self._codec = TaggingCodec(self.tokenizer, self.input_settings, self.labels)

    def find_types(self, given: Sequence[str] | None) -> tuple[str, ...]:
        """Types of entities: those given, or those of the training file; and how that file writes its tags.

        Raises:
            ValueError: the training file has no entity, or see `form_of`.
        """
        written = [(tag, one.place) for one in self.tag_files.read(self.files.train) for tag in one.tags]
        self._form = form_of(written)
        if given is not None:
            return tuple(given)
        found = labels_in_order((split_tag(tag, self._form, place)[1], place) for tag, place in written)
        if not found:
            raise ValueError(f"{self.files.train}: no entity in it, only O; expected tags such as B-PER")
        return tuple(found)

    def make_labels(self) -> list[str]:
        """All tags."""
        return bio_labels(self.types)

    def read_sentences(self, path: Path, labelled: bool) -> Iterator[TaggedSentence]:
        """The sentences of a file, tags as in `labels`, none where they are not known."""
        joint = " " if self.tag_files.units == "words" else ""
        for units, tags, place in self.tag_files.read(path, labelled):
            known = bio_tags(tags, self._form, self.types, place) if len(tags) == len(units) else ()
            yield TaggedSentence(joint.join(units), units, known)

    def read_features(self, path: Path, part: TaskPart) -> dict[str, Columns]:
        """See the base class."""
        lists = ("ids", "first_pieces") if self.input_settings.units == "words" else ("ids", "starts", "ends")
        odd = OddTexts("sentence")
        sentences = odd.seen(self.read_sentences(path, part in LABELLED), lambda one: ("".join(one.units),))
        return {"sentences": as_columns(self._codec.encode(sentences), lists), **odd.table()}

    def feature_settings(self) -> dict[str, Any]:
        """How the file is read, and how words are cut."""
        return {
            "module": type(self).__name__,
            "files": str(self.tag_files),
            "types": self.types,
            "particles": self.input_settings.particles,
            "reading": 2,  # before: words of byte-level BPE had no space, an I that opens an entity stayed I
        }

    def split_keys(self, tables: Tables) -> list[str]:
        """What the sentences are known by: their ids, or their texts, so that repeated ones stay together."""
        return tables["sentences"].strings("id")

    def batches(self, tables: Tables, rows: list[int], part: TaskPart) -> TextBatches:
        """See the base class."""
        return TextBatches(tables["sentences"].without("id"), rows, self._codec)
