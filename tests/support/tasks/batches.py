"""Hand-made batches and a network with given outputs, for the tests of the task modules."""

from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn


class GivenNetwork(nn.Module):
    """Returns the logits it was made with, and remembers the names of its inputs."""

    def __init__(self, type_vocab_size: int = 2, **outputs: Any) -> None:
        super().__init__()
        self.outputs = {name: torch.tensor(value, dtype=torch.float32) for name, value in outputs.items()}
        self.config = SimpleNamespace(type_vocab_size=type_vocab_size, model_type="given")
        self.seen: set[str] = set()

    def forward(self, **inputs: Tensor) -> SimpleNamespace:
        self.seen = set(inputs)
        return SimpleNamespace(**self.outputs)


def make_batch(lengths: list[int], **entries: Any) -> dict[str, Any]:
    """Inputs of the given lengths, padded; lists of ints given by name become tensors where all else is numeric."""
    longest = max(lengths)
    mask = torch.tensor([[1] * length + [0] * (longest - length) for length in lengths])
    tensors = {"input_ids": mask * 3, "attention_mask": mask, "token_type_ids": torch.zeros_like(mask)}
    return {**tensors, **entries}
