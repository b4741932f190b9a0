"""Masked batches of one or more corpora."""

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from datamodules.batches.loading import Batch
from distilkobert.batching import IGNORE_INDEX, BatchKey, padded_length
from distilkobert.corpus.corpora import Corpora
from distilkobert.corpus.masking import MaskingSpec, mask_tokens
from distilkobert.corpus.sequences import Part
from distilkobert.seeds import derived_seed


class MaskedBatches:
    """Masked batches of a part of the corpora; each is a pure function of the seed and its key.

    Args:
        corpora: What they are made of.
        part: `train` or `validation`.
        pad_token_id: Fills up shorter rows.
        mask_token_id: Id of [MASK].
        weights: Weight of every token id when masked positions are drawn, (V,).
        masking: Share of masked tokens, and how they are masked.
        seed: Seed of the masks, and of what is drawn from corpora of a weight that is not whole.
        pad_to_multiple_of: Rows are filled up to a multiple of so many tokens, but no further than the longest sequence
            of the part. What is masked does not depend on it.
    """

    def __init__(
        self,
        corpora: Corpora,
        part: Part,
        pad_token_id: int,
        mask_token_id: int,
        weights: Tensor,
        masking: MaskingSpec,
        seed: int,
        pad_to_multiple_of: int = 1,
    ) -> None:
        self._sequences, names = corpora.sequences(part, seed)
        self._counted = () if len(corpora.all) == 1 else tuple(f"tokens/{name}" for name in names)
        self.fingerprint = corpora.fingerprint
        self._pad_token_id, self._mask_token_id = pad_token_id, mask_token_id
        self._weights, self._masking, self._seed = weights, masking, seed
        self._multiple, self._longest = pad_to_multiple_of, int(corpora.manifest["longest"][part])

    @property
    def lengths(self) -> npt.NDArray[np.int32]:
        """Tokens of each sequence, (N,), as long as it may be where it is another one in each epoch."""
        return self._sequences.lengths()

    def __getitem__(self, key: BatchKey) -> Batch:
        """`input_ids`, `attention_mask` and `labels`, each (B, T) int64; labels are -100 where nothing was hidden.

        `real_positions` and `masked_positions` are flat places in B * T, rising, each (N,): a device that looks for
        them itself has to be waited for. Of several corpora `tokens/<name>` are the tokens of each, a scalar.
        """
        rows, tokens = self._sequences.gather(key.rows, key.epoch)
        inside = np.arange(rows.lengths.max()) < rows.lengths[:, None]
        ids = np.full(inside.shape, self._pad_token_id, dtype=np.int64)
        ids[inside] = rows.ids
        attention_mask = torch.from_numpy(inside.astype(np.int64))
        generator = torch.Generator().manual_seed(derived_seed(self._seed, key.epoch, key.index))
        input_ids, labels = mask_tokens(
            torch.from_numpy(ids), attention_mask, self._weights, self._mask_token_id, self._masking, generator
        )
        # Behind the masking, whose draws are counted over the batch with its padding.
        wider = (0, padded_length(inside.shape[1], self._multiple, self._longest) - inside.shape[1])
        if wider[1]:
            input_ids = F.pad(input_ids, wider, value=self._pad_token_id)
            labels, attention_mask = F.pad(labels, wider, value=IGNORE_INDEX), F.pad(attention_mask, wider)
        return {
            "input_ids": input_ids,
            "attention_mask": attention_mask,
            "labels": labels,
            "real_positions": attention_mask.flatten().nonzero().squeeze(-1),
            "masked_positions": (labels.flatten() != IGNORE_INDEX).nonzero().squeeze(-1),
            **(dict(zip(self._counted, map(torch.tensor, tokens), strict=True)) if self._counted else {}),
        }
