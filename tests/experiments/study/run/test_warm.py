"""Commands forked from a process with the libraries: what a new process does, they do too."""

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from experiments.study.run.process import PYTHON, Child, Fresh
from experiments.study.run.warm import Warm

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere every command is a new process")

ECHO = "tests.support.studies.echo"
BARE = "import sys; from experiments.study.run import warm; warm.LIBRARIES = (); del sys.argv[1]; warm.main()"
"""A server that imports no libraries, so that it starts at once; the name of its module is its first word."""
Start = Callable[..., tuple[Child, Path]]


@pytest.fixture(scope="module")
def warm() -> Iterator[Warm]:
    starter = Warm(Fresh(PYTHON, {**os.environ, "OMP_NUM_THREADS": "3"}))
    yield starter
    starter.close()


@pytest.fixture
def start(warm: Warm, tmp_path: Path) -> Iterator[Start]:
    """Start `echo` with words, by `warm` or another; the child and its log."""
    with (tmp_path / "lock").open("w") as held:

        def call(*words: str, by: Any = warm) -> tuple[Child, Path]:
            log = tmp_path / f"{'_'.join(words)}.log"
            return Child((ECHO, *words), by, log, held.fileno()), log

        yield call


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def said(log: Path) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads(log.read_text(encoding="utf-8").splitlines()[2])
    return facts


def test_it_is_what_a_new_process_is_but_has_the_libraries(start: Start, warm: Warm) -> None:
    runs = [start("exit", "0"), start("exit", "7", by=Fresh(PYTHON, {**os.environ, "OMP_NUM_THREADS": "3"}))]
    assert [child.wait(60) for child, _ in runs] == [True, True]
    assert [child.ended() for child, _ in runs] == [0, 7]
    forked, fresh = (said(log) for _, log in runs)
    assert forked.pop("libraries") == ["datasets", "torch"]
    assert fresh.pop("libraries") == []
    assert (forked.pop("words"), fresh.pop("words")) == (["exit", "0"], ["exit", "7"])
    assert forked == fresh == {
        "name": "__main__", "spec": ECHO, "threads": "3", "leads": True, "input": "", "ours": []
    }  # fmt: skip
    assert all(log.read_text(encoding="utf-8").endswith("to standard error\n") for _, log in runs)


def test_ends_are_told_apart(start: Start) -> None:
    children = [start("sleep", "1"), start("exit", "3"), start("exit", "4")]
    assert [child.wait(60) for child, _ in reversed(children)] == [True] * 3
    assert [child.ended() for child, _ in children] == [1, 3, 4]
    late, _ = start("sleep", "60")
    assert not late.wait(0.2)
    assert late.ended() is None
    late.kill()
    assert late.ended() == -signal.SIGKILL


def test_it_can_be_interrupted(start: Start) -> None:
    child, log = start("sleep", "60")
    until(lambda: "sleep" in log.read_text(encoding="utf-8").split("\n", 2)[2])
    child.interrupt()
    assert child.wait(60)
    assert child.ended() == -signal.SIGINT
    assert "KeyboardInterrupt" in log.read_text(encoding="utf-8")


def test_it_keeps_the_lock_of_its_run(warm: Warm, tmp_path: Path) -> None:
    place = tmp_path / "run.lock"
    with place.open("w") as ours:
        fcntl.flock(ours, fcntl.LOCK_EX)
        child = Child((ECHO, "sleep", "60"), warm, tmp_path / "log", ours.fileno())
    with place.open("w") as other:
        with pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        child.kill()
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_an_interrupt_while_a_command_is_forked_leaves_the_others(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare, send, ours = Warm(Fresh((sys.executable, "-c", BARE), os.environ)), socket.send_fds, tmp_path / "run.lock"

    def send_and_stop(*args: Any) -> None:
        send(*args)
        raise KeyboardInterrupt

    child, log = start("sleep", "60", by=bare)
    until(lambda: "sleep" in log.read_text(encoding="utf-8").split("\n", 2)[2])
    with ours.open("w") as lock, monkeypatch.context() as patch:
        fcntl.flock(lock, fcntl.LOCK_EX)
        patch.setattr(socket, "send_fds", send_and_stop)
        with pytest.raises(KeyboardInterrupt):
            Child((ECHO, "exit", "0"), bare, tmp_path / "other", lock.fileno())
    with ours.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # it has begun and ended, and nobody knows its number
    assert child.ended() is None
    child.interrupt()
    assert child.wait(60)
    assert child.ended() == -signal.SIGINT
    bare.close()


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_all_processes_of_a_job_reaches_the_commands_alone(sign: signal.Signals, start: Start) -> None:
    bare = Warm(Fresh((sys.executable, "-c", BARE), os.environ))
    child, log = start("sleep", "60", by=bare)
    until(lambda: "sleep" in log.read_text(encoding="utf-8").split("\n", 2)[2])
    assert bare._server is not None
    os.kill(bare._server.pid, sign)
    assert not child.wait(0.5)
    os.kill(child._process.pid, sign)
    assert child.wait(60)
    assert child.ended() == -sign
    bare.close()


WORKER = f"""
import os, sys, time
from pathlib import Path
from experiments.study.run.process import PYTHON, Child, Fresh
from experiments.study.run.warm import Warm
if __name__ == "__main__":
    with open(sys.argv[1] + "/lock", "w") as lock:
        Child(("{ECHO}", "sleep", "60"), Warm(Fresh(PYTHON, os.environ)), Path(sys.argv[1]) / "log", lock.fileno())
        time.sleep(60)
"""


@pytest.mark.slow
def test_none_outlives_its_worker(tmp_path: Path) -> None:
    worker = subprocess.Popen([sys.executable, "-c", WORKER, str(tmp_path)])
    log = tmp_path / "log"
    until(lambda: log.is_file() and "sleep" in log.read_text(encoding="utf-8").split("\n", 2)[-1])
    assert said(log)["libraries"]
    worker.kill()
    worker.wait()
    with (tmp_path / "lock").open("w") as lock:

        def is_free() -> bool:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                return False
            return True

        until(is_free)


def test_without_its_server_commands_are_new_processes(start: Start, warm: Warm) -> None:
    """The last test of this file: the server is gone afterwards."""
    child, log = start("sleep", "60")
    until(lambda: "sleep" in log.read_text(encoding="utf-8").split("\n", 2)[2])
    assert warm._server is not None
    os.kill(warm._server.pid, signal.SIGKILL)
    assert child.wait(60)
    assert child.ended() == -signal.SIGKILL
    assert said(log)["libraries"]
    child, log = start("exit", "5")
    assert child.wait(60)
    assert child.ended() == 5
    assert not said(log)["libraries"]
