"""Soft targets: the teacher's distribution over the vocabulary, softened by a temperature (Hinton et al. 2015)."""

import math

from torch import Tensor

from distilkobert.objectives.base import Objective
from distilkobert.objectives.contract.layer_maps import LayerMap
from distilkobert.objectives.contract.needs import Needs, Tokens
from distilkobert.objectives.contract.outputs import Batch, Outputs, required
from distilkobert.objectives.contract.schedules import Scheduled, check_range, value_at
from distilkobert.objectives.functions import WORSE_THAN_GUESSING, soft_target_loss, soft_target_loss_in_parts


class SoftTargets(Objective):
    """T squared times KL(teacher || student) of both distributions softened by T, mean over tokens, in nats.

    Source: Sanh et al. 2019 (arXiv:1910.01108), section 2; weight 0.33 and T = 2: monologg/DistilKoBERT.

    Args:
        weight: factor in the sum: a number or a schedule.
        temperature: T above 0: a number or a schedule.
        on: every real token, or only the masked ones.
        rows: tokens whose logits are computed at a time; by default all. For large vocabularies: less memory, but one
            more pass through both heads (docs/performance.md). Equal up to rounding.

    Raises:
        ValueError: weight, temperature or rows out of range.
    """

    def __init__(
        self,
        weight: Scheduled = 0.33,
        temperature: Scheduled = 2.0,
        on: Tokens = "real_tokens",
        rows: int | None = None,
    ) -> None:
        super().__init__(weight)
        if rows is not None and rows < 1:
            raise ValueError(f"SoftTargets.rows={rows}: expected 1 or more, or none for all at once")
        self.rows = rows
        check_range("SoftTargets.temperature", temperature, above=True)
        self.temperature = temperature
        self.on: Tokens = on

    @property
    def needs(self) -> Needs:
        """Logits of both networks; where they are made in parts, the last hidden states that they are made of."""
        if self.rows is not None:
            return Needs(teacher=True, hidden=LayerMap("last"), logits=self.on, kept=False)
        return Needs(teacher=True, logits=self.on)

    def start_band(self, vocab_size: int, random_student: bool) -> tuple[float, float] | None:
        """A divergence is 0 or more (up to rounding); from an untrained student at most T^2 ln V."""
        return -1e-3, WORSE_THAN_GUESSING * value_at(self.temperature, 0.0) ** 2 * math.log(vocab_size)

    def forward(self, student: Outputs, teacher: Outputs | None, batch: Batch) -> Tensor:
        """See the class."""
        temperature = value_at(self.temperature, batch.progress)
        if self.rows is not None:
            its = required(teacher)
            mine, targets = (batch.select(one.hidden[one.last], self.on) for one in (student, its))
            return soft_target_loss_in_parts(
                mine, targets, student.project, its.project, temperature=temperature, rows=self.rows
            )
        return soft_target_loss(
            student.logits(self.on),
            required(teacher).logits(self.on),
            temperature=temperature,
        )
