"""Two gloo processes give the losses of one process with the same global batches, and stop together."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForMaskedLM

from distilkobert.models.checkpoints import read_checkpoint
from tests.faults.trainings.chains import train as train_ranks
from tests.world import Run, World, read_json, scalars

STEPS = 20


TORCHRUN = ("torch.distributed.run", "--nnodes=1", "--nproc-per-node=2", "--rdzv-backend=c10d",
            "--rdzv-endpoint=127.0.0.1:0", "-m")  # fmt: skip
"""What `torchrun` stands for; docs/cluster.md starts one training on several machines with it."""


def train(
    arguments: list[str], launcher: Sequence[str] = (), program: str = "experiments.train"
) -> subprocess.CompletedProcess[str]:
    """One fresh process, as a user starts it; DDP starts the second one itself where no launcher has."""
    command = [sys.executable, "-m", *launcher, program, "fit", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)


@pytest.mark.slow
def test_two_processes_train_as_one_does(world: World, run: Run, tmp_path: Path) -> None:
    common = [f"--trainer.max_steps={STEPS}", "--trainer.val_check_interval={}", "--model.student.dropout=0.1"]
    one = [option.format(2 * STEPS) for option in common]
    two = [option.format(STEPS) for option in common]
    run("fit", world.distil(tmp_path / "one", *one, "--trainer.accumulate_grad_batches=2"))
    train_ranks(
        world.distil(tmp_path / "two", *two, "-c", "configs/trainer/ddp_cpu.yaml"), tmp_path / "log", processes=2
    )

    folders = [tmp_path / name / "distilkobert" / "base_seed42" for name in ("one", "two")]
    first, second = (scalars(folder) for folder in folders)
    for term in ("total", "soft_target", "masked_lm", "cosine"):
        name = f"train/loss/{term}"
        assert sorted(first[name]) == sorted(second[name]) == list(range(1, STEPS + 1))
        for step in range(1, STEPS + 1):
            assert second[name][step] == pytest.approx(first[name][step], abs=1e-4), (name, step)
    metrics = [read_json(folder / "metrics.json") for folder in folders]
    assert [m["world_size"] for m in metrics] == [1, 2]
    assert metrics[0]["tokens_seen"] == metrics[1]["tokens_seen"]
    for name in ("val/loss", "val/agreement", "val/teacher_loss", "val/loss/cosine"):
        assert metrics[1][name] == pytest.approx(metrics[0][name], abs=1e-4), name


FADING = """model:
  init_args:
    objectives:
      cosine: null
      fading: {class_path: HiddenMSE, init_args: {layers: uniform, weight: {start: 1.0, end: 0.0, until: 0.5}}}
"""
"""A term with projections, because the student is narrower, whose weight is 0 from the middle of the training on."""


@pytest.mark.slow
def test_a_term_with_parameters_may_fade_to_zero_on_two_processes(world: World, run: Run, tmp_path: Path) -> None:
    """DDP waits for the gradients of its projections, also once they are multiplied by 0."""
    steps, overlay = 10, tmp_path / "fading.yaml"
    overlay.write_text(FADING, encoding="utf-8")
    narrow = ["--model.student.hidden_size=8", "--model.student.heads=2", "--model.student.intermediate_size=12"]
    common = ["-c", str(overlay), *narrow, f"--trainer.max_steps={steps}", "--model.student.dropout=0.1"]
    one = ["--trainer.accumulate_grad_batches=2", f"--trainer.val_check_interval={2 * steps}"]
    two = ["-c", "configs/trainer/ddp_cpu.yaml", f"--trainer.val_check_interval={steps}"]
    curves, weights = [], []
    run("fit", world.distil(tmp_path / "one", *common, *one))
    train_ranks(world.distil(tmp_path / "two", *common, *two), tmp_path / "log", processes=2)
    for name in ("one", "two"):
        folder = tmp_path / name / "distilkobert" / "base_seed42"
        curves.append(scalars(folder))
        weights.append(read_checkpoint(folder / "checkpoints" / "last.ckpt")["state_dict"])
    for name in ("train/loss/total", "train/weighted/fading", "train/loss/fading"):
        first, second = (curve[name] for curve in curves)
        assert sorted(first) == list(range(1, steps + 1))
        assert second == pytest.approx(first, abs=1e-4), name
    faded = curves[1]["train/weighted/fading"]
    assert [step for step, value in faded.items() if value == 0] == list(range(steps // 2 + 1, steps + 1))
    assert curves[1]["train/loss/fading"][steps] > 0
    projections = [name for name in weights[0] if name.startswith("objectives.") and "projection" in name]
    assert len(projections) == 3
    for name in weights[0]:
        assert torch.allclose(weights[0][name], weights[1][name], atol=1e-4), name


@pytest.mark.slow
def test_two_processes_train_embeddings_and_head_first_as_one_does(world: World, run: Run, tmp_path: Path) -> None:
    """DDP waits for the gradients of all parameters, also of those that do not learn yet."""
    start = [
        "-c", "configs/pretrain/adapt.yaml", *world.data(), f"--model.init_from={world.teacher}",
        "--trainer.max_epochs=-1", "--trainer.max_steps=10", "--model.train_first_share=0.4",
        "--last_checkpoint.keep_every_n_steps=5",
    ]  # fmt: skip
    one = ["--trainer.accumulate_grad_batches=2", "--trainer.val_check_interval=20", f"--run.root={tmp_path / 'one'}"]
    two = ["--trainer.accumulate_grad_batches=1", "--trainer.val_check_interval=10", f"--run.root={tmp_path / 'two'}"]
    run("fit", [*start, *one, "-c", "configs/trainer/cpu.yaml"])
    train_ranks([*start, *two, "-c", "configs/trainer/ddp_cpu.yaml"], tmp_path / "log", processes=2)
    folders = [tmp_path / name / "adapt" / "base_seed42" for name in ("one", "two")]
    first, second = (scalars(folder)["train/loss/total"] for folder in folders)
    assert sorted(first) == list(range(1, 11))
    assert second == pytest.approx(first, abs=1e-4)
    start_weights = AutoModelForMaskedLM.from_pretrained(world.teacher).state_dict()
    layers = [name for name in start_weights if name.startswith("bert.encoder.")]
    for folder in folders:
        kept = read_checkpoint(folder / "checkpoints" / "step00000005.ckpt")["state_dict"]
        assert all(torch.equal(kept[f"network.{name}"], start_weights[name]) for name in layers)
        end = read_checkpoint(folder / "checkpoints" / "last.ckpt")["state_dict"]
        assert not any(torch.equal(end[f"network.{name}"], start_weights[name]) for name in layers)


@pytest.mark.slow
def test_both_processes_stop_at_a_loss_that_is_not_finite(world: World, tmp_path: Path) -> None:
    options = ["-c", "configs/trainer/ddp_cpu.yaml", "--model.optimizer.lr=1e30", "--model.optimizer.warmup=0.5"]
    finished = train(world.distil(tmp_path, *options, "--last_checkpoint.every_n_steps=1"))
    assert finished.returncode != 0
    assert finished.stderr.count("the loss is NaN or Inf at optimizer step") == 2


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="threads are read where Linux lists them")
@pytest.mark.parametrize(("option", "code"), [("--trainer.max_steps=2", 0), ("--model.optimizer.lr=1e30", 2)])
def test_no_thread_of_the_group_outlives_the_command(world: World, tmp_path: Path, option: str, code: int) -> None:
    options = ["-c", "configs/trainer/ddp_cpu.yaml", "--model.optimizer.warmup=0.5", option]
    finished = train(world.distil(tmp_path, *options), TORCHRUN, program="tests.integration.devices.trainer_threads")
    assert f"exitcode  : {code}" in finished.stderr or finished.returncode == code == 0, finished.stderr
    ended = finished.stdout.count("threads, of gloo:")  # the launcher stops the other process of a failed one
    assert ended == 2 or (code != 0 and ended == 1)
    assert finished.stdout.count("threads, of gloo: []") == ended, finished.stdout


@pytest.mark.slow
def test_torchrun_trains_as_the_trainers_own_launcher_does(world: World, tmp_path: Path) -> None:
    options = ["--trainer.max_steps=4", "--trainer.val_check_interval=4", "-c", "configs/trainer/ddp_cpu.yaml"]
    curves = []
    for name, launcher in (("own", ()), ("torchrun", TORCHRUN)):
        finished = train(world.distil(tmp_path / name, *options), launcher)
        assert finished.returncode == 0, finished.stderr
        folder = tmp_path / name / "distilkobert" / "base_seed42"
        assert read_json(folder / "metrics.json")["world_size"] == 2
        curves.append(scalars(folder)["train/loss/total"])
    assert sorted(curves[0]) == [1, 2, 3, 4]
    assert curves[0] == pytest.approx(curves[1], abs=1e-6)
