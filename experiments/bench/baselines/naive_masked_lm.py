"""Masked LM and fine-tuning as they are first written down: for comparison only, without code of `distilkobert`."""

import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import PreTrainedModel

NOT_MASKED = -100


class NaiveMaskedLM:
    """Logits of every place of the batch, padding included; torch's loss leaves out what is not masked.

    Args:
        model: a masked-LM model; it is trained.
        lr: learning rate.
        clip: largest norm of the gradient.
    """

    def __init__(self, model: PreTrainedModel, *, lr: float, clip: float) -> None:
        self.model, self.clip = model, clip
        self.optimizer = torch.optim.AdamW(model.parameters(), lr=lr)

    def loss(self, input_ids: Tensor, attention_mask: Tensor, labels: Tensor) -> Tensor:
        """Mean over the masked tokens of a batch of (B, T)."""
        logits = self.model(input_ids=input_ids, attention_mask=attention_mask).logits
        return F.cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=NOT_MASKED)

    def step(self, input_ids: Tensor, attention_mask: Tensor, labels: Tensor) -> None:
        """One optimizer step."""
        self.optimizer.zero_grad()
        self.loss(input_ids, attention_mask, labels).backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.clip)
        self.optimizer.step()
