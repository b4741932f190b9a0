"""Share of right labels, counted in whole numbers."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torchmetrics import Metric


class Accuracy(Metric):
    """Share of the examples whose predicted label is the true one (0 to 1), over all batches and processes.

    Both counts are summed before they are divided, so neither uneven batches nor uneven shards change the result.
    """

    full_state_update = False
    is_differentiable = False
    higher_is_better = True
    right: Tensor
    examples: Tensor

    def __init__(self) -> None:
        super().__init__()
        for name in ("right", "examples"):
            self.add_state(name, default=torch.tensor(0), dist_reduce_fx="sum")

    def update(self, predictions: Sequence[str], targets: Sequence[str]) -> None:
        """Count some examples.

        Args:
            predictions: predicted labels.
            targets: true labels, equally many.

        Raises:
            ValueError: the numbers of labels differ.
        """
        if len(predictions) != len(targets):
            raise ValueError(f"{len(predictions)} predicted labels for {len(targets)} true ones")
        self.right += sum(guess == answer for guess, answer in zip(predictions, targets, strict=True))
        self.examples += len(targets)

    def compute(self) -> Tensor:
        """The share in double precision; 0 where no example was seen."""
        return self.right.double() / self.examples.clamp(min=1)
