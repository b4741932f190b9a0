"""Similarity of the layers of a student and of its teacher, over all real tokens of an evaluation."""

from collections.abc import Sequence
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor
from torchmetrics import Metric

_PAIRS: Final = ((0, 0), (1, 1), (0, 1))
"""Student with student, teacher with teacher, student with teacher."""


class LayerSimilarity(Metric):
    """Two measures for each of S pairs of layers, both exact over batches and ranks.

    - `similarity/layer<s>`: mean cosine between the two hidden states of a token (-1 to 1). It compares directions in
      the same coordinates, so it says something about students that start from the teacher's weights; layers of two
      widths have none.
    - `cka/layer<s>`: linear centered kernel alignment (0 to 1), `|Y'X|^2 / (|X'X| |Y'Y|)` in Frobenius norms, X and Y
      (N, H) centered over the N tokens (Kornblith et al. 2019, arXiv:1905.00414, section 3). It does not change when a
      layer is rotated or scaled, so it also compares students that started at random.

    Scatter matrices of a batch are taken around the batch's own mean, and the spread of the batch means is added in
    double precision: hidden states have dimensions whose mean is far larger than their spread.

    Args:
        layers: pairs of layers, S.
        width: H, of the teacher.
        student_width: of the student; None: the same.
    """

    full_state_update = False
    is_differentiable = False
    tokens: Tensor
    cosines: Tensor
    sums: Tensor
    scatters: Tensor

    def __init__(self, layers: int, width: int, student_width: int | None = None) -> None:
        super().__init__()
        double = torch.float64
        self.has_cosines = student_width in (None, width)
        width = self._width = max(width, student_width or width)
        self.add_state("tokens", default=torch.zeros((), dtype=double), dist_reduce_fx="sum")
        self.add_state("cosines", default=torch.zeros(layers, dtype=double), dist_reduce_fx="sum")
        self.add_state("sums", default=torch.zeros(layers, 2, width, dtype=double), dist_reduce_fx="sum")
        self.add_state(
            "scatters", default=torch.zeros(layers, len(_PAIRS), width, width, dtype=double), dist_reduce_fx="sum"
        )

    def update(self, student: Sequence[Tensor], teacher: Sequence[Tensor]) -> None:
        """Add N tokens: hidden states of every student layer and of the teacher layer it is compared with.

        Args:
            student: S tensors (N, H of the student).
            teacher: S tensors (N, H of the teacher).
        """
        count = len(student[0])
        if not count:
            return
        self.tokens += count
        for place, pair in enumerate(zip(student, teacher, strict=True)):
            # Columns of zeros change no norm.
            states = [F.pad(layer.float(), (0, self._width - layer.shape[-1])) for layer in pair]
            if self.has_cosines:
                self.cosines[place] += torch.cosine_similarity(states[0], states[1], dim=-1).double().sum()
            means = [layer.mean(0) for layer in states]
            centered = [layer - mean for layer, mean in zip(states, means, strict=True)]
            means = [mean.double() for mean in means]
            for side, mean in enumerate(means):
                self.sums[place, side] += count * mean
            for number, (one, other) in enumerate(_PAIRS):
                with torch.autocast(centered[one].device.type, enabled=False):  # as a validation's would round them
                    inside = (centered[one].T @ centered[other]).double()
                self.scatters[place, number] += inside + count * torch.outer(means[one], means[other])

    def compute(self) -> dict[str, Tensor]:
        """Both measures of every pair; nothing where there was no token."""
        if not self.tokens:
            return {}
        measured = {}
        for place, cosine in enumerate(self.cosines):
            sums, scatters = self.sums[place], self.scatters[place]
            norms = [
                (scatters[number] - torch.outer(sums[one], sums[other]) / self.tokens).norm()
                for number, (one, other) in enumerate(_PAIRS)
            ]
            if self.has_cosines:
                measured[f"similarity/layer{place}"] = cosine / self.tokens
            # A layer that gives every token the same state is like nothing.
            measured[f"cka/layer{place}"] = norms[2] ** 2 / (norms[0] * norms[1]).clamp(min=1e-30)
        return measured
