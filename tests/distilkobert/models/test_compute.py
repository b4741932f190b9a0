"""Compilation, gradient checkpointing and the fused optimizer change speed and memory, not what is learnt."""

import copy
import shutil
from dataclasses import replace

import pytest
import torch
from torch import nn
from torch._dynamo.utils import counters

from distilkobert.models.compute import ComputeSpec
from distilkobert.models.teachers import EncoderSpec
from distilkobert.optim import OptimizerSpec, build_optimizer
from experiments.bench.steps.distilling import Distilling, Option, make_batch, make_module, with_positions
from tests.support.networks.encoders import tiny_encoder

DISTILLING = Distilling(EncoderSpec(3, 16, 2, 24, dropout=0.0), (0, 2), 60, 4, 16)


def learnt(option: Option | None) -> tuple[list[float], list[torch.Tensor]]:
    """Losses of three steps, and the weights behind them."""
    module, batch = make_module(DISTILLING, option), make_batch(DISTILLING)
    optimizer = build_optimizer(module.learning(), module.optimizer_spec)
    losses = []
    for _ in range(3):
        optimizer.zero_grad()
        loss = module.training_step(batch, 0)["loss"]
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses, [parameter.detach() for parameter in module.network.parameters()]


@pytest.mark.parametrize(
    "option",
    [
        "gradient_checkpointing",
        "fused",
        pytest.param(
            "compile",
            marks=[
                pytest.mark.slow,
                pytest.mark.skipif(shutil.which("g++") is None, reason="needs a C++ compiler"),
            ],
        ),
    ],
)
def test_the_same_is_learnt(option: Option) -> None:
    (losses, weights), (plain_losses, plain_weights) = learnt(option), learnt(None)
    assert losses == pytest.approx(plain_losses, rel=1e-5)
    assert losses[0] != losses[-1]
    for mine, its in zip(weights, plain_weights, strict=True):
        torch.testing.assert_close(mine, its, rtol=1e-3, atol=2e-5)


def test_options_are_applied() -> None:
    module = make_module(DISTILLING, "gradient_checkpointing")
    assert module.network.is_gradient_checkpointing
    assert not module.teacher_run.model.is_gradient_checkpointing
    layers = [OptimizerSpec(fused=fused) for fused in (False, True)]
    fused = [build_optimizer([nn.Linear(2, 2)], spec).defaults["fused"] for spec in layers]
    assert fused == [None, True]


def test_a_network_that_knows_no_checkpointing_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    model = copy.deepcopy(tiny_encoder("bert"))
    monkeypatch.setattr(type(model), "supports_gradient_checkpointing", False)
    with pytest.raises(ValueError, match=r"compute.gradient_checkpointing: BertForMaskedLM does not support it"):
        ComputeSpec(gradient_checkpointing=True).apply(model)


@pytest.mark.slow
def test_lengths_are_compiled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two graphs a network, with padding and without, for any number of rows and lengths; counted without a C++ one."""
    original = nn.Module.compile
    monkeypatch.setattr(nn.Module, "compile", lambda self, **options: original(self, backend="eager", **options))
    torch._dynamo.reset()
    counters["stats"].clear()
    module = make_module(DISTILLING, "compile")
    for rows, length in ((4, 16), (3, 12), (5, 14), (2, 9)):
        batch = make_batch(replace(DISTILLING, batch=rows, length=length))
        for mask in (batch["attention_mask"], torch.ones_like(batch["attention_mask"])):
            module.training_step(with_positions({**batch, "attention_mask": mask}), 0)["loss"].backward()
    assert counters["stats"]["unique_graphs"] == 4
    assert not counters["graph_break"]
