"""The three distillation losses of DistilBERT, as pure functions.

Shapes: B batch, T tokens, V vocabulary, H hidden, N selected tokens. Every function takes tensors whose leading
dimensions are free (`(B, T, V)` or an already selected `(N, V)`) and an optional boolean mask over those leading
dimensions; means run over the selected tokens only, in float32 whatever the inputs' type. A selection of no token
gives 0 with a gradient of 0, so that a rank without any masked token does not poison the others with NaN.

Source of the objective: Sanh et al., 2019, arXiv:1910.01108, section 2; DistilKoBERT weighs each term by 0.33 at T=2.
"""

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from distilkobert.batching import IGNORE_INDEX


@dataclass(frozen=True)
class DistillationLosses:
    """Weights and settings of the three loss terms; a term of weight 0 is not computed at all.

    Args:
        soft_target: weight of the KL divergence from the teacher's softened distribution (0.33: DistilKoBERT).
        masked_lm: weight of the cross-entropy on the masked tokens (0.33: DistilKoBERT).
        cosine: weight of the cosine distance between last hidden states (0.33: DistilKoBERT).
        temperature: softening T of both distributions (2.0: DistilKoBERT and DistilBERT).
        soft_target_on: tokens the soft-target term looks at, every real token or the masked ones only.
    """

    soft_target: float = 0.33
    masked_lm: float = 0.33
    cosine: float = 0.33
    temperature: float = 2.0
    soft_target_on: Literal["real_tokens", "masked_tokens"] = "real_tokens"

    def __post_init__(self) -> None:
        for name, weight in self._all_weights.items():
            if not 0.0 <= weight < float("inf"):
                raise ValueError(f"losses.{name}={weight}: a loss weight must be a finite number of 0 or more")
        if not self.weights:
            raise ValueError(
                "losses: all weights are 0, so nothing would be learnt; give at least one a positive weight"
            )
        if not 0.0 < self.temperature < float("inf"):
            raise ValueError(f"losses.temperature={self.temperature}: the temperature must be a finite number above 0")

    @property
    def weights(self) -> dict[str, float]:
        """Weights of the terms that are computed, by name."""
        return {name: weight for name, weight in self._all_weights.items() if weight}

    @property
    def _all_weights(self) -> dict[str, float]:
        return {"soft_target": self.soft_target, "masked_lm": self.masked_lm, "cosine": self.cosine}

    @property
    def needs_teacher(self) -> bool:
        """Whether any term compares with the teacher, so that its forward pass is needed for training."""
        return self.soft_target > 0 or self.cosine > 0


def _select(values: Tensor, mask: Tensor | None) -> Tensor:
    """Rows of `values` (..., D) where `mask` (...) is true, as float32 (N, D)."""
    if mask is None:
        return values.reshape(-1, values.shape[-1]).float()
    if mask.shape != values.shape[:-1]:
        raise ValueError(f"mask of shape {tuple(mask.shape)} does not fit values of shape {tuple(values.shape)}")
    return values[mask.bool()].float()


def soft_target_loss(
    student_logits: Tensor, teacher_logits: Tensor, *, temperature: float, mask: Tensor | None = None
) -> Tensor:
    """KL(teacher || student) of the distributions softened by T, times T squared, mean over tokens.

    Args:
        student_logits: (..., V).
        teacher_logits: (..., V), no gradient flows into it when it carries none.
        temperature: T above 0; the factor T squared keeps gradients of one size over T (Hinton et al., 2015).
        mask: (...) boolean, true at the tokens to count; None counts all.

    Returns:
        Scalar, in nats.
    """
    student = F.log_softmax(_select(student_logits, mask) / temperature, dim=-1)
    teacher = F.log_softmax(_select(teacher_logits, mask) / temperature, dim=-1)
    total = F.kl_div(student, teacher, reduction="sum", log_target=True)
    return total * (temperature**2 / max(len(student), 1))


def masked_lm_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy of the true pieces at the masked tokens, mean over those tokens.

    Args:
        logits: (..., V).
        labels: (...) true ids, `IGNORE_INDEX` where a token is not masked.

    Returns:
        Scalar, in nats.
    """
    selected = _select(logits, labels != IGNORE_INDEX)
    total = F.cross_entropy(selected, labels[labels != IGNORE_INDEX], reduction="sum")
    return total / max(len(selected), 1)


def cosine_hidden_loss(student_hidden: Tensor, teacher_hidden: Tensor, *, mask: Tensor | None = None) -> Tensor:
    """One minus the cosine between student and teacher hidden states, mean over tokens.

    Args:
        student_hidden: (..., H).
        teacher_hidden: (..., H), the same width.
        mask: (...) boolean, true at the tokens to count; None counts all.

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
    similarity = torch.cosine_similarity(_select(student_hidden, mask), _select(teacher_hidden, mask), dim=-1)
    return (1.0 - similarity).sum() / max(len(similarity), 1)
