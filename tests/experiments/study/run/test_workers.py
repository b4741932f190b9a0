"""Several workers, killed workers, interrupted workers: nothing runs twice, nothing finished runs again."""

import signal
import subprocess
import time
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from experiments.study.run.locks import FileLock
from experiments.study.run.process import Child
from experiments.study.run.view import View
from tests.support.studies.bench import Bench, bench
from tests.support.studies.texts import SMALL

__all__ = ["bench"]

TWO_SEEDS = SMALL + "seeds: [1, 2]\n"
KILLS = 4


def wait_until(condition: Callable[[], bool], seconds: float = 240.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def ended(worker: "subprocess.Popen[str]") -> str:
    """Output of a worker that must end well."""
    out, _ = worker.communicate(timeout=120)
    assert worker.returncode == 0, out
    return out


def starts(bench: Bench) -> list[str]:
    """Labels of the trainings that were started, in order."""
    return [line.split()[1] for line in bench.trace() if line.startswith("start")]


def test_two_workers_started_at_once_share_the_runs(bench: Bench) -> None:
    bench.steer("hold", "1")  # the teacher ends; of what follows each worker takes one run, and holds it
    workers = [bench.start(text=TWO_SEEDS) for _ in range(2)]
    wait_until(lambda: len(starts(bench)) == 3)
    bench.steer("hold", "")
    outs = [ended(worker) for worker in workers]
    assert bench.ends() == dict.fromkeys(bench.labels(), 1)
    assert sorted(starts(bench)) == sorted(bench.labels())
    shares = [sum(f"{label} starts" in out for label in bench.labels()) for out in outs]
    assert sum(shares) == len(bench.labels())
    assert min(shares) >= 1
    assert all("9 of 9 runs are done" in out for out in outs)


@pytest.mark.slow
def test_killed_again_and_again_it_ends_in_the_same_table(bench: Bench) -> None:
    random = Random(0)
    bench.steer("slow", "0.1")
    for _ in range(KILLS):  # two end where one may, if both are at their last step: eight of ten at most
        allowed = sum(bench.ends().values()) + random.randint(0, 1)
        bench.steer("hold", str(allowed))
        lines = len(bench.trace())
        worker = bench.start("--workers=2", text=TWO_SEEDS)
        wait_until(lambda: len(bench.trace()) > lines and sum(bench.ends().values()) >= allowed)  # noqa: B023 - called at once
        time.sleep(random.choice([0.0, 0.02, 0.1, 0.4]))
        assert worker.poll() is None
        worker.kill()
        worker.communicate()
    bench.steer("hold", "")
    ended(bench.start("--workers=2", text=TWO_SEEDS))
    assert max(bench.ends().values()) == 1, "a finished training was run again"
    killed = bench.metrics()
    assert set(killed) == set(bench.labels())

    (bench.folder).rename(bench.root / "killed")
    bench.run("--workers=2", text=TWO_SEEDS)
    assert bench.metrics() == killed


@pytest.mark.slow
def test_a_killed_run_resumes_from_its_checkpoint_or_starts_again(bench: Bench) -> None:
    bench.steer("hold", "0")
    worker = bench.start(text=SMALL)
    teacher = bench.folder / "teacher" / "teacher_seed1"
    wait_until(lambda: bench.trace() == ["start teacher/teacher_seed1 0"])
    worker.kill()
    worker.communicate()
    lock = FileLock(bench.folder / "locks" / "teacher" / "teacher_seed1.lock")
    wait_until(lock.try_acquire, 5)  # its command dies with it, which frees the run
    lock.release()
    assert not (teacher / "checkpoints" / "last.ckpt").exists()

    bench.steer("hold", "")
    bench.steer("slow", "8")
    worker = bench.start(text=SMALL)
    wait_until((teacher / "checkpoints" / "last.ckpt").is_file)
    worker.kill()
    worker.communicate()
    steps = (teacher / "checkpoints" / "last.ckpt").read_text(encoding="utf-8")
    bench.steer("slow", "0")
    out = ended(bench.start(text=SMALL))
    assert bench.trace()[1:3] == ["start teacher/teacher_seed1 0", f"start teacher/teacher_seed1 {steps}"]
    assert "teacher/teacher_seed1 resumes from its last checkpoint" in out


@pytest.mark.parametrize(
    "sign", [signal.SIGINT, *(pytest.param(s, marks=pytest.mark.slow) for s in (signal.SIGTERM, signal.SIGHUP))]
)
def test_an_interrupted_worker_stops_its_commands(sign: signal.Signals, bench: Bench) -> None:
    bench.steer("slow", "30")
    worker = bench.start("--workers=2", text=SMALL)
    wait_until(lambda: bench.trace() == ["start teacher/teacher_seed1 0"])
    worker.send_signal(sign)
    out, _ = worker.communicate(timeout=60)
    assert worker.returncode == 130, out
    assert out.endswith("interrupted\n")
    lock = FileLock(bench.folder / "locks" / "teacher" / "teacher_seed1.lock")
    assert lock.try_acquire()
    lock.release()
    bench.steer("slow", "0")
    ended(bench.start("--workers=2", text=SMALL))
    assert bench.ends() == dict.fromkeys(bench.labels(), 1)


def test_a_second_signal_keeps_the_first_from_no_command(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """It comes while the first of two commands is asked to stop."""
    bench.steer("hold", "1")
    show, interrupt, asked = View.show, Child.interrupt, list[Child]()

    def show_and_stop(self: View, *args: Any) -> None:
        show(self, *args)
        if len(starts(bench)) == 3:
            raise KeyboardInterrupt

    def interrupt_and_stop(child: Child) -> None:
        asked.append(child)
        if len(asked) == 1:
            raise KeyboardInterrupt
        interrupt(child)

    monkeypatch.setattr(View, "show", show_and_stop)
    monkeypatch.setattr(Child, "interrupt", interrupt_and_stop)
    with pytest.raises(KeyboardInterrupt):
        bench.run("--workers=2", text=TWO_SEEDS)
    logs = [bench.folder / "logs" / f"{label}.log" for label in starts(bench)[1:]]
    assert len(logs) == 2
    assert all(log.read_text(encoding="utf-8").endswith("KeyboardInterrupt\n") for log in logs)


@pytest.mark.slow
def test_a_worker_waits_for_what_another_runs(bench: Bench) -> None:
    bench.steer("hold", "0")
    first = bench.start(text=SMALL)
    wait_until(lambda: bench.trace() == ["start teacher/teacher_seed1 0"])
    second = bench.start(text=SMALL)
    assert second.stdout is not None
    assert "0 of 5 runs are done at the start" in second.stdout.readline()
    time.sleep(0.5)  # all else needs the teacher
    assert bench.trace() == ["start teacher/teacher_seed1 0"]
    assert second.poll() is None
    bench.steer("hold", "")
    out = ended(second)
    assert "teacher/teacher_seed1 starts" not in out
    assert "5 of 5 runs are done" in out
    ended(first)
    assert bench.ends() == dict.fromkeys(bench.labels(), 1)
