"""Locks: one process at a time, the holder is named, and a dead one holds nothing."""

import errno
import multiprocessing
import os
import signal
import socket
import time
from collections.abc import Callable
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import pytest

from distilkobert.io.locks import InUseError, only_process

FORK = multiprocessing.get_context("fork")


def hold(lock: Path, taken: Event, end: Event, child: bool = False) -> None:
    """Hold the lock until the test says so; with a forked child that holds what it has inherited a second longer."""
    with only_process(lock, "the thing"):
        if child and os.fork() == 0:
            taken.set()
            time.sleep(1)
            os._exit(0)
        taken.set()
        end.wait(30)


@pytest.fixture
def holding(tmp_path: Path) -> Callable[..., "tuple[multiprocessing.context.ForkProcess, Event]"]:
    def start(**options: bool) -> "tuple[multiprocessing.context.ForkProcess, Event]":
        taken, end = FORK.Event(), FORK.Event()
        process = FORK.Process(target=hold, args=(tmp_path / "run" / ".lock", taken, end), kwargs=options)
        process.start()
        assert taken.wait(30)
        return process, end

    return start


def test_the_holder_is_named_and_let_alone(tmp_path: Path, holding: Callable[..., tuple[object, Event]]) -> None:
    process, end = holding()
    named = rf"the thing is in use by process {process.pid} on {socket.gethostname()}, since \d{{4}}-.* \(.*\)\. Wait"  # type: ignore[attr-defined]
    for _ in range(2):
        with pytest.raises(InUseError, match=named), only_process(tmp_path / "run" / ".lock", "the thing"):
            pass
    end.set()
    process.join()  # type: ignore[attr-defined]
    with only_process(tmp_path / "run" / ".lock", "the thing"):
        assert sorted(path.name for path in (tmp_path / "run").iterdir()) == [".lock", ".lock.holder"]


def test_it_leaves_nothing_but_what_was_made_inside(tmp_path: Path) -> None:
    lock = tmp_path / "runs" / "recipe" / "base" / ".lock"
    with only_process(lock, "x"):
        pass
    assert not any(tmp_path.iterdir())
    with only_process(lock, "x"):
        (lock.parent / "config.yaml").touch()
    assert [path.name for path in lock.parent.iterdir()] == ["config.yaml"]
    (tmp_path / "there").mkdir()
    with pytest.raises(RuntimeError), only_process(tmp_path / "there" / ".lock", "x"):
        raise RuntimeError
    assert (tmp_path / "there").is_dir(), "it was there before"


def test_a_killed_holder_holds_nothing(tmp_path: Path, holding: Callable[..., tuple[object, Event]]) -> None:
    process, _ = holding()
    process.kill()  # type: ignore[attr-defined]
    process.join()  # type: ignore[attr-defined]
    assert (tmp_path / "run" / ".lock.holder").is_file()
    with only_process(tmp_path / "run" / ".lock", "the thing"):
        assert str(os.getpid()) in (tmp_path / "run" / ".lock.holder").read_text()
    assert not (tmp_path / "run" / ".lock").exists()


def test_what_a_killed_holder_has_begun_does_not_stand_in_the_way(
    tmp_path: Path, holding: Callable[..., tuple[object, Event]]
) -> None:
    process, _ = holding(child=True)
    os.kill(process.pid, signal.SIGKILL)  # type: ignore[attr-defined]
    process.join()  # type: ignore[attr-defined]
    with only_process(tmp_path / "run" / ".lock", "the thing"):
        pass


def test_two_that_start_together_are_never_both_inside(tmp_path: Path) -> None:
    """Many processes take and leave the lock, whose file goes with each of them."""
    lock, inside = tmp_path / "run" / ".lock", FORK.Value("i", 0)
    met, entered = FORK.Value("i", 0), FORK.Value("i", 0)

    def work() -> None:
        until = time.monotonic() + 2
        while time.monotonic() < until:
            try:
                with only_process(lock, "x"):
                    with inside.get_lock():
                        inside.value += 1
                        met.value += inside.value > 1
                        entered.value += 1
                    time.sleep(0.001)
                    with inside.get_lock():
                        inside.value -= 1
            except InUseError:
                continue

    processes = [FORK.Process(target=work) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 4
    assert met.value == 0
    assert entered.value > 20
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize("call", [1, 2], ids=["ours", "of filelock"])
def test_a_folder_that_is_removed_while_it_is_made_is_made_again(
    call: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process leaves between `mkdir`, which finds its folder, and the look at what was found."""
    original, calls = Path.mkdir, []

    def mkdir(self: Path, *args: Any, **kwargs: Any) -> None:
        calls.append(self)
        if len(calls) == call:
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(self))
        original(self, *args, **kwargs)

    monkeypatch.setattr(Path, "mkdir", mkdir)
    with only_process(tmp_path / "run" / ".lock", "x"):
        assert (tmp_path / "run" / ".lock").is_file()


@pytest.mark.parametrize("kind", ["file", "broken link"])
def test_what_is_no_folder_is_not_waited_for(kind: str, tmp_path: Path) -> None:
    if kind == "file":
        (tmp_path / "run").write_text("")
    else:
        (tmp_path / "run").symlink_to(tmp_path / "nothing")
    expected = "not a folder" if kind == "file" else "a link to a folder that does not exist"
    refused = pytest.raises(FileExistsError, match=rf"^x: {tmp_path}/run is {expected}; remove it, or choose another")
    for folder in ("run", "run/recipe/arm"):
        with refused, only_process(tmp_path / folder / ".lock", "x"):
            pass


def test_a_link_to_a_missing_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "runs").symlink_to(tmp_path / "missing")
    with pytest.raises(FileExistsError), only_process(tmp_path / "runs" / "recipe" / "arm" / ".lock", "the run"):
        pass
