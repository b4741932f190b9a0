"""What `bench gpu` computes from the seconds of a step, without a CUDA device."""

from typing import Any

import pytest
import torch
from jsonargparse import Namespace

from distilkobert.models.teachers import EncoderSpec
from experiments.bench.steps import gpu
from experiments.bench.steps.distil import NAIVE, OURS
from experiments.bench.steps.distilling import Distilling, make_batch
from experiments.bench.steps.flops import Shape, distillation_flops
from experiments.bench.timing.turns import Turns


def test_speed_and_share_of_the_peak_are_of_the_median_step(monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, Any] = {
        "is_available": True, "get_device_name": "NVIDIA H100 80GB HBM3", "max_memory_allocated": 3_000_000,
    }  # fmt: skip
    for name, value in given.items():
        monkeypatch.setattr(torch.cuda, name, lambda value=value: value)
    monkeypatch.setattr(gpu, "make_ways", lambda what, batch, device: {})
    seconds = {OURS: [2.0, 1.0, 9.0], NAIVE: [6.0, 3.0, 27.0]}
    monkeypatch.setattr(gpu, "take_turns", lambda ways, rounds: Turns(seconds))
    found = gpu.main(Namespace(vocab_size=100, batch=4, length=16, rounds=3, peak_tflops=0.0))
    tokens = int(make_batch(Distilling(vocab_size=100, batch=4, length=16))["attention_mask"].sum())
    operations = distillation_flops(EncoderSpec(), EncoderSpec(layers=3), Shape(4, 16, tokens, 100))
    assert found["mfu"] == pytest.approx(operations / 2.0 / 989e12)
    assert found["tokens_per_s"] == pytest.approx(tokens / 2.0)
    assert found["peak_memory_mb"] == 3.0
    assert found["ways"][OURS][f"times_faster_than_{NAIVE}"][1] == pytest.approx(3.0)
