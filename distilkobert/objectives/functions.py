"""The three distillation losses of DistilBERT, as pure functions.

Shapes: B batch, T tokens, V vocabulary, H hidden, N selected tokens. Every function takes tensors whose leading
dimensions are free (`(B, T, V)`, or `(N, V)` of selected tokens); means run over all of them, in float32 whatever the
inputs' type. No token gives 0 with a gradient of 0, so that a rank without any masked token does not poison the others
with NaN.

Source of the objective: Sanh et al., 2019, arXiv:1910.01108, section 2; DistilKoBERT weighs each term by 0.33 at T=2.
"""

import math
from collections.abc import Callable
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from distilkobert.batching import IGNORE_INDEX


def _rows(values: Tensor) -> Tensor:
    """`values` (..., D) as float32 (N, D)."""
    return values.reshape(-1, values.shape[-1]).float()


def soft_target_loss(student_logits: Tensor, teacher_logits: Tensor, *, temperature: float) -> Tensor:
    """KL(teacher || student) of the distributions softened by T, times T squared, mean over tokens.

    Args:
        student_logits: (..., V).
        teacher_logits: (..., V), no gradient flows into it when it carries none.
        temperature: T above 0; the factor T squared keeps gradients of one size over T (Hinton et al., 2015).

    Returns:
        Scalar, in nats.
    """
    student = F.log_softmax(_rows(student_logits) / temperature, dim=-1)
    teacher = F.log_softmax(_rows(teacher_logits) / temperature, dim=-1)
    total = F.kl_div(student, teacher, reduction="sum", log_target=True)
    return total * (temperature**2 / max(len(student), 1))


def soft_target_loss_in_parts(
    student_hidden: Tensor,
    teacher_hidden: Tensor,
    student_head: Callable[[Tensor], Tensor],
    teacher_head: Callable[[Tensor], Tensor],
    *,
    temperature: float,
    rows: int,
) -> Tensor:
    """As `soft_target_loss` of the two heads' logits, which are computed for `rows` tokens at a time and not kept.

    The backward pass makes each part's logits again. That costs one more pass through both heads, and keeps memory at
    `rows` times V instead of N times V, several times over.

    Args:
        student_hidden: (N, H).
        teacher_hidden: (N, H) of the teacher's width.
        student_head: gives logits (n, V) of (n, H).
        teacher_head: likewise; no gradient flows into it.
        temperature: T above 0.
        rows: tokens at a time.

    Returns:
        Scalar, in nats.
    """

    def part(student: Tensor, teacher: Tensor) -> Tensor:
        with torch.no_grad():
            target = F.log_softmax(teacher_head(teacher).float() / temperature, dim=-1)
        given = F.log_softmax(student_head(student).float() / temperature, dim=-1)
        return F.kl_div(given, target, reduction="sum", log_target=True)

    total = student_hidden.new_zeros((), dtype=torch.float32)
    for student, teacher in zip(torch.split(student_hidden, rows), torch.split(teacher_hidden, rows), strict=True):
        total = total + checkpoint(part, student, teacher, use_reentrant=False, preserve_rng_state=False)
    return total * (temperature**2 / max(len(student_hidden), 1))


WORSE_THAN_GUESSING: Final = 1.5
"""Times the value of an untrained network: more than any start has."""


def masked_lm_band(vocab_size: int, random_weights: bool) -> tuple[float, float]:
    """Lowest and highest masked-LM loss that is plausible before the first step, in nats.

    Args:
        vocab_size: V; untrained weights have ln V.
        random_weights: such weights, so that much less than ln V means that the input shows what is masked.
    """
    guessing = math.log(vocab_size)
    return 0.8 * guessing if random_weights else 0.0, WORSE_THAN_GUESSING * guessing


def masked_lm_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy of the true pieces at the masked tokens, mean over those tokens.

    Args:
        logits: (..., V).
        labels: (...) true ids, `IGNORE_INDEX` where a token is not masked.

    Returns:
        Scalar, in nats.
    """
    labels = labels.flatten()
    total = F.cross_entropy(_rows(logits), labels, ignore_index=IGNORE_INDEX, reduction="sum")
    return total / (labels != IGNORE_INDEX).sum().clamp(min=1)  # not a Python number: that would wait for the device


def cosine_hidden_loss(student_hidden: Tensor, teacher_hidden: Tensor) -> Tensor:
    """One minus the cosine between student and teacher hidden states, mean over tokens.

    Args:
        student_hidden: (..., H).
        teacher_hidden: (..., H), the same width.

    Returns:
        Scalar between 0 and 2.

    Raises:
        ValueError: the two widths differ.
    """
    if student_hidden.shape != teacher_hidden.shape:
        raise ValueError(
            f"cosine loss needs equal shapes, got student {tuple(student_hidden.shape)} and "
            f"teacher {tuple(teacher_hidden.shape)}"
        )
    similarity = torch.cosine_similarity(_rows(student_hidden), _rows(teacher_hidden), dim=-1)
    return (1.0 - similarity).sum() / max(len(similarity), 1)
