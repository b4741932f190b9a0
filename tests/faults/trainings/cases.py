"""Trainings to be interrupted, chains of interruptions of them, and what has to be the same afterwards."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from distilkobert.models.checkpoints import read_checkpoint
from tests.faults.trainings.chains import resumed, train
from tests.faults.trainings.mishaps import Cut
from tests.integration.tasks.world import TaskWorld
from tests.world import read_json, scalars

TIMES = {"wall_time_s", "train/tokens_per_s"}
EPOCHS = ["--trainer.max_steps=-1", "--trainer.max_epochs=2"]
PRETRAINING = ["--data.max_tokens=2048", "--model.encoder.dropout=0.1", "--model.optimizer.warmup=0.2"]
"""Twelve batches an epoch."""
HAS_BF16 = "avx512_bf16" in Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").is_file() else False


@dataclass(frozen=True)
class Case:
    """A training, as the command line has it.

    Args:
        kind: `pretrain`, `distilkobert`, or a task.
        options: of it.
        processes: their number.
        mixed: train on two corpora, with weights that are not whole.
    """

    kind: str
    options: Sequence[str]
    processes: int = 1
    mixed: bool = False

    def args(self, tasks: TaskWorld, runs: Path, *more: str) -> list[str]:
        """Arguments of the command."""
        many = ["-c", "configs/trainer/ddp_cpu.yaml"] if self.processes > 1 else []
        make: dict[str, Callable[..., list[str]]] = {
            "pretrain": tasks.world.pretrain,
            "distilkobert": tasks.world.distil,
        }
        args = make[self.kind](runs) if self.kind in make else tasks.options(self.kind, runs)
        folders = {tasks.world.corpus: 0.7, tasks.world.second_corpus: 1.5}
        weights = ", ".join(f"{folder}: {weight}" for folder, weight in folders.items())
        data = [f"--data.data_dir={{{weights}}}"] if self.mixed else []
        return [*args, *many, *data, *self.options, *more]

    def folder(self, runs: Path) -> Path:
        """Its run's folder."""
        return runs / self.kind / "base_seed42"


CASES = {
    "pretrain": Case("pretrain", [*PRETRAINING, *EPOCHS, "--trainer.accumulate_grad_batches=2",
        "--trainer.val_check_interval=6", "--last_checkpoint.every_n_steps=2", "--trainer.log_every_n_steps=3"]),
    "steps": Case("pretrain", [*PRETRAINING, "--trainer.max_steps=16", "--trainer.val_check_interval=5",
        "--last_checkpoint.every_n_steps=5", "--trainer.accumulate_grad_batches=1"]),
    "distil": Case("distilkobert", [*EPOCHS, "--data.max_tokens=2048", "--trainer.check_val_every_n_epoch=1",
        "--trainer.val_check_interval=4", "--last_checkpoint.every_n_steps=3", "--model.student.dropout=0.1"]),
    "nsmc": Case("nsmc", [*EPOCHS, "--data.batch_size=24", "--trainer.val_check_interval=1.0",
        "--trainer.check_val_every_n_epoch=1", "--last_checkpoint.every_n_steps=3", "--trainer.log_every_n_steps=2"]),
    "bf16": Case("pretrain", [*PRETRAINING, *EPOCHS, "--trainer.precision=bf16-mixed",
        "--run.allow_slow_precision=true",
        "--trainer.accumulate_grad_batches=3", "--trainer.val_check_interval=4", "--last_checkpoint.every_n_steps=2"]),
    "two": Case("pretrain", [*PRETRAINING, *EPOCHS, "--trainer.accumulate_grad_batches=2",
        "--trainer.val_check_interval=3", "--last_checkpoint.every_n_steps=1", "--trainer.log_every_n_steps=2"], 2),
    "mixed": Case("pretrain", [*PRETRAINING, *EPOCHS, "--trainer.accumulate_grad_batches=2",
        "--trainer.val_check_interval=3", "--last_checkpoint.every_n_steps=1", "--trainer.log_every_n_steps=2"],
        processes=2, mixed=True),
}  # fmt: skip
HOOKS = {
    "on_train_batch_start": 9, "on_train_batch_end": 9, "on_validation_batch_start": 3, "on_validation_end": 2,
    "on_train_epoch_end": 2, "on_train_end": 1, "on_fit_end": 1, "after_fit": 1, "write_best": 1,
}  # fmt: skip
"""Where a run is killed, and the latest call of it; where there are fewer, the run comes to its end."""


def draw_cut(draw: random.Random) -> Cut:
    hook = draw.choice(list(HOOKS))
    return Cut(hook, draw.randint(1, HOOKS[hook]), first=hook == "on_fit_end" or draw.random() < 0.5)


def run_chain(case: Case, args: list[str], runs: Path, cuts: Sequence[Cut], draw: random.Random) -> None:
    """Run a command until its end, through interruptions, each time with another number of loader workers."""
    folder, now = case.folder(runs), args
    for cut in cuts:
        if train(now, runs / "log", cut, case.processes):
            return
        start = "best" if draw.random() < 0.15 else "last"
        now = resumed(folder, args, f"--data.num_workers={draw.choice([0, 0, 1, 2])}", start=start)
    train(now, runs / "log", processes=case.processes)


def same(first: Any, second: Any) -> bool:
    """Whether two parts of checkpoints are equal, bit for bit."""
    if isinstance(first, torch.Tensor):
        return isinstance(second, torch.Tensor) and torch.equal(first, second)
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(same(value, second[name]) for name, value in first.items())
    if isinstance(first, (list, tuple)):
        return len(first) == len(second) and all(map(same, first, second))
    return bool(first == second)


def assert_same_run(folder: Path, expected: Path) -> None:
    """Weights, optimizer, place, choice of the best, metrics and curves are the same, times and speeds apart."""
    for name in ("last.ckpt", "best.ckpt"):
        ours, theirs = (read_checkpoint(run / "checkpoints" / name) for run in (folder, expected))
        parts = ["state_dict", "optimizer_states", "lr_schedulers", "global_step"]
        parts += [part for part in theirs if part.endswith("DataModule")] if name == "last.ckpt" else []
        assert len(parts) >= 4
        for part in parts:
            assert same(ours[part], theirs[part]), (name, part)
        for state in (ours, theirs):
            state["kept"] = {n: v for n, v in state["run_record"]["metrics"].items() if n not in TIMES}
            state["tokens"] = [state["training_log"][name] for name in ("tokens_seen", "tokens_of", "sums")]
        assert same(ours["kept"], theirs["kept"]), name
        assert same(ours["tokens"], theirs["tokens"]), name
    before, after = (
        {name: value for name, value in read_json(run / "metrics.json").items() if name not in TIMES}
        for run in (expected, folder)
    )
    assert after == before
    curves, expected_curves = scalars(folder), scalars(expected)
    assert curves.keys() == expected_curves.keys()
    for name, curve in expected_curves.items():
        assert name in TIMES or curves[name] == curve, name
    events = EventAccumulator(str(folder), size_guidance={"scalars": 0})
    events.Reload()
    for name in expected_curves:
        if name.startswith("train/"):
            assert [event.step for event in events.Scalars(name)] == list(expected_curves[name]), name
