"""What a training step computes, in floating point operations, and what this machine's matrix products reach.

A product of (m, k) and (k, n) counts 2 m n k operations. Counted are the linear maps and the two products of attention;
the vocabulary head at the tokens it is computed for. A network that learns counts three times, as its backward pass has
twice the work of its forward pass. Norms, activations, softmax and the optimizer are left out.
"""

from dataclasses import dataclass
from functools import partial

from distilkobert.models.teachers import EncoderSpec
from experiments.bench.timing.turns import Clock, seconds_of


@dataclass(frozen=True)
class Shape:
    """What a step reads.

    Args:
        rows: sequences.
        length: tokens in a row, padding included: linear maps are computed for it too.
        projected: tokens whose logits are made.
        vocab_size: pieces.
    """

    rows: int
    length: int
    projected: int
    vocab_size: int


def encoder_flops(encoder: EncoderSpec, rows: int, length: int) -> float:
    """One forward pass of the layers."""
    width, inner = encoder.hidden_size, encoder.intermediate_size
    maps = 2 * (4 * width * width + 2 * width * inner)
    attention = 2 * 2 * length * width
    return float(encoder.layers * rows * length * (maps + attention))


def head_flops(width: int, projected: int, vocab_size: int) -> float:
    """One forward pass of a masked-LM head: a square map, then the vocabulary."""
    return 2.0 * projected * width * (width + vocab_size)


def distillation_flops(teacher: EncoderSpec, student: EncoderSpec, shape: Shape) -> float:
    """A distillation step: the teacher forward, the student forward and backward, each with its head."""
    parts = [(teacher, 1), (student, 3)]
    return sum(times * _network(spec, shape) for spec, times in parts)


def masked_lm_flops(encoder: EncoderSpec, shape: Shape) -> float:
    """A masked-LM step of one network."""
    return 3 * _network(encoder, shape)


def _network(encoder: EncoderSpec, shape: Shape) -> float:
    head = head_flops(encoder.hidden_size, shape.projected, shape.vocab_size)
    return encoder_flops(encoder, shape.rows, shape.length) + head


def matrix_peak(clock: Clock, size: int = 1536, rounds: int = 5) -> float:
    """Operations a second of torch's float32 matrix products with the threads that it has: the best of some rounds."""
    import torch

    one, other = torch.randn(size, size), torch.randn(size, size)
    product = partial(torch.mm, one, other, out=torch.empty_like(one))
    return 2.0 * size**3 / min(seconds_of(product, clock) for _ in range(rounds + 1))
