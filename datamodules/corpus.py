"""CorpusDataModule: batches for masked-language modelling and distillation from a prepared corpus."""

from pathlib import Path
from typing import ClassVar

from datamodules.base import PlannedDataModule
from datamodules.batches.filled import MaskedTextBatches
from datamodules.batches.loading import PlannedBatches, PlannedLoader
from datamodules.batches.masked import MaskedBatches
from distilkobert.corpus.corpora import Corpora
from distilkobert.corpus.manifest import Manifest
from distilkobert.corpus.masked_texts import read_masked_texts
from distilkobert.corpus.masking import MaskingSpec, smoothed_token_weights
from distilkobert.corpus.sequences import Part
from distilkobert.io.files import require_nonempty
from distilkobert.io.metric_names import CORPUS_CONTENT
from distilkobert.tokenizers.loading import load_tokenizer

VALIDATION_SEED = 0
"""Seed of the validation masks: the same for all runs, whatever their seed."""


class CorpusDataModule(PlannedDataModule):
    """Batches of a corpus that `python -m experiments.prepare corpus` made.

    Batch order and masks are a pure function of seed, epoch and batch number: they do not depend on the number of
    loader workers, nor on how processes and accumulation share the batches of a step. The validation split has the same
    batches and masks every time; there is no test split. Another number of processes may distribute its batches
    differently, which changes some masks, and held-out metrics by the noise of a few masks.

    An epoch contains `round(weight * N)` of the N training sequences of each corpus: all of them as often as the whole
    part of the weight says, and the rest drawn anew in each epoch, as a function of seed and epoch. All sequences of a
    corpus are drawn equally often. Held-out sequences count once, whatever the weights. A batch mixes the corpora and
    reports the tokens of each (`tokens/<name>`, after the last part of the folder's path). Resume compares content,
    weights and order of the corpora.

    `vocab_size`, `pad_token_id`, `max_length` (tokens of the longest sequence), `token_counts`, `tokenizer`,
    `tokenizer_dir`, `manifest` and `facts` (for `metrics.json`) are available after construction.

    Args:
        data_dir: The folder of the prepared corpus; or several folders; or folders, each with its weight:
            `{wiki: 2, news: 0.5}`.
        tokenizer: Folder or hub name of the tokenizer that the corpus was prepared with.
        max_tokens: Tokens per training batch and process, including padding: rows times longest row.
        validation_max_tokens: The same for validation batches; None: `max_tokens`.
        masking: Share of masked tokens, and how they are masked.
        seed: Seed of the batch order and of the masks.
        num_workers: Loader processes per loader and rank; 0 loads in the training process.
        predict_file: Text file for the `predict` command, which fills every [MASK].
        pad_to_multiple_of: Pad training batches to a multiple of this number of tokens, up to the longest sequence:
            fewer lengths for `model.compute.compile`, lengths that suit a GPU (docs/performance.md). It changes which
            sequences share a batch, but not held-out batches.

    Raises:
        FileNotFoundError: There is no prepared corpus, no tokenizer, or no `predict_file`.
        ValueError: The corpus is damaged or was prepared with another tokenizer, the tokenizer has no mask token, or a
            setting is out of range.
    """

    least: ClassVar = {**PlannedDataModule.least, "max_tokens": 1, "validation_max_tokens": 1, "pad_to_multiple_of": 1}

    def __init__(
        self,
        data_dir: dict[str, float] | list[str] | str,
        tokenizer: str,
        max_tokens: int = 8192,
        validation_max_tokens: int | None = None,
        masking: MaskingSpec = MaskingSpec(),  # noqa: B008 - frozen
        seed: int = 42,
        num_workers: int = 0,
        predict_file: str | None = None,
        pad_to_multiple_of: int = 1,
    ) -> None:
        super().__init__(seed, num_workers)
        self.check_settings(
            {
                "max_tokens": max_tokens,
                "validation_max_tokens": validation_max_tokens,
                "pad_to_multiple_of": pad_to_multiple_of,
            }
        )
        self.pad_to_multiple_of = pad_to_multiple_of
        self.max_tokens = max_tokens
        self.validation_max_tokens = max_tokens if validation_max_tokens is None else validation_max_tokens
        self.masking = masking
        self._corpora = Corpora(data_dir)
        self.tokenizer_dir: str = tokenizer
        self.manifest: Manifest = self._corpora.manifest
        loaded = load_tokenizer(tokenizer)
        prepared_with = self.manifest["tokenizer"]["fingerprint"]
        self._named = " and ".join(str(corpus.folder) for corpus in self._corpora.all)
        if loaded.fingerprint != prepared_with:
            raise ValueError(
                f"the corpus in {self._named} was prepared with the tokenizer of fingerprint {prepared_with}, but "
                f"{tokenizer} has fingerprint {loaded.fingerprint}; give the corpus's tokenizer, or prepare it again"
            )
        self._corpora.check()
        self._predict_file = None if predict_file is None else Path(predict_file)
        if self._predict_file is not None:
            require_nonempty(self._predict_file)
        budgets = {"train": self.max_tokens, "validation": self.validation_max_tokens}
        for part, budget in budgets.items():
            longest = self.manifest["longest"][part]
            if budget < longest:
                option = "max_tokens" if part == "train" else "validation_max_tokens"
                raise ValueError(
                    f"{option} is {budget}, but the longest {part} sequence has {longest} tokens; raise {option}, or "
                    f"prepare the corpus with --max_tokens {budget}"
                )
        self.tokenizer = loaded
        self.max_length: int = max(self.manifest["longest"].values())
        self.vocab_size: int = loaded.vocab_size
        self.pad_token_id: int = loaded.pad_token_id
        if loaded.mask_token_id is None:
            raise ValueError(
                f"the tokenizer {tokenizer} has no mask token, so nothing can be masked; set it in its "
                "tokenizer_config.json (mask_token)"
            )
        self._mask_token_id = loaded.mask_token_id
        self._special_ids = loaded.special_ids
        self.token_counts = self._corpora.token_counts()
        self.facts: dict[str, float | str] = {
            "data/corpus_unknown": self.manifest["unknown_rate"],
            CORPUS_CONTENT: self._corpora.fingerprint,
        }

    def setup(self, stage: str) -> None:
        """Check that there is something to predict on, and read it; raises as in the base class also.

        Raises:
            ValueError: No file to predict on is named, or a line of it has no [MASK] or too many tokens.
        """
        super().setup(stage)
        if stage == "predict":
            if self._predict_file is None:
                raise ValueError(
                    "no file to predict on; set --data.predict_file to a text file with [MASK] in every line"
                )
            texts = read_masked_texts(self._predict_file, self.tokenizer, self.max_length)
            self._masked_texts = MaskedTextBatches(texts, self.pad_token_id, self._mask_token_id)

    def train_dataloader(self) -> PlannedLoader:
        """Shuffled, with new masks in every epoch."""
        multiple = self.pad_to_multiple_of
        batches = self._batches("train", multiple)
        return self.planned_train_loader(batches, batches.lengths, self.max_tokens, pad_to_multiple_of=multiple)

    def val_dataloader(self) -> PlannedLoader | list[PlannedLoader]:
        """Always the same batches and masks; no loader where the corpus has no validation part."""
        if not self.manifest["sequences"]["validation"]:
            return []
        batches = self._batches("validation")
        return self.planned_evaluation_loader(batches, batches.lengths, self.validation_max_tokens)

    def predict_dataloader(self) -> PlannedBatches:
        """The lines of `predict_file`."""
        texts, budget = self._masked_texts, max(self.validation_max_tokens, self.max_length)
        return PlannedBatches(self.planned_evaluation_loader(texts, texts.lengths, budget))

    def _batches(self, part: Part, multiple: int = 1) -> MaskedBatches:
        seed = self.seed if part == "train" else VALIDATION_SEED
        weights = smoothed_token_weights(self.token_counts, self._special_ids, self.masking.smoothing)
        return MaskedBatches(
            self._corpora, part, self.pad_token_id, self._mask_token_id, weights, self.masking, seed, multiple
        )
