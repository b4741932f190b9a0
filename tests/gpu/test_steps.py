"""Steps on a CUDA device: as on the CPU, in both half formats, and never waited for. Skipped where there is none."""

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from distilkobert.models.checkpoints import read_checkpoint
from distilkobert.models.teachers import EncoderSpec
from experiments.bench.steps.distil import make_ways, step_of
from experiments.bench.steps.distilling import Distilling, make_batch, make_module, with_positions
from tests.integration.devices.test_as_on_a_gpu import scaled, weights
from tests.world import Run, World, scalars

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device here"),
]

WHAT = Distilling(EncoderSpec(4, 64, 4, 128, dropout=0.0), (0, 2), 500, batch=8, length=32)


def on_device() -> tuple[Any, dict[str, torch.Tensor]]:
    module = make_module(WHAT).to("cuda")
    module.teacher_run.model.to("cuda")
    return module, {name: value.to("cuda") for name, value in with_positions(make_batch(WHAT)).items()}


def test_loss_and_gradients_are_those_of_the_cpu() -> None:
    cpu, batch = make_module(WHAT), with_positions(make_batch(WHAT))
    module, given = on_device()
    module.network.load_state_dict(copy.deepcopy(cpu.network.state_dict()))
    losses = []
    for one, inputs in ((cpu, batch), (module, given)):
        loss = one.training_step(inputs, 0)["loss"]
        loss.backward()
        losses.append(loss.item())
    assert losses[1] == pytest.approx(losses[0], rel=1e-4)
    for mine, its in zip(module.network.parameters(), cpu.network.parameters(), strict=True):
        if its.grad is not None:
            torch.testing.assert_close(mine.grad.cpu(), its.grad, rtol=1e-2, atol=1e-4)


def test_bf16_is_near_float32() -> None:
    module, batch = on_device()
    plain = module.training_step(batch, 0)["loss"].item()
    with torch.autocast("cuda", torch.bfloat16):
        half = module.training_step(batch, 0)["loss"].item()
    assert half == pytest.approx(plain, rel=0.03)


def test_a_step_waits_for_nothing() -> None:
    """Torch raises at the first call that would wait; the first step, which makes workspaces, is left out."""
    module, batch = on_device()
    step = step_of(module, batch)
    step()
    torch.cuda.set_sync_debug_mode("error")
    try:
        step()
    finally:
        torch.cuda.set_sync_debug_mode("default")


def test_all_ways_of_the_benchmark_run() -> None:
    what = replace(WHAT, options=("fused", "bf16_teacher", "gradient_checkpointing", "soft_targets_in_parts"))
    for way in make_ways(what, make_batch(what), "cuda").values():
        way()


@pytest.mark.parametrize("precision", ["bf16-mixed", "16-mixed"])
@pytest.mark.parametrize("fused", ["false", "true"])
def test_a_run_resumes_as_it_was(precision: str, fused: str, world: World, run: Run, tmp_path: Path) -> None:
    """The scaler's state goes along: a run of six steps, and one of three that goes on, draw the same curve.

    The learning rate is constant: under a schedule the first three steps of a shorter run are others.
    """
    steady = ["--model.optimizer.schedule=constant", "--model.optimizer.warmup=0", f"--model.optimizer.fused={fused}"]
    options = ["--trainer.accelerator=gpu", f"--trainer.precision={precision}", "--trainer.val_check_interval=3"]
    run("fit", world.distil(tmp_path / "whole", *options, *steady))
    run("fit", world.distil(tmp_path / "parts", *options, *steady, "--trainer.max_steps=3"))
    last = tmp_path / "parts/distilkobert/base_seed42/checkpoints/last.ckpt"
    run("fit", world.distil(tmp_path / "parts", *options, *steady, f"--ckpt_path={last}"))
    curves = [scalars(tmp_path / name / "distilkobert/base_seed42")["train/loss/total"] for name in ("whole", "parts")]
    assert curves[1][6] == pytest.approx(curves[0][6], rel=1e-4)
    if precision == "16-mixed":
        assert read_checkpoint(last)["MixedPrecision"]["scale"] > 0


def test_16_mixed_leaves_out_steps_that_overflow(world: World, run: Run, tmp_path: Path) -> None:
    """A scale beyond what float16 holds makes every gradient infinite: no weight changes, and training goes on."""
    options = ["--trainer.accelerator=gpu", *scaled(tmp_path, 2.0**60, "cuda")]
    run("fit", world.pretrain(tmp_path / "start", "--trainer.max_steps=0"))
    cli: Any = run("fit", world.pretrain(tmp_path / "high", *options))
    start, high = weights(tmp_path / "start"), weights(tmp_path / "high")
    assert all(torch.equal(start[name], high[name]) for name in start)
    assert cli.trainer.precision_plugin.scaler.get_scale() == 2.0**56
