"""A rank that dies or is late: the others end or wait, and the run is what it would have been."""

import os
import signal
import socket
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.faults.test_processes import wait_for
from tests.faults.trainings.cases import CASES, assert_same_run
from tests.faults.trainings.chains import resumed, train
from tests.faults.trainings.forks import Training
from tests.faults.trainings.mishaps import delay_step
from tests.integration.tasks.world import TaskWorld

Untouched = Callable[[str], Path]


def ranks(args: list[str], folder: Path, mishap: partial[None] | None = None) -> list[Training]:
    """Two ranks of a run, each with a log of its own; the mishap is the second one's."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    group = {"WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "GROUP_RANK": "0", "MASTER_ADDR": "127.0.0.1"}
    group |= {"MASTER_PORT": str(port), "TORCHELASTIC_RUN_ID": "ranks"}
    return [
        Training(
            args,
            folder / f"log{rank}",
            folder,
            {**group, "RANK": str(rank), "LOCAL_RANK": str(rank)},
            mishap if rank else None,
        )
        for rank in (0, 1)
    ]


@pytest.mark.slow
@pytest.mark.parametrize("dead", [0, 1])
def test_a_killed_rank_ends_the_others_and_the_run_goes_on_exactly(
    dead: int, tasks: TaskWorld, untouched: Untouched, tmp_path: Path
) -> None:
    case = CASES["two"]
    folder, args = case.folder(tmp_path), case.args(tasks, tmp_path)
    both = ranks(args, tmp_path, partial(delay_step, 3, 2.0))
    last = folder / "checkpoints" / "last.ckpt"
    wait_for(last.is_file, both[0])
    os.kill(both[dead].pid, signal.SIGKILL)
    start = time.monotonic()
    assert both[1 - dead].code(120) not in (0, 128 + signal.SIGKILL)
    assert time.monotonic() - start < 60
    assert both[dead].code() == 128 + signal.SIGKILL
    train(resumed(folder, args), tmp_path / "log", processes=2)
    assert_same_run(folder, untouched("two"))


@pytest.mark.slow
def test_a_rank_that_is_late_changes_nothing(tasks: TaskWorld, untouched: Untouched, tmp_path: Path) -> None:
    case = CASES["two"]
    both = ranks(case.args(tasks, tmp_path), tmp_path, partial(delay_step, 2, 3.0))
    assert [rank.code() for rank in both] == [0, 0], both[0].log.read_text()
    assert_same_run(case.folder(tmp_path), untouched("two"))
