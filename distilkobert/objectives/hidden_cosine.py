"""The direction of the last hidden states (Sanh et al. 2019)."""

from torch import Tensor, nn

from distilkobert.objectives.base import Objective, make_projection
from distilkobert.objectives.contract.layer_maps import LayerMap
from distilkobert.objectives.contract.needs import Needs, NetworkFacts, Tokens, facts_of
from distilkobert.objectives.contract.outputs import Batch, Outputs, required
from distilkobert.objectives.contract.schedules import Scheduled
from distilkobert.objectives.functions import cosine_hidden_loss


class HiddenCosine(Objective):
    """One minus the cosine between the last hidden states, mean over tokens.

    If the widths differ, a learned linear map projects the student's states to the teacher's width.

    Source: Sanh et al. 2019 (arXiv:1910.01108), section 2; the reference code compares all real tokens.

    Args:
        weight: factor in the sum: a number or a schedule.
        on: every real token, or only the masked ones.

    Raises:
        ValueError: the weight is out of range.
    """

    def __init__(self, weight: Scheduled = 0.33, on: Tokens = "real_tokens") -> None:
        super().__init__(weight)
        self.on: Tokens = on
        self.projection: nn.Module = nn.Identity()

    @property
    def needs(self) -> Needs:
        """The last hidden states."""
        return Needs(teacher=True, hidden=LayerMap("last"))

    def build(self, student: NetworkFacts, teacher: NetworkFacts | None) -> None:
        """Make the projection where the widths differ."""
        self.projection = make_projection(student.hidden_size, facts_of(teacher).hidden_size)

    def start_band(self, vocab_size: int, random_student: bool) -> tuple[float, float] | None:
        """From 0, equal directions, to 1, unrelated ones; 2 would be opposite ones."""
        return -1e-3, 1.2

    def forward(self, student: Outputs, teacher: Outputs | None, batch: Batch) -> Tensor:
        """See the class."""
        mine, its = (batch.select(output.hidden[output.last], self.on) for output in (student, required(teacher)))
        return cosine_hidden_loss(self.projection(mine), its)
