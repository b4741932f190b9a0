"""Squared distance to the teacher's logits."""

import torch
from torch import Tensor

from distilkobert.objectives.base import Objective
from distilkobert.objectives.contract.needs import Needs, Tokens
from distilkobert.objectives.contract.outputs import Batch, Outputs, required
from distilkobert.objectives.contract.schedules import Scheduled


def logits_mse_loss(student: Tensor, teacher: Tensor, choices: Tensor | None = None) -> Tensor:
    """Mean of the squared differences of logits (N, V) over tokens and entries, in float32; 0 without tokens.

    Args:
        student: logits of the student.
        teacher: logits of the teacher.
        choices: (N, V) boolean, true at the entries that count; None: all of them.
    """
    squares = (student.float() - teacher.float()).square()
    if choices is None:
        means = squares.mean(-1)
    else:
        means = torch.where(choices, squares, 0.0).sum(-1) / choices.sum(-1).clamp(min=1)
    return means.sum() / max(len(squares), 1)


class LogitsMSE(Objective):
    """Mean of the squared differences of the vocabulary logits, or of a task's; padding has no logits.

    Sources: Ba and Caruana 2014 (arXiv:1312.6184); as prediction-layer distillation in TinyBERT's second stage (Jiao et
    al. 2020, arXiv:1909.10351) for tasks with a score.

    Args:
        weight: factor in the sum: a number or a schedule.
        on: every real token, or only the masked ones.

    Raises:
        ValueError: the weight is out of range.
    """

    def __init__(self, weight: Scheduled = 1.0, on: Tokens = "masked_tokens") -> None:
        super().__init__(weight)
        self.on: Tokens = on

    @property
    def needs(self) -> Needs:
        """Logits of both networks."""
        return Needs(teacher=True, logits=self.on)

    def forward(self, student: Outputs, teacher: Outputs | None, batch: Batch) -> Tensor:
        """See the class."""
        return logits_mse_loss(student.logits(self.on), required(teacher).logits(self.on), student.choices)
