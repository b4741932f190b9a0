"""Matthews' correlation that is 0, as defined, where one side is constant."""

import torch
from torch import Tensor
from torchmetrics.classification import MulticlassMatthewsCorrCoef


class MatthewsCorrelation(MulticlassMatthewsCorrCoef):
    """Matthews' correlation of two or more classes (Gorodkin 2004), from -1 to 1.

    It is 0 where all predicted or all true classes are the same one, as in scikit-learn. For two classes torchmetrics
    returns a small number there, or 1 where all are right.
    """

    confmat: Tensor

    def compute(self) -> Tensor:
        """The correlation of all examples so far, a scalar."""
        is_constant = any(int((self.confmat.sum(side) > 0).sum()) < 2 for side in (0, 1))
        return torch.zeros((), device=self.confmat.device) if is_constant else super().compute()
