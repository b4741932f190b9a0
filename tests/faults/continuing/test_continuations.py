"""Runs that go on to another length, or with another number of processes, with and without interruptions."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from distilkobert.models.checkpoints import read_checkpoint
from tests.faults.trainings.cases import CASES, Case, assert_same_run, draw_cut
from tests.faults.trainings.chains import resumed, train
from tests.faults.trainings.mishaps import Cut
from tests.integration.tasks.world import TaskWorld
from tests.world import read_json, scalars

STEPS = {"pretrain": 6, "nsmc": 10}
"""Optimizer steps of an epoch, from the sizes of the data."""


def go_on(case: Case, tasks: TaskWorld, runs: Path, epochs: int, draw: random.Random | None) -> Path:
    """Train to the end of so many epochs, from the checkpoint if there is one; with a chance, through interruptions."""
    folder, first, more = case.folder(runs), case.args(tasks, runs), f"--trainer.max_epochs={epochs}"
    for _ in range(draw.randint(1, 3) if draw else 0):
        assert draw is not None
        if train(resumed(folder, first, more), runs / "log", draw_cut(draw), case.processes):
            return folder
    train(resumed(folder, first, more), runs / "log", processes=case.processes)
    return folder


def test_every_continuation_trains(tasks: TaskWorld, tmp_path: Path) -> None:
    """One epoch more each time; behind the second, which began at the first's end, none is left out."""
    case = CASES["pretrain"]
    for epochs in (1, 2, 3):
        metrics = read_json(go_on(case, tasks, tmp_path, epochs, None) / "metrics.json")
        assert (metrics["steps"], metrics["epochs"]) == (epochs * STEPS["pretrain"], epochs)


@pytest.mark.slow
@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize("name", STEPS)
def test_interrupted_continuations(name: str, number: int, tasks: TaskWorld, tmp_path: Path) -> None:
    case, draw = CASES[name], random.Random(f"{name} {number} goes on")
    for folder in ("expected", "broken"):
        (tmp_path / folder).mkdir()
    for epochs in (1, 2, 4):
        expected = go_on(case, tasks, tmp_path / "expected", epochs, None)
        folder = go_on(case, tasks, tmp_path / "broken", epochs, draw)
        assert read_json(folder / "metrics.json")["steps"] == epochs * STEPS[name]
        assert_same_run(folder, expected)


@pytest.mark.slow
def test_the_rate_of_a_continuation_is_that_of_its_whole_length(tasks: TaskWorld, tmp_path: Path) -> None:
    """Six steps, then six more. Warm-up takes a fifth of all steps; the peak is 5e-4."""
    options = ["--trainer.log_every_n_steps=1"]
    case = Case("pretrain", [*CASES["pretrain"].options, *options])
    for epochs in (1, 2):
        folder = go_on(case, tasks, tmp_path, epochs, None)
    rates = scalars(folder)["train/lr"]
    first = [0, 5e-4 / 2, *(5e-4 * (6 - step) / 4 for step in range(2, 6))]
    second = [5e-4 * (12 - step) / 9 for step in range(6, 12)]
    assert [rates[step] for step in range(1, 13)] == pytest.approx(first + second)


def test_the_rate_counts_the_steps_that_were_taken_and_those_to_come(tasks: TaskWorld, tmp_path: Path) -> None:
    """An epoch of six steps, then epochs of three, cut off in the second one: 9 steps, then 12, and the warm-up."""
    case = Case("pretrain", [*CASES["pretrain"].options, "--trainer.log_every_n_steps=1"])
    folder, first, log = case.folder(tmp_path), case.args(tasks, tmp_path), tmp_path / "log"
    train([*first, "--trainer.max_epochs=1"], log)
    more = ["--trainer.accumulate_grad_batches=4", "--trainer.max_epochs=2"]
    train(resumed(folder, first, *more), log)
    assert not train(resumed(folder, first, "--trainer.max_epochs=3"), log, Cut("on_train_batch_start", 10))
    train(resumed(folder, first), log)
    rates = scalars(folder)["train/lr"]
    second = [5e-4 * (9 - step) / 7 for step in range(6, 9)]
    third = [5e-4 * (12 - step) / 9 for step in range(9, 12)]
    assert [rates[step] for step in range(7, 13)] == pytest.approx(second + third)
    assert len(rates) == read_json(folder / "metrics.json")["steps"] == 12


@pytest.mark.slow
@pytest.mark.parametrize(("name", "batch"), [("two", 2), ("two", 3), ("mixed", 2)])
def test_two_processes_one_and_two_again_train_on_the_same_batches(
    name: str, batch: int, tasks: TaskWorld, untouched: Callable[[str], Path], tmp_path: Path
) -> None:
    """Cut off inside an epoch each time; steps of four batches throughout. Equal to rounding."""
    case, expected = CASES[name], untouched(name)
    folder, first = case.folder(tmp_path), case.args(tasks, tmp_path)
    one = ["devices=1", "strategy=auto", "accumulate_grad_batches=4", "val_check_interval=6"]
    two = ["devices=2", "strategy=ddp", "accumulate_grad_batches=2", "val_check_interval=3"]
    log, cut = tmp_path / "log", Cut("on_train_batch_start", batch)
    assert not train(first, log, Cut("on_train_batch_start", 2 * batch), processes=2)
    assert not train(resumed(folder, first, *(f"--trainer.{option}" for option in one)), log, Cut(cut.hook, 9))
    train(resumed(folder, first, *(f"--trainer.{option}" for option in two)), log, processes=2)
    said = log.read_text(encoding="utf-8")
    assert "note: resumed with 1 processes in place of 2. With the same number of processes times accumulation" in said
    assert "note: resumed with 2 processes in place of 1." in said
    ours, theirs = (read_checkpoint(run / "checkpoints" / "last.ckpt") for run in (folder, expected))
    assert ours["CorpusDataModule"] == theirs["CorpusDataModule"]
    for seen in ("tokens_seen", "tokens_of"):
        assert ours["training_log"][seen] == theirs["training_log"][seen]
    for name, value in theirs["state_dict"].items():
        torch.testing.assert_close(ours["state_dict"][name], value, atol=1e-5, rtol=1e-4)
    curves = [scalars(run)["train/loss/total"] for run in (folder, expected)]
    assert curves[0] == pytest.approx(curves[1], abs=1e-5)
