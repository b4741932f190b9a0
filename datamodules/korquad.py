"""KorQuADDataModule: questions about paragraphs, answered by a part of the paragraph."""

from datamodules.files.parts import fetched, find_task_files
from datamodules.questions import QuestionAnsweringDataModule
from distilkobert.korean.particles import ParticleMode
from distilkobert.tasks.files.common import KORQUAD_DEV, KORQUAD_TRAIN
from distilkobert.tasks.splits import KORQUAD_SPLIT
from distilkobert.tokenizers.unknowns import UNKNOWN_LIMIT


class KorQuADDataModule(QuestionAnsweringDataModule):
    """Questions of KorQuAD 1.0.

    With both files, the dev split is a twentieth of the training articles, chosen by a hash of the title, and the dev
    file, the last one with public answers, is the test split. A single file is split by the same hash: 7 tenths of the
    articles train, 1 dev, 2 test.

    Args:
        data_dir: folder with `KorQuAD_v1.0_train.json` and `KorQuAD_v1.0_dev.json`, or one of the two; plain, .gz, .xz
            or .zst.
        tokenizer: folder or hub name of a KoBERT tokenizer, or of a fast tokenizer of transformers.
        max_length: tokens of a window, including special tokens (monologg/KoBERT-KorQuAD: 512).
        batch_size: windows per training batch and process (the original: 8).
        eval_batch_size: questions per evaluation batch, fewer if they have several windows (the original: 8).
        stride: context pieces from the start of one window to the start of the next (the original: 128).
        max_question: pieces to which a question is truncated (the original: 64).
        particles: `none`; `strip` removes a trailing particle from answers; `split` splits words at script and
            punctuation changes and before a trailing particle, before encoding.
        reference_decoding: find labels and answers as the original does, by string search in white-space words.
        seed: seed of the batch order.
        num_workers: loader processes per loader and rank; 0 loads in the training process.
        cache_dir: folder for encoded files; None: `distilkobert` in the cache folder of `datasets`.
        predict_file: file for the `predict` command, in the same format; `answers` can be missing. None: the test
            split.
        unknown_limit: share of unknown pieces from which a split is refused; 1 accepts any.

    Raises:
        FileNotFoundError: there is no such file, or no tokenizer.
        ValueError: a setting out of range, or `reference_decoding` with `split` or without KoBERT's tokenizer.
    """

    def __init__(
        self,
        data_dir: str,
        tokenizer: str,
        max_length: int = 512,
        batch_size: int = 8,
        eval_batch_size: int = 8,
        stride: int = 128,
        max_question: int = 64,
        particles: ParticleMode = "none",
        reference_decoding: bool = False,
        seed: int = 42,
        num_workers: int = 0,
        cache_dir: str | None = None,
        predict_file: str | None = None,
        unknown_limit: float = UNKNOWN_LIMIT,
    ) -> None:
        files = find_task_files(
            data_dir,
            KORQUAD_TRAIN,
            KORQUAD_DEV,
            fetched("korquad"),
            "QuestionAnsweringDataModule",
            one_file=KORQUAD_SPLIT,
        )
        super().__init__(
            tokenizer,
            **files.options(),
            unanswerable="leave_out",
            max_length=max_length,
            batch_size=batch_size,
            eval_batch_size=eval_batch_size,
            stride=stride,
            max_question=max_question,
            particles=particles,
            reference_decoding=reference_decoding,
            seed=seed,
            num_workers=num_workers,
            cache_dir=cache_dir,
            predict_file=predict_file,
            unknown_limit=unknown_limit,
        )
