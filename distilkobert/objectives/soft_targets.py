"""Soft targets: the teacher's distribution over the vocabulary, softened by a temperature (Hinton et al. 2015)."""

from torch import Tensor

from distilkobert.objectives.base import Objective
from distilkobert.objectives.functions import soft_target_loss
from distilkobert.objectives.needs import Needs, Tokens
from distilkobert.objectives.outputs import Batch, Outputs, required
from distilkobert.objectives.schedules import Scheduled, check_range, value_at


class SoftTargets(Objective):
    """T squared times KL(teacher || student) of both distributions softened by T, mean over tokens, in nats.

    Source: Sanh et al. 2019 (arXiv:1910.01108), section 2; weight 0.33 and T = 2: monologg/DistilKoBERT.

    Args:
        weight: factor in the sum: a number or a schedule.
        temperature: T above 0: a number or a schedule.
        on: every real token, or the masked ones only.

    Raises:
        ValueError: weight or temperature out of range.
    """

    def __init__(self, weight: Scheduled = 0.33, temperature: Scheduled = 2.0, on: Tokens = "real_tokens") -> None:
        super().__init__(weight)
        check_range("SoftTargets.temperature", temperature, above=True)
        self.temperature = temperature
        self.on: Tokens = on

    @property
    def needs(self) -> Needs:
        """Logits of both networks."""
        return Needs(teacher=True, logits=self.on)

    def forward(self, student: Outputs, teacher: Outputs | None, batch: Batch) -> Tensor:
        """See the class."""
        return soft_target_loss(
            student.logits(self.on),
            required(teacher).logits(self.on),
            temperature=value_at(self.temperature, batch.progress),
        )
