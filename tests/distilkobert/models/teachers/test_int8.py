"""Linear maps in int8: against integers of NumPy, in every family, and in a distillation."""

import copy

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import nn

from distilkobert.models.capture import Capture
from distilkobert.models.compute import ComputeSpec
from distilkobert.models.families import FAMILIES
from distilkobert.models.heads import encode
from distilkobert.models.teachers import EncoderSpec
from distilkobert.models.teachers.int8 import Int8Linear, input_limit, quantize_layers
from distilkobert.objectives import MaskedLM
from experiments.bench.steps.distilling import Distilling, make_batch, make_module
from lightning_modules import Distillation
from tests.support.networks.encoders import FAMILY_NAMES, tiny_encoder

Floats = npt.NDArray[np.float64]


def naive(inputs: Floats, weight: Floats, bias: Floats, limit: int) -> Floats:
    """One output after the other, in whole numbers."""
    outputs = np.zeros((len(inputs), len(weight)))
    for token, row in enumerate(inputs):
        scale = max(abs(value) for value in row) / limit or 1.0
        whole = [int(np.floor(value / scale + 0.5)) for value in row]
        for unit, column in enumerate(weight):
            its = max(abs(value) for value in column) / 127 or 1.0
            product = sum(value * int(np.rint(number / its)) for value, number in zip(whole, column, strict=True))
            outputs[token, unit] = product * scale * its + bias[unit]
    return outputs


@pytest.mark.parametrize("limit", [127, 63])
@pytest.mark.parametrize("with_bias", [True, False])
def test_it_is_arithmetic_of_whole_numbers(limit: int, with_bias: bool) -> None:
    if limit > input_limit():
        pytest.skip("sums of two products saturate on this processor, so inputs are rounded to 63 steps")
    torch.manual_seed(0)
    linear = nn.Linear(24, 10, bias=with_bias)
    linear.weight.data[3] = 0.0
    inputs = torch.randn(2, 6, 24) * torch.tensor([1.0, 30.0, 0.01, 1.0, 5.0, 0.0])[:, None]  # tokens of unlike sizes
    found = Int8Linear(linear, limit)(inputs)
    bias = linear.bias.detach() if with_bias else torch.zeros(10)
    expected = naive(*(t.detach().double().numpy() for t in (inputs.flatten(0, 1), linear.weight, bias)), limit)
    # A value in the middle of two whole numbers may be rounded either way in float32: one step of one product.
    steps = (inputs.flatten(0, 1).abs().amax(-1) / limit)[:, None] * linear.weight.abs().amax(-1)
    difference = (found.flatten(0, 1).double() - torch.from_numpy(expected)).abs()
    assert (difference <= 1.01 * steps + 1e-5).all()
    assert (difference > 1e-5 * (1 + torch.from_numpy(expected).abs())).float().mean() < 0.1
    error = (found - linear(inputs)).norm() / linear(inputs).norm()
    assert 1e-4 < error < 0.02 * 127 / limit
    assert Int8Linear(linear, limit)(inputs.bfloat16()).dtype == torch.bfloat16


def test_the_largest_inputs_do_not_saturate() -> None:
    limit = input_limit()
    assert limit in (127, 63)
    linear = nn.Linear(256, 8)
    nn.init.constant_(linear.weight, 1.0)
    nn.init.zeros_(linear.bias)
    torch.testing.assert_close(Int8Linear(linear, limit)(torch.ones(3, 256)), torch.full((3, 8), 256.0))


@pytest.mark.parametrize("family", FAMILY_NAMES)
def test_every_family_gives_nearly_its_states(family: str) -> None:
    model = tiny_encoder(family).eval().requires_grad_(False)
    quantized = copy.deepcopy(model)
    outside = {name: p.clone() for name, p in model.named_parameters() if FAMILIES[family].layers not in name}
    assert quantize_layers(quantized) >= 4
    assert not any(
        isinstance(m, nn.Linear)
        for m in quantized.get_submodule(model.base_model_prefix + "." + FAMILIES[family].layers).modules()
    )
    after = dict(quantized.named_parameters())
    assert all(torch.equal(after[name], value) for name, value in outside.items())
    ids = torch.tensor([[2, 7, 9, 30, 4, 3], [2, 8, 5, 3, 1, 1]])
    mask = (ids != 1).long()
    exact, near = encode(model, ids, mask), encode(quantized, ids, mask)
    assert not torch.equal(exact, near)
    likeness = torch.nn.functional.cosine_similarity(exact[mask == 1], near[mask == 1], dim=-1)
    assert likeness.min() > 0.995
    if FAMILIES[family].attention:
        with Capture(quantized, hidden=[0], projections=[1]) as kept:
            encode(quantized, ids, mask)
        assert set(kept.projections) == {1}
        assert set(kept.hidden) == {0}


def test_another_device_is_refused() -> None:
    with pytest.raises(
        ValueError, match="int8 runs on a CPU only, but the network is on meta; use float32 or bfloat16"
    ):
        quantize_layers(tiny_encoder("bert").to("meta"))


DISTILLING = Distilling(EncoderSpec(3, 32, 2, 64, dropout=0.0), (0, 2), 60, 4, 16)


@pytest.mark.parametrize("autocast", [False, True])
def test_a_student_learns_nearly_the_same(autocast: bool) -> None:
    losses = []
    for option in (None, "int8_teacher"):
        module = make_module(DISTILLING, option)  # type: ignore[arg-type]
        with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
            losses.append(module.training_step(make_batch(DISTILLING), 0)["terms"])
    assert isinstance(module.teacher_run.model.bert.encoder.layer[0].output.dense, Int8Linear)  # type: ignore[union-attr]
    assert isinstance(module.network, nn.Module)
    assert not any(isinstance(part, Int8Linear) for part in module.modules())  # the student, and what is saved
    exact, near = losses
    assert float(near["masked_lm"]) == float(exact["masked_lm"])
    for name in ("soft_target", "cosine"):
        assert float(near[name]) != float(exact[name])
        assert float(near[name]) == pytest.approx(float(exact[name]), rel=0.05)


def test_compilation_is_refused() -> None:
    with pytest.raises(ValueError, match=r"teacher_dtype is int8 and compute\.compile is on, which is unsupported"):
        Distillation("t", {"masked_lm": MaskedLM()}, teacher_dtype="int8", compute=ComputeSpec(compile=True))
