"""CorpusDataModule: batches for masked-language modelling and distillation from a prepared corpus."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from datamodules.base import Batch, PlannedBatches, PlannedDataModule, PlannedLoader
from datamodules.masked_texts import MaskedTextBatches
from distilkobert.batching import IGNORE_INDEX, BatchKey
from distilkobert.corpus.integrity import content_fingerprint
from distilkobert.corpus.manifest import Manifest, read_manifest
from distilkobert.corpus.masked_texts import read_masked_texts
from distilkobert.corpus.masking import MaskingSpec, mask_tokens, smoothed_token_weights
from distilkobert.corpus.sequences import Part
from distilkobert.corpus.store import StoredSequences, check_stored, read_token_counts
from distilkobert.io.files import require_nonempty
from distilkobert.seeds import derived_seed
from distilkobert.tokenizers.loading import load_tokenizer

VALIDATION_SEED = 0
"""Seed of the validation masks, whatever the run's seed, so that runs of different seeds are measured alike."""


class MaskedBatches:
    """Masked batches of a part of the corpus; each is a pure function of the seed and its key.

    Args:
        folder: The prepared corpus.
        part: `train` or `validation`.
        manifest: What the corpus holds.
        pad_token_id: Fills up shorter rows.
        mask_token_id: Stands for hidden tokens.
        weights: Weight of every token id when masked positions are drawn, (V,).
        masking: How much is masked, and how.
        seed: Seed of the masks.
    """

    def __init__(
        self,
        folder: Path,
        part: Part,
        manifest: Manifest,
        pad_token_id: int,
        mask_token_id: int,
        weights: Tensor,
        masking: MaskingSpec,
        seed: int,
    ) -> None:
        self._sequences = StoredSequences(folder, part, manifest)
        self.fingerprint = content_fingerprint(manifest)
        self._pad_token_id, self._mask_token_id = pad_token_id, mask_token_id
        self._weights, self._masking, self._seed = weights, masking, seed

    @property
    def lengths(self) -> npt.NDArray[np.int32]:
        """Tokens of each sequence, (N,)."""
        return self._sequences.lengths()

    def __getitem__(self, key: BatchKey) -> Batch:
        """`input_ids`, `attention_mask` and `labels`, each (B, T) int64; labels are -100 where nothing was hidden.

        `real_positions` and `masked_positions` are flat places in B * T, rising, each (N,): a device that looks for
        them itself has to be waited for.
        """
        rows = self._sequences.gather(key.rows)
        inside = np.arange(rows.lengths.max()) < rows.lengths[:, None]
        ids = np.full(inside.shape, self._pad_token_id, dtype=np.int64)
        ids[inside] = rows.ids
        attention_mask = torch.from_numpy(inside.astype(np.int64))
        generator = torch.Generator().manual_seed(derived_seed(self._seed, key.epoch, key.index))
        input_ids, labels = mask_tokens(
            torch.from_numpy(ids), attention_mask, self._weights, self._mask_token_id, self._masking, generator
        )
        return {
            "input_ids": input_ids,
            "attention_mask": attention_mask,
            "labels": labels,
            "real_positions": torch.from_numpy(np.flatnonzero(inside)),
            "masked_positions": (labels.flatten() != IGNORE_INDEX).nonzero().squeeze(-1),
        }


class CorpusDataModule(PlannedDataModule):
    """Batches of a corpus that `python -m experiments.prepare corpus` made.

    The order of the batches and the masks are a pure function of seed, epoch and batch number: they do not depend on
    the number of loader workers, nor on how the batches of a step are divided among processes and accumulation. The
    validation part has the same batches and masks every time; `test` measures on it too. Another number of processes
    may divide its batches otherwise, which changes the masks of some, and held-out figures by the noise of a few masks.

    `vocab_size`, `pad_token_id`, `max_length` (tokens of the longest sequence), `token_counts`, `tokenizer`,
    `tokenizer_dir`, `manifest` and `facts`, which go into `metrics.json`, can be read at once.

    Args:
        data_dir: The folder of the prepared corpus.
        tokenizer: Folder or hub name of the tokenizer that prepared it.
        max_tokens: Tokens of one training batch and process, padding included: rows times longest row.
        validation_max_tokens: The same for validation batches; None: as `max_tokens`.
        masking: How much is masked, and how.
        seed: Seed of the order and of the masks.
        num_workers: Loader processes per loader and rank; 0 loads in the training process.
        predict_file: Text file in whose lines the `predict` command fills every [MASK].

    Raises:
        FileNotFoundError: There is no prepared corpus, no tokenizer, or no `predict_file`.
        ValueError: The corpus is damaged or was prepared with another tokenizer, the tokenizer has no mask token, or a
            setting is out of range.
    """

    def __init__(
        self,
        data_dir: str,
        tokenizer: str,
        max_tokens: int = 8192,
        validation_max_tokens: int | None = None,
        masking: MaskingSpec = MaskingSpec(),  # noqa: B008 - frozen
        seed: int = 42,
        num_workers: int = 0,
        predict_file: str | None = None,
    ) -> None:
        super().__init__(seed, num_workers)
        self.max_tokens = max_tokens
        self.validation_max_tokens = max_tokens if validation_max_tokens is None else validation_max_tokens
        self.masking = masking
        self._folder = Path(data_dir)
        self.tokenizer_dir: str = tokenizer
        self.manifest: Manifest = read_manifest(self._folder)
        loaded = load_tokenizer(tokenizer)
        prepared_with = self.manifest["tokenizer"]["fingerprint"]
        if loaded.fingerprint != prepared_with:
            raise ValueError(
                f"the corpus in {data_dir} was prepared with the tokenizer of fingerprint {prepared_with}, but "
                f"{tokenizer} has fingerprint {loaded.fingerprint}; give the corpus's tokenizer, or prepare it again"
            )
        check_stored(self._folder, self.manifest)
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
                f"the tokenizer {tokenizer} has no mask token, so nothing can be masked; name it in its "
                "tokenizer_config.json (mask_token)"
            )
        self._mask_token_id = loaded.mask_token_id
        self._special_ids = loaded.special_ids
        self.token_counts = read_token_counts(self._folder)
        self.facts: dict[str, float] = {"data/corpus_unknown": self.manifest["unknown_rate"]}

    def setup(self, stage: str) -> None:
        """Check that there is something to test or to predict on, and read it; raises as in the base class also.

        Raises:
            ValueError: The corpus has no validation part to test on, no file to predict on is named, or a line of it
                has no [MASK] or too many tokens.
        """
        super().setup(stage)
        if stage == "test" and not self.manifest["sequences"]["validation"]:
            raise ValueError(
                f"the corpus in {self._folder} has no validation part, so there is nothing to test on; prepare one "
                "with --validation_fraction above 0"
            )
        if stage == "predict":
            if self._predict_file is None:
                raise ValueError("no file to predict on; name one, with [MASK] in every line, in --data.predict_file")
            texts = read_masked_texts(self._predict_file, self.tokenizer, self.max_length)
            self._masked_texts = MaskedTextBatches(texts, self.pad_token_id, self._mask_token_id)

    def train_dataloader(self) -> PlannedLoader:
        """Shuffled, masked anew in every epoch."""
        batches = self._batches("train")
        return self.planned_train_loader(batches, batches.lengths, self.max_tokens)

    def val_dataloader(self) -> PlannedLoader | list[PlannedLoader]:
        """Always the same batches and masks; no loader where the corpus has no validation part."""
        if not self.manifest["sequences"]["validation"]:
            return []
        batches = self._batches("validation")
        return self.planned_evaluation_loader(batches, batches.lengths, self.validation_max_tokens)

    def test_dataloader(self) -> PlannedLoader | list[PlannedLoader]:
        """The batches of validation: the corpus has one held-out part."""
        return self.val_dataloader()

    def predict_dataloader(self) -> PlannedBatches:
        """The lines of `predict_file`."""
        texts, budget = self._masked_texts, max(self.validation_max_tokens, self.max_length)
        return PlannedBatches(self.planned_evaluation_loader(texts, texts.lengths, budget))

    def _batches(self, part: Part) -> MaskedBatches:
        seed = self.seed if part == "train" else VALIDATION_SEED
        weights = smoothed_token_weights(self.token_counts, self._special_ids, self.masking.smoothing)
        return MaskedBatches(
            self._folder, part, self.manifest, self.pad_token_id, self._mask_token_id, weights, self.masking, seed
        )
