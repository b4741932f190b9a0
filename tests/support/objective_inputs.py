"""Random outputs of two unlike networks for a ragged batch, as objectives get them."""

import torch
from torch import Tensor

from distilkobert.objectives import Batch, NetworkFacts, Outputs
from distilkobert.objectives.contract.needs import Tokens
from distilkobert.objectives.contract.outputs import Attention

VOCABULARY = 11
LENGTHS = (5, 2, 7)
STUDENT = NetworkFacts("student", "bert", layers=2, hidden_size=6)
TEACHER = NetworkFacts("teacher", "bert", layers=4, hidden_size=12)
TWIN = NetworkFacts("teacher", "bert", layers=4, hidden_size=6)
"""A teacher of the student's widths."""
HEADS = {6: 3, 12: 2}
"""Attention heads of a network, by its width."""


def ragged_batch(progress: float = 0.0) -> Batch:
    """Three sequences of other lengths, 14 real tokens, 5 of them masked."""
    mask = torch.tensor([[1] * n + [0] * (max(LENGTHS) - n) for n in LENGTHS])
    labels = torch.full(mask.shape, -100)
    for row, column in ((0, 1), (0, 3), (1, 0), (2, 2), (2, 6)):
        labels[row, column] = (3 * row + column) % VOCABULARY
    return Batch(torch.ones_like(mask), mask, labels, progress)


def random_outputs(facts: NetworkFacts, batch: Batch, seed: int, projected: Tokens = "real_tokens") -> Outputs:
    """Hidden states, attention and logits of a network of these facts; all require gradients."""
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator).requires_grad_()

    count, length = batch.attention_mask.shape
    heads = HEADS[facts.hidden_size]
    head = torch.randn(facts.hidden_size, VOCABULARY, generator=generator)
    shape = (count, heads, length, facts.hidden_size // heads)
    attention = {layer: Attention(*(draw(*shape) for _ in range(3))) for layer in range(facts.layers)}
    hidden = {layer: draw(count, length, facts.hidden_size) for layer in range(-1, facts.layers)}
    return Outputs(hidden, attention, lambda states: states @ head, projected, batch, facts.layers - 1)
