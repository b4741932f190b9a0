"""Distillation as it is first written down: for comparison only, it shares no code with `distilkobert`.

Both networks give the logits and hidden states of every place of the batch, padding included; the real tokens are
picked afterwards with boolean masks.
"""

import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import PreTrainedModel

TERM_WEIGHT, TEMPERATURE, NOT_MASKED = 0.33, 2.0, -100
"""Of each of the three terms, and of the soft targets (monologg/DistilKoBERT, README); torch's label to ignore."""


class NaiveDistillation:
    """Soft targets, masked LM and the cosine of the last hidden states, with torch's losses and plain AdamW.

    Args:
        teacher: a masked-LM model, in evaluation mode.
        student: a masked-LM model of the same width; it is trained.
        lr: learning rate.
        clip: largest norm of the gradient.
    """

    def __init__(self, teacher: PreTrainedModel, student: PreTrainedModel, *, lr: float, clip: float) -> None:
        self.teacher, self.student, self.clip = teacher, student, clip
        self.optimizer = torch.optim.AdamW(student.parameters(), lr=lr)

    def loss(self, input_ids: Tensor, attention_mask: Tensor, labels: Tensor) -> Tensor:
        """The sum of the three terms for a batch of (B, T) ids, mask and labels."""
        inputs = {"input_ids": input_ids, "attention_mask": attention_mask, "output_hidden_states": True}
        with torch.no_grad():
            target = self.teacher(**inputs)
        given = self.student(**inputs)
        real = attention_mask == 1
        student, teacher = given.logits[real], target.logits[real]
        soft = F.kl_div(
            F.log_softmax(student / TEMPERATURE, dim=-1),
            F.softmax(teacher / TEMPERATURE, dim=-1),
            reduction="batchmean",
        )
        masked = F.cross_entropy(given.logits.flatten(0, 1), labels.flatten(), ignore_index=NOT_MASKED)
        states, targets = given.hidden_states[-1][real], target.hidden_states[-1][real]
        cosine = F.cosine_embedding_loss(states, targets, states.new_ones(len(states)))
        return TERM_WEIGHT * (soft * TEMPERATURE**2 + masked + cosine)

    def step(self, input_ids: Tensor, attention_mask: Tensor, labels: Tensor) -> None:
        """One optimizer step."""
        self.optimizer.zero_grad()
        self.loss(input_ids, attention_mask, labels).backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.student.parameters(), self.clip)
        self.optimizer.step()
