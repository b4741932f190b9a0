"""Base class of objectives: what it needs from student and teacher, its own parameters, and a scalar per batch."""

from abc import ABC, abstractmethod

from torch import Tensor, nn

from distilkobert.objectives.contract.needs import Averaged, Needs, NetworkFacts
from distilkobert.objectives.contract.outputs import Batch, Outputs
from distilkobert.objectives.contract.schedules import Scheduled, check_range


class Objective(nn.Module, ABC):
    """One term of the training loss.

    A subclass declares what it needs and computes a scalar. Its own parameters, such as projections, are created in
    `build`; they are trained and saved for resume, but never exported.

    Args:
        weight: factor of the term in the sum: a number of 0 or more, or a linear schedule. A constant 0 disables the
            term: it is neither built nor computed.

    Raises:
        ValueError: the weight is out of range.
    """

    def __init__(self, weight: Scheduled) -> None:
        super().__init__()
        check_range(f"{type(self).__name__}.weight", weight)
        self.weight = weight

    @property
    def averages_over(self) -> Averaged:
        """What the term is a mean over: the weight of a batch in its held-out mean."""
        return "masked_tokens" if "masked_tokens" in (self.needs.logits, getattr(self, "on", None)) else "real_tokens"

    @property
    @abstractmethod
    def needs(self) -> Needs:
        """What to capture from student and teacher; depends only on the settings."""

    def check(self, student: NetworkFacts, teacher: NetworkFacts | None) -> None:
        """Refuse networks that the objective cannot compare; called before anything is built.

        `check_needs` has already refused a missing teacher, head or attention, and layers out of range.

        Args:
            student: what the student's configuration says.
            teacher: the teacher's; None where there is none.

        Raises:
            ValueError: they do not fit.
        """

    def build(self, student: NetworkFacts, teacher: NetworkFacts | None) -> None:
        """Create the parameters; torch's generator is seeded with the run's seed and the objective's name.

        Args:
            student: what the student's configuration says.
            teacher: the teacher's; None where there is none.
        """

    def start_band(self, vocab_size: int, random_student: bool) -> tuple[float, float] | None:
        """Lowest and highest plausible value before the first step; None if unknown.

        Args:
            vocab_size: V, pieces of the vocabulary.
            random_student: whether the student starts from random weights.
        """
        return None

    @abstractmethod
    def forward(self, student: Outputs, teacher: Outputs | None, batch: Batch) -> Tensor:
        """The term for one batch, a scalar, before weighting.

        Args:
            student: the student's outputs.
            teacher: the teacher's, without gradients; None where `needs.teacher` is false.
            batch: ids, labels and positions.
        """


def make_projection(student_width: int, teacher_width: int) -> nn.Module:
    """A learned linear map from the student's width to the teacher's, or the identity where they are equal."""
    return nn.Identity() if student_width == teacher_width else nn.Linear(student_width, teacher_width, bias=False)
