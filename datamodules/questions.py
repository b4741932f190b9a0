"""QuestionAnsweringDataModule: your own questions about contexts, answered by a part of the context, or not at all."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeAlias

from pytorch_lightning.utilities import rank_zero_info

from datamodules.batches.questions import AnswerBatches, QuestionBatches, WindowBatches
from datamodules.files.tables import named_files
from datamodules.tasks import Tables, TaskDataModule
from distilkobert.io.metric_names import UNANSWERABLE_LEFT_OUT
from distilkobert.korean.particles import ParticleMode
from distilkobert.tasks.feature_cache import Columns, as_columns
from distilkobert.tasks.files.korquad import read_korquad
from distilkobert.tasks.files.odd_texts import OddTexts
from distilkobert.tasks.input_settings import InputSettings
from distilkobert.tasks.kinds import QUESTION_ANSWERING
from distilkobert.tasks.questions.answering import AnsweringCodec
from distilkobert.tasks.questions.windows import WindowSettings
from distilkobert.tasks.splits import LABELLED, TaskPart
from distilkobert.tokenizers.unknowns import UNKNOWN_LIMIT

Unanswerable: TypeAlias = Literal["train", "leave_out"]


class QuestionAnsweringDataModule(TaskDataModule):
    """Questions in the JSON layout of SQuAD 1.1 and 2.0, KorQuAD 1.0 and KLUE-MRC.

    Without `dev_file` or `test_file`, the dev or test split is a part of the training articles, chosen by a hash of the
    title (of the context if there is no title).

    Args:
        tokenizer: folder or hub name of a KoBERT tokenizer, or of a fast tokenizer of transformers.
        train_file: file to train on, plain or compressed.
        dev_file: file that selects the checkpoint; None: part of the training file.
        test_file: file for the `test` command; None: part of the training file.
        data_dir: folder of the files.
        unanswerable: questions with `is_impossible`: `train` teaches the model to give no answer, `leave_out` removes
            them from every split and counts them.
        rouge_w: also score answers with KLUE-MRC's ROUGE-W.
        dev_share: share of the training articles for the dev split if there is no `dev_file`.
        test_share: the same for the test split.
        max_length: tokens of a window, including special tokens.
        batch_size: windows per training batch and process.
        eval_batch_size: questions per evaluation batch, fewer if they have several windows.
        stride: context pieces from the start of one window to the start of the next.
        max_question: pieces to which a question is truncated.
        particles: `none`; `strip` removes a trailing particle from answers; `split` splits words at script and
            punctuation changes and before a trailing particle, before encoding.
        reference_decoding: find labels and answers as the original KorQuAD pipeline does, by string search in words.
        seed: seed of the batch order.
        num_workers: loader processes per loader and rank; 0 loads in the training process.
        cache_dir: folder for encoded files; None: `distilkobert` in the cache folder of `datasets`.
        predict_file: file for the `predict` command, in the same format; `answers` can be missing. None: the test
            split.
        unknown_limit: share of unknown pieces from which a split is refused; 1 accepts any.

    Raises:
        FileNotFoundError: a file or the tokenizer is not there.
        ValueError: a setting out of range, or `reference_decoding` with `split` or another tokenizer than KoBERT's.
    """

    kind = QUESTION_ANSWERING
    key_name = "article title"

    def __init__(
        self,
        tokenizer: str,
        train_file: str,
        dev_file: str | None = None,
        test_file: str | None = None,
        data_dir: str = ".",
        unanswerable: Unanswerable = "train",
        rouge_w: bool = False,
        dev_share: float = 0.1,
        test_share: float = 0.1,
        max_length: int = 384,
        batch_size: int = 16,
        eval_batch_size: int = 16,
        stride: int = 128,
        max_question: int = 64,
        particles: ParticleMode = "split",
        reference_decoding: bool = False,
        seed: int = 42,
        num_workers: int = 0,
        cache_dir: str | None = None,
        predict_file: str | None = None,
        unknown_limit: float = UNKNOWN_LIMIT,
    ) -> None:
        names = {"train": train_file, "dev": dev_file, "test": test_file}
        super().__init__(
            "questions",
            named_files(data_dir, names, dev_share, test_share),
            self.key_name,
            tokenizer,
            InputSettings(
                max_length,
                particles,
                pair=True,
                stride=stride,
                max_question=max_question,
                reference_decoding=reference_decoding,
                unanswerable=unanswerable == "train",
            ),
            batch_size,
            eval_batch_size,
            seed,
            num_workers,
            cache_dir,
            predict_file,
            unknown_limit,
        )
        self.rouge_w = rouge_w
        self._codec = AnsweringCodec(self.tokenizer, self.input_settings)

    @classmethod
    def check_settings(cls, settings: Mapping[str, Any]) -> None:
        """See the base class; windows with as few special tokens as any tokenizer has."""
        super().check_settings(settings)
        sizes = {name: settings[name] for name in ("max_length", "stride", "max_question") if name in settings}
        if len(sizes) == 3:
            WindowSettings(**sizes, special_tokens=0)
            InputSettings(particles=settings["particles"], reference_decoding=settings["reference_decoding"])

    def read_features(self, path: Path, part: TaskPart) -> dict[str, Columns]:
        """See the base class."""
        odd = OddTexts("paragraph")
        paragraphs = odd.seen(
            read_korquad(path, answered=part in LABELLED),
            lambda one: (one.context, *(question.text for question in one.questions)),
        )
        contexts, questions = self._codec.encode(paragraphs)
        return {
            "contexts": as_columns(contexts, ("ids", "starts", "ends")),
            "questions": as_columns(questions, ("ids",)),
            **odd.table(),
        }

    def feature_settings(self) -> dict[str, Any]:
        """How words are cut before encoding (`strip` comes after it), and who labels."""
        settings = self.input_settings
        return {"split": settings.particles == "split", "reference_decoding": settings.reference_decoding}

    def split_keys(self, tables: Tables) -> list[str]:
        """The titles of the questions' articles."""
        return tables["questions"].strings("title")

    def choose_rows(self, tables: Tables, part: TaskPart) -> list[int]:
        """Questions of a part, without those that are left out."""
        rows = super().choose_rows(tables, part)
        impossible = tables["questions"].numbers("impossible").astype(bool)
        if self.input_settings.unanswerable or part == "predict":
            self.facts[f"data/{part}_unanswerable"] = int(impossible[rows].sum())
            return rows
        kept = [row for row in rows if not impossible[row]]
        if len(kept) < len(rows):
            left = len(rows) - len(kept)
            self.facts[UNANSWERABLE_LEFT_OUT.format(part)] = left
            rank_zero_info(f"note: {self._file(part)} ({part}): {left:,} questions without an answer are left out")
        if not kept:
            raise ValueError(f"{self._file(part)} ({part}): no question has an answer; set unanswerable: train")
        return kept

    def batches(self, tables: Tables, rows: list[int], part: TaskPart) -> QuestionBatches:
        """Windows to train on, whole questions for dev and test."""
        made = WindowBatches if part == "train" else AnswerBatches
        return made(tables, rows, self._codec)
