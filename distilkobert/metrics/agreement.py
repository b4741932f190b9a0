"""Agreement with the teacher's first choice, by frequency of the true token."""

import torch
from torch import Tensor
from torchmetrics import Metric

from distilkobert.corpus.frequency import BUCKETS


class BucketAgreement(Metric):
    """Share of the masked tokens of each frequency group on which student and teacher make the same choice (0 to 1).

    Counts are summed over batches and ranks before anything is divided.

    Args:
        buckets: place in `frequency.BUCKETS` of each token id, (V,) int64.
    """

    full_state_update = False
    is_differentiable = False
    higher_is_better = True
    buckets: Tensor
    agreed: Tensor
    tokens: Tensor

    def __init__(self, buckets: Tensor) -> None:
        super().__init__()
        # No part of a checkpoint: it comes from the corpus.
        self.register_buffer("buckets", buckets, persistent=False)
        for name in ("agreed", "tokens"):
            self.add_state(name, default=torch.zeros(len(BUCKETS), dtype=torch.long), dist_reduce_fx="sum")

    def update(self, agrees: Tensor, labels: Tensor) -> None:
        """Count N masked tokens: whether the two agree (N,) boolean, and the true ids (N,)."""
        found = self.buckets[labels]
        self.tokens += torch.bincount(found, minlength=len(BUCKETS))
        self.agreed += torch.bincount(found[agrees], minlength=len(BUCKETS))

    def compute(self) -> dict[str, Tensor]:
        """The share of each group that had any token."""
        shares = self.agreed.double() / self.tokens.clamp(min=1)
        return {name: shares[place] for place, name in enumerate(BUCKETS) if self.tokens[place] > 0}
