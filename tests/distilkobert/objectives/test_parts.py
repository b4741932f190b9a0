"""Soft targets in parts equal those of all tokens at once, and hold no more logits than asked for."""

import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from distilkobert.models.teachers import EncoderSpec
from distilkobert.objectives import SoftTargets
from distilkobert.objectives.functions import soft_target_loss, soft_target_loss_in_parts
from experiments.bench.steps.distilling import Distilling, make_batch, make_module

N, H, V = 23, 3, 40


class Largest(TorchDispatchMode):
    """The most rows of any tensor whose last dimension is the vocabulary."""

    rows = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        found = func(*args, **(kwargs or {}))
        for one in found if isinstance(found, (tuple, list)) else (found,):
            if isinstance(one, torch.Tensor) and one.ndim and one.shape[-1] == V:
                self.rows = max(self.rows, one.numel() // V)
        return found


@pytest.mark.parametrize("rows", [1, 5, 23, 100])
@pytest.mark.parametrize("temperature", [1.0, 3.0])
def test_loss_and_gradients_are_those_of_all_at_once(rows: int, temperature: float) -> None:
    torch.manual_seed(rows)
    head, other = nn.Linear(H, V), nn.Linear(8, V).requires_grad_(False)
    hidden, targets = torch.randn(N, H, requires_grad=True), torch.randn(N, 8)

    def gradients(loss: torch.Tensor) -> list[torch.Tensor]:
        return list(torch.autograd.grad(loss, [hidden, *head.parameters()]))

    whole = soft_target_loss(head(hidden), other(targets), temperature=temperature)
    parts = soft_target_loss_in_parts(hidden, targets, head, other, temperature=temperature, rows=rows)
    torch.testing.assert_close(parts, whole)
    for mine, its in zip(gradients(parts), gradients(whole), strict=True):
        torch.testing.assert_close(mine, its, rtol=1e-4, atol=1e-6)


def test_no_more_logits_exist_than_asked_for() -> None:
    head, other = nn.Linear(H, V, bias=False), nn.Linear(H, V, bias=False)
    hidden = torch.randn(N, H, requires_grad=True)
    with Largest() as watch:
        soft_target_loss_in_parts(hidden, torch.randn(N, H), head, other, temperature=2.0, rows=4).backward()
    assert watch.rows == 4


def test_no_token_gives_0_with_a_gradient_of_0() -> None:
    hidden = torch.randn(0, H, requires_grad=True)
    loss = soft_target_loss_in_parts(hidden, hidden.detach(), nn.Linear(H, V), nn.Linear(H, V), temperature=2.0, rows=4)
    assert loss.item() == 0.0
    loss.backward()


@pytest.mark.parametrize("on", ["real_tokens", "masked_tokens"])
def test_a_distillation_learns_the_same(on: str) -> None:
    distilling = Distilling(EncoderSpec(3, 16, 2, 24, dropout=0.0), (0, 2), 60, 4, 16)
    batch, totals, norms = make_batch(distilling), [], []
    for option in (None, "soft_targets_in_parts"):
        module = make_module(distilling, option)
        soft = dict(module.objectives.items())["soft_target"]
        assert isinstance(soft, SoftTargets)
        soft.on, soft.rows = on, 7 if option else None
        loss = module.training_step(batch, 0)["loss"]
        loss.backward()
        totals.append(loss.item())
        norms.append(nn.utils.get_total_norm([p.grad for p in module.parameters() if p.grad is not None]).item())
    assert totals[1] == pytest.approx(totals[0], rel=1e-5)
    assert norms[1] == pytest.approx(norms[0], rel=1e-4)


def test_rows_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match=r"SoftTargets.rows=0: expected 1 or more, or none for all at once"):
        SoftTargets(rows=0)
