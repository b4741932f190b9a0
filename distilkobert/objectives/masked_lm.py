"""Masked language modelling: the true pieces at the masked tokens (Devlin et al. 2019)."""

from torch import Tensor

from distilkobert.objectives.base import Objective
from distilkobert.objectives.contract.needs import Needs
from distilkobert.objectives.contract.outputs import Batch, Outputs
from distilkobert.objectives.contract.schedules import Scheduled
from distilkobert.objectives.functions import masked_lm_band, masked_lm_loss


class MaskedLM(Objective):
    """Cross-entropy of the true pieces at the masked tokens, mean over those, in nats; needs no teacher.

    Source: Devlin et al. 2019 (arXiv:1810.04805), as a term next to soft targets: Sanh et al. 2019, section 2.

    Args:
        weight: factor in the sum: a number or a schedule.

    Raises:
        ValueError: the weight is out of range.
    """

    def __init__(self, weight: Scheduled = 0.33) -> None:
        super().__init__(weight)

    @property
    def needs(self) -> Needs:
        """Logits of the student."""
        return Needs(teacher=False, logits="masked_tokens")

    def start_band(self, vocab_size: int, random_student: bool) -> tuple[float, float] | None:
        """Of the loss itself; see `masked_lm_band`."""
        return masked_lm_band(vocab_size, random_student)

    def forward(self, student: Outputs, teacher: Outputs | None, batch: Batch) -> Tensor:
        """See the class."""
        return masked_lm_loss(student.logits("masked_tokens"), batch.labels_of("masked_tokens"))
