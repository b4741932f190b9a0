"""Masking for masked-language modelling, as a pure function of ids, weights and a random generator.

A share of the batch's real tokens is drawn without replacement; rare tokens are more likely to be drawn. A drawn token
is replaced by [MASK], kept, or replaced by a random token. The rates and the smoothed weights are those of the
DistilBERT reference training code (huggingface/transformers, `examples/research_projects/distillation`), which follows
BERT (arXiv:1810.04805) and XLM (arXiv:1901.07291, where the counts are smoothed).
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from distilkobert.batching import IGNORE_INDEX


@dataclass(frozen=True)
class MaskingSpec:
    """How many tokens are predicted, and what the model sees in their place.

    Args:
        probability: Share of the batch's real tokens (including [CLS] and [SEP], without padding) to predict.
        mask: Share of the predicted tokens replaced by [MASK].
        keep: Share of the predicted tokens left unchanged.
        random: Share of the predicted tokens replaced by a random non-special token.
        smoothing: A token that occurs c times in the corpus is drawn with weight c to the power of minus this; 0 draws
            all tokens with equal probability.

    Raises:
        ValueError: A value out of its range, or shares that do not add up to 1.
    """

    probability: float = 0.15
    mask: float = 0.8
    keep: float = 0.1
    random: float = 0.1
    smoothing: float = 0.7

    def __post_init__(self) -> None:
        if not 0 < self.probability < 1:
            raise ValueError(f"masking probability is {self.probability}; expected more than 0 and less than 1")
        for name, share in (("mask", self.mask), ("keep", self.keep), ("random", self.random)):
            if not 0 <= share <= 1:
                raise ValueError(f"masking {name} is {share}; expected 0 to 1")
        total = self.mask + self.keep + self.random
        if not math.isclose(total, 1, abs_tol=1e-6):
            raise ValueError(f"masking mask + keep + random is {total:g}; expected 1")
        if not (0 <= self.smoothing < math.inf):
            raise ValueError(f"masking smoothing is {self.smoothing}; expected 0 or more")


def smoothed_token_weights(counts: npt.ArrayLike, special_ids: Iterable[int], smoothing: float = 0.7) -> Tensor:
    """Weights for drawing tokens: `count ** -smoothing`, and 0 for the special tokens.

    A token that was never counted weighs as one that was counted once.

    Args:
        counts: Occurrences of each token id in the corpus, (V,).
        special_ids: Ids that are never drawn.
        smoothing: See `MaskingSpec`.

    Returns:
        (V,) in double precision; every token but the special ones has a positive weight.

    Raises:
        ValueError: Counts that are not one non-negative number per token, or a special id outside the vocabulary.
    """
    occurrences = np.asarray(counts, dtype=np.float64)
    if occurrences.ndim != 1 or not len(occurrences) or occurrences.min() < 0:
        raise ValueError(f"token counts of shape {occurrences.shape}; expected one number of 0 or more for each token")
    weights = np.maximum(occurrences, 1.0) ** -smoothing
    for special in special_ids:
        if not 0 <= special < len(weights):
            raise ValueError(f"special token id {special} is outside the vocabulary of {len(weights)} tokens")
        weights[special] = 0.0
    return torch.from_numpy(weights)


def mask_tokens(
    input_ids: Tensor,
    attention_mask: Tensor,
    weights: Tensor,
    mask_token_id: int,
    spec: MaskingSpec,
    generator: torch.Generator,
) -> tuple[Tensor, Tensor]:
    """Hide a share of the batch's tokens and say what they were.

    Exactly `round(probability * real tokens)` positions of the whole batch are drawn, but at least one, so that a loss
    over them exists, and never more than there are tokens that are not special. Drawing without replacement with
    weights w is taking the smallest of Exp(1) / w, done here in logarithms so that no weight is too small.

    Args:
        input_ids: (B, T) integers below V.
        attention_mask: (B, T), 1 for real tokens ([CLS] and [SEP] too) and 0 for padding.
        weights: (V,), from `smoothed_token_weights`; tokens of weight 0 are special: never drawn, never put in.
        mask_token_id: Id of [MASK].
        spec: Rates; its `smoothing` is already inside `weights`.
        generator: Source of all randomness: equal generators and inputs give equal results.

    Returns:
        The ids with tokens hidden and the labels, both (B, T): the label is the original id where a token was drawn
        and `IGNORE_INDEX` elsewhere. The inputs are not changed.
    """
    flat_ids = input_ids.flatten()
    position_weights = weights[flat_ids] * attention_mask.flatten()
    drawable = int(torch.count_nonzero(position_weights))
    count = min(max(1, round(spec.probability * int(attention_mask.sum()))), drawable)

    arrival = torch.empty_like(position_weights).exponential_(generator=generator).log() - position_weights.log()
    drawn = torch.topk(arrival, count, largest=False, sorted=False).indices

    labels = torch.full_like(flat_ids, IGNORE_INDEX)
    labels[drawn] = flat_ids[drawn]

    ordinary_ids = weights.nonzero().squeeze(1)
    choice = torch.rand(count, generator=generator, dtype=torch.float64)
    random_ids = ordinary_ids[torch.randint(len(ordinary_ids), (count,), generator=generator)]
    replacement = torch.where(choice < spec.mask, mask_token_id, random_ids.to(flat_ids.dtype))
    kept = choice >= spec.mask + spec.random
    masked = flat_ids.clone()
    masked[drawn] = torch.where(kept, flat_ids[drawn], replacement)
    return masked.view_as(input_ids), labels.view_as(input_ids)
