"""Rare, middle and frequent tokens: three groups for which agreement with the teacher is measured separately."""

from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

BUCKETS: Final = ("rare", "middle", "frequent")

_MASS_EXPONENT: Final = 0.3
"""A token that occurs c times is masked about c * c^-0.7 times under the published smoothing of 0.7 (`masking.py`)."""


def frequency_buckets(counts: npt.ArrayLike) -> Tensor:
    """Divide the vocabulary so that each group has a third of the masked tokens of the published recipe.

    The division depends on the corpus alone, not on the masking of the run, so that runs with other masking are
    measured over the same groups. Thirds of the corpus itself would leave the frequent group a handful of pieces that
    smoothed masking hardly ever draws. Tokens of equal count share a group; one that never occurred counts as occurring
    once, as in masking.

    Args:
        counts: occurrences of each token id in the training part, (V,). Special tokens may be among them: two of
            thousands move the borders by less than one part in a hundred.

    Returns:
        For each token id a place in `BUCKETS`, (V,) int64.

    Raises:
        ValueError: counts that are not one number of 0 or more for each token.
    """
    occurrences = np.asarray(counts, dtype=np.float64)
    if occurrences.ndim != 1 or not len(occurrences) or occurrences.min() < 0:
        raise ValueError(f"token counts of shape {occurrences.shape}; expected one number of 0 or more for each token")
    levels, level_of, tokens = np.unique(np.maximum(occurrences, 1.0), return_inverse=True, return_counts=True)
    mass = levels**_MASS_EXPONENT * tokens
    middle = (np.cumsum(mass) - mass / 2) / mass.sum()
    return torch.from_numpy((middle * len(BUCKETS)).astype(np.int64)[level_of])
