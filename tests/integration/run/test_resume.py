"""Exact resume: a run that was broken off and resumed ends with the weights of an undisturbed one, bit for bit."""

import re
from pathlib import Path
from typing import Any

import pytest
import torch

from distilkobert.models.checkpoints import read_checkpoint
from lightning_modules.callbacks import GradientWatch
from tests.world import Run, World, read_json, scalars

DROPOUT = "--model.student.dropout=0.1"


class PowerCutError(Exception):
    """Stands for whatever ends a process."""


def break_at(step: int, patch: pytest.MonkeyPatch) -> None:
    original = GradientWatch.on_before_optimizer_step

    def broken(self: GradientWatch, trainer: Any, *args: Any) -> None:
        if trainer.global_step == step:
            raise PowerCutError
        original(self, trainer, *args)

    patch.setattr(GradientWatch, "on_before_optimizer_step", broken)


@pytest.mark.parametrize("accumulate", [pytest.param(1, marks=pytest.mark.slow), 2])
def test_a_broken_run_resumes_to_the_same_weights(
    accumulate: int,
    world: World,
    run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    options = [
        DROPOUT, f"--trainer.accumulate_grad_batches={accumulate}", "--trainer.max_steps=20",
        "--trainer.val_check_interval=7", "--last_checkpoint.every_n_steps=4",
    ]  # fmt: skip
    run("fit", world.distil(tmp_path / "whole", *options))
    with monkeypatch.context() as patch:
        break_at(15, patch)
        with pytest.raises(PowerCutError):
            run("fit", world.distil(tmp_path / "broken", *options))
    broken = tmp_path / "broken" / "distilkobert" / "base_seed42"
    last = broken / "checkpoints" / "last.ckpt"
    assert read_checkpoint(last)["global_step"] == 12
    capfd.readouterr()
    run("fit", ["-c", str(broken / "config.yaml"), f"--ckpt_path={last}", "--trainer.enable_progress_bar=true"])
    bar = re.findall(r"Epoch \d+: .*?(\d+)/(\S+) ", capfd.readouterr().out)
    assert bar[-1] == (str(20 * accumulate), str(20 * accumulate))
    assert all(int(done) >= 12 * accumulate for done, _ in bar[1:])

    whole = tmp_path / "whole" / "distilkobert" / "base_seed42"
    expected = read_checkpoint(whole / "checkpoints" / "last.ckpt")
    resumed = read_checkpoint(last)
    assert resumed["global_step"] == expected["global_step"] == 20
    for name, value in expected["state_dict"].items():
        if name.startswith("network."):
            assert torch.equal(resumed["state_dict"][name], value), name
    before, after = read_json(whole / "metrics.json"), read_json(broken / "metrics.json")
    for name in ("tokens_seen", "val/loss", "val/agreement", "train/loss/total"):
        assert after[name] == before[name], name
    curve = scalars(whole)["train/loss/total"]
    assert {step: value for step, value in scalars(broken)["train/loss/total"].items() if step > 12} == {
        step: value for step, value in curve.items() if step > 12
    }


@pytest.mark.slow
def test_another_seed_gives_other_weights_and_the_same_validation_masks(world: World, run: Run, tmp_path: Path) -> None:
    for seed in (1, 2):
        run("fit", world.distil(tmp_path, f"--seed_everything={seed}", "--trainer.max_steps=2"))
        run("validate", world.distil(tmp_path, f"--seed_everything={seed}", "--run.arm=start"))
    folders = [tmp_path / f"distilkobert/base_seed{seed}" for seed in (1, 2)]
    ends = [read_checkpoint(folder / "checkpoints" / "last.ckpt")["state_dict"] for folder in folders]
    name = "network.distilbert.transformer.layer.0.ffn.lin1.weight"
    assert not torch.equal(ends[0][name], ends[1][name])
    starts = [read_json(tmp_path / f"distilkobert/start_seed{seed}/metrics.json") for seed in (1, 2)]
    assert starts[0]["val/teacher_loss"] == starts[1]["val/teacher_loss"]
    assert starts[0]["val/loss"] == starts[1]["val/loss"]
