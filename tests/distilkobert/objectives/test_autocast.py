"""Losses are in float32 under autocast too: equal, bit for bit, to those without it of the same bf16 inputs."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from distilkobert.models.capture import Capture
from distilkobert.models.heads import encode
from distilkobert.models.teachers.loading import EncoderSpec, build_encoder
from distilkobert.objectives.attention_transfer import (
    attention_distributions_loss,
    attention_scores,
    attention_scores_loss,
)
from distilkobert.objectives.contract.outputs import Attention
from distilkobert.objectives.functions import cosine_hidden_loss, masked_lm_loss, soft_target_loss
from distilkobert.objectives.hidden_mse import hidden_mse_loss
from distilkobert.objectives.logits_mse import logits_mse_loss
from distilkobert.objectives.relation_transfer import relation_loss

B, A, T, D = 2, 3, 7, 16
MASK = torch.ones(B, T, dtype=torch.bool)


def attentions(student: Tensor, teacher: Tensor) -> tuple[Attention, Attention]:
    return Attention(student, teacher, student), Attention(teacher, student, teacher)


LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "attention scores": lambda s, t: attention_scores_loss(*attentions(s, t), MASK),
    "attention distributions": lambda s, t: attention_distributions_loss(*attentions(s, t), MASK),
    "relations": lambda s, t: relation_loss(s, t, MASK, 6),
    "soft targets": lambda s, t: soft_target_loss(s, t, temperature=2.0),
    "masked LM": lambda s, _: masked_lm_loss(s, torch.arange(B * A * T) % D),
    "cosine": cosine_hidden_loss,
    "hidden MSE": hidden_mse_loss,
    "logits MSE": logits_mse_loss,
}


@pytest.mark.parametrize("name", LOSSES)
def test_losses_do_not_depend_on_autocast(name: str) -> None:
    torch.manual_seed(3)
    student, teacher = (torch.randn(B, A, T, D).bfloat16() for _ in range(2))
    expected = LOSSES[name](student.float(), teacher.float())
    with torch.autocast("cpu", torch.bfloat16):
        found = LOSSES[name](student, teacher)
    assert found.dtype is torch.float32
    assert found.item() == expected.item() > 0


def test_scores_of_a_network_in_bf16_are_float32() -> None:
    torch.manual_seed(0)
    network = build_encoder(EncoderSpec(2, 16, 2, 24, dropout=0.0), vocab_size=50, pad_token_id=1)
    with Capture(network, projections=[1]) as kept, torch.autocast("cpu", torch.bfloat16):
        encode(network, torch.randint(5, 50, (B, T)), None)
        found = attention_scores(kept.projections[1].query, kept.projections[1].key)
    query, key = kept.projections[1].query, kept.projections[1].key
    assert query.dtype is key.dtype is torch.bfloat16
    assert found.dtype is torch.float32
    expected = torch.einsum("bhid,bhjd->bhij", query.double(), key.double()) / 8**0.5
    torch.testing.assert_close(found.double(), expected, rtol=1e-5, atol=1e-6)
    assert not torch.equal(found, found.bfloat16().float())
