"""Runs that are killed again and again end as the untouched run of the same command does, bit for bit."""

import random
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.faults.trainings.cases import CASES, HAS_BF16, assert_same_run, draw_cut, run_chain
from tests.faults.trainings.mishaps import Cut
from tests.integration.tasks.world import TaskWorld

Untouched = Callable[[str], Path]


def check(name: str, cuts: Sequence[Cut], draw: random.Random, tasks: TaskWorld, runs: Path, expected: Path) -> None:
    case = CASES[name]
    run_chain(case, case.args(tasks, runs), runs, cuts, draw)
    assert_same_run(case.folder(runs), expected)


def test_a_short_chain(tasks: TaskWorld, untouched: Untouched, tmp_path: Path) -> None:
    """Killed in the middle of a step, in a validation, behind the last checkpoint."""
    cuts = [Cut("on_train_batch_end", 9, first=True), Cut("on_validation_batch_start", 1), Cut("on_train_end")]
    check("pretrain", cuts, random.Random(0), tasks, tmp_path, untouched("pretrain"))


@pytest.mark.slow
@pytest.mark.parametrize("number", range(7))
@pytest.mark.parametrize("name", CASES)
def test_chains_of_interruptions(
    name: str, number: int, tasks: TaskWorld, untouched: Untouched, tmp_path: Path
) -> None:
    if name == "bf16" and not HAS_BF16:
        pytest.skip("the processor has no bf16")
    draw = random.Random(f"{name} {number}")
    cuts = [draw_cut(draw) for _ in range(draw.randint(1, 5))]
    check(name, cuts, draw, tasks, tmp_path, untouched(name))
