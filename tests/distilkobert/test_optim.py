"""Parameter groups and the learning-rate course, against hand-worked values."""

import math

import pytest
import torch
from torch import nn

from distilkobert.optim import (
    OptimizerSpec,
    apply_schedule,
    build_optimizer,
    build_schedule,
    parameter_groups,
    schedule_factor,
)


def test_linear_course_by_hand() -> None:
    factors = [schedule_factor(step, total_steps=10, warmup=0.2, schedule="linear") for step in range(11)]
    assert factors == [0, 0.5, 1, 7 / 8, 6 / 8, 5 / 8, 4 / 8, 3 / 8, 2 / 8, 1 / 8, 0]


def test_constant_course_and_no_warmup() -> None:
    assert [schedule_factor(s, total_steps=4, warmup=0.0, schedule="constant") for s in range(5)] == [1.0] * 5
    assert schedule_factor(0, total_steps=4, warmup=0.0, schedule="linear") == 1.0


def test_warmup_rounds_up() -> None:
    assert [schedule_factor(s, total_steps=10, warmup=0.05, schedule="constant") for s in range(3)] == [0, 1, 1]


def test_a_second_warmup_climbs_back_to_the_course_by_hand() -> None:
    factors = [
        schedule_factor(step, total_steps=10, warmup=0.2, schedule="linear", second_warmup=4) for step in range(11)
    ]
    assert factors == [0, 0.5, 1, 7 / 8, 0, 5 / 8 * 0.5, 4 / 8, 3 / 8, 2 / 8, 1 / 8, 0]
    spec = {"total_steps": 10, "warmup": 0.0, "schedule": "linear"}
    assert [schedule_factor(s, **spec, second_warmup=4) for s in range(11)] == [
        schedule_factor(s, **spec) for s in range(11)
    ]


def test_the_schedule_drives_the_optimizer() -> None:
    spec = OptimizerSpec(lr=0.1, warmup=0.5, betas=(0.8, 0.9), eps=1e-3)
    optimizer = build_optimizer([nn.Linear(2, 2)], spec)
    schedule = build_schedule(optimizer, spec, total_steps=4)
    rates = []
    for _ in range(4):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    assert rates == pytest.approx([0.0, 0.05, 0.1, 0.05])
    assert optimizer.defaults["betas"] == (0.8, 0.9)
    assert optimizer.defaults["eps"] == 1e-3


def test_a_run_that_goes_on_takes_the_rate_of_the_new_length_from_its_first_step() -> None:
    """After 4 of 4 steps the rate is 0; in a course of 8 steps it is half the peak there."""
    spec = OptimizerSpec(lr=0.1, warmup=0.0)
    states = []
    for total in (4, 8):
        optimizer = build_optimizer([nn.Linear(2, 2)], spec)
        schedule = build_schedule(optimizer, spec, total_steps=total)
        if states:
            optimizer.load_state_dict(states[0])
            schedule.load_state_dict(states[1])
            assert [group["lr"] for group in optimizer.param_groups] == [0.0, 0.0]
            apply_schedule(schedule)
            assert [group["lr"] for group in optimizer.param_groups] == [0.05, 0.05]
        for _ in range(4):
            optimizer.step()
            schedule.step()
            rate = optimizer.param_groups[0]["lr"]
            apply_schedule(schedule)
            assert optimizer.param_groups[0]["lr"] == rate
        states = [optimizer.state_dict(), schedule.state_dict()]


def test_only_matrices_decay_and_frozen_weights_are_left_out() -> None:
    model = nn.Sequential(nn.Embedding(3, 4), nn.Linear(4, 4), nn.LayerNorm(4))
    model[0].weight.requires_grad_(False)
    decaying, others = parameter_groups(model, weight_decay=0.01)
    assert [p is model[1].weight for p in decaying["params"]] == [True]
    assert decaying["weight_decay"] == 0.01
    assert {id(p) for p in others["params"]} == {id(model[1].bias), id(model[2].weight), id(model[2].bias)}
    assert others["weight_decay"] == 0.0


def test_one_step_moves_by_the_learning_rate() -> None:
    """AdamW's first step is lr * sign(gradient) where the gradient is far above eps."""
    layer = nn.Linear(1, 1, bias=False)
    before = layer.weight.item()
    optimizer = build_optimizer([layer], OptimizerSpec(lr=0.25))
    layer(torch.ones(1, 1)).sum().backward()
    optimizer.step()
    assert layer.weight.item() == pytest.approx(before - 0.25, abs=1e-5)


def test_weights_decay_by_rate_times_decay_and_biases_do_not() -> None:
    layer = nn.Linear(2, 2)
    before = {name: value.clone() for name, value in layer.state_dict().items()}
    optimizer = build_optimizer([layer], OptimizerSpec(lr=0.1, weight_decay=0.5))
    for parameter in layer.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    torch.testing.assert_close(layer.weight.detach(), (1 - 0.1 * 0.5) * before["weight"])
    assert torch.equal(layer.bias, before["bias"])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"lr": 0.0}, "optimizer.lr=0.0"),
        ({"betas": (0.9, 1.0)}, r"optimizer.betas=\(0.9, 1.0\)"),
        ({"eps": 0.0}, "optimizer.eps"),
        ({"weight_decay": -1.0}, "optimizer.weight_decay"),
        ({"warmup": 5.0}, "optimizer.warmup=5.0"),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        OptimizerSpec(**settings)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["eps", "weight_decay"])
@pytest.mark.parametrize("value", [math.inf, math.nan, -1.0])
def test_numbers_that_spoil_every_weight_are_refused(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=rf"optimizer\.{name}={value}: must be a finite number"):
        OptimizerSpec(**{name: value})  # type: ignore[arg-type]
