"""Trainings that are killed and resumed."""

import functools
import shutil
import signal
import socket
from collections.abc import Sequence
from multiprocessing.connection import wait
from pathlib import Path

from tests.faults.trainings.forks import Training
from tests.faults.trainings.mishaps import Cut, kill_at

SECONDS = 240
GRACE_SECONDS = 10


def train(args: Sequence[str], log: Path, cut: Cut | None = None, processes: int = 1, command: str = "fit") -> bool:
    """Run a command of `experiments.train` until its end or the cut; whether it has come to its end.

    Of several processes the first is killed, and the others with it.

    Raises:
        AssertionError: it has failed.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    ranks: list[Training] = []
    for rank in range(processes):
        # What torchrun says to the processes it starts.
        group: dict[str, int | str] = {
            "RANK": rank,
            "LOCAL_RANK": rank,
            "WORLD_SIZE": processes,
            "LOCAL_WORLD_SIZE": processes,
        }
        group |= {"GROUP_RANK": 0, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "TORCHELASTIC_RUN_ID": "chain"}
        environment = {name: str(value) for name, value in group.items()} if processes > 1 else {}
        mishap = functools.partial(kill_at, cut) if cut is not None and rank == 0 else None
        ranks.append(Training(args, log, log.parent, environment, mishap, command))
    ended = wait([rank.sentinel for rank in ranks], SECONDS)
    first, *others = ranks
    # Where the first is killed, the others may be seen to fail before its end is seen.
    failed = first.sentinel not in ended and any(rank.sentinel in ended and rank.code() for rank in others)
    failed = failed and not wait([first.sentinel], GRACE_SECONDS)
    if failed:
        first.kill()  # it would wait for the other
    code = first.code(SECONDS)
    for rank in others if code else ():
        rank.kill()
    codes = [code, *(rank.code(SECONDS) for rank in others)]
    killed = cut is not None and code == 128 + signal.SIGKILL and not failed
    assert killed or not any(codes), log.read_text(encoding="utf-8")[-3000:]
    return not killed


def resumed(folder: Path, args: Sequence[str], *more: str, start: str = "last") -> list[str]:
    """The arguments that go on with a run: from its checkpoint, or from nothing where it has none."""
    checkpoint = folder / "checkpoints" / f"{start}.ckpt"
    if not checkpoint.is_file():
        checkpoint = folder / "checkpoints" / "last.ckpt"
    if not checkpoint.is_file():
        shutil.rmtree(folder, ignore_errors=True)
        return [*args, *more]
    return ["-c", str(folder / "config.yaml"), f"--ckpt_path={checkpoint}", *more]
