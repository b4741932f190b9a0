"""Signals as processes get them: exit codes, a second one, groups with loader workers, Slurm, several ranks."""

import inspect
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import pytorch_lightning as pl
import torch

from distilkobert.models.checkpoints import read_checkpoint
from distilkobert.stop_signals import StopSignals
from lightning_modules.callbacks import GracefulStop
from tests.faults.trainings.forks import Training
from tests.faults.trainings.mishaps import hang_after, signal_itself
from tests.integration.devices.test_ddp import TORCHRUN
from tests.world import World, read_json, scalars

LONG = ("--trainer.max_steps=100000", "--trainer.val_check_interval=100000", "--last_checkpoint.every_n_steps=1")


def wait_for(condition: Callable[[], bool], training: "Training | None" = None, seconds: float = 150) -> None:
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            raise TimeoutError(training.log.read_text() if training else "not within the time")
        time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGHUP])
def test_the_exit_code_is_that_of_the_signal(number: signal.Signals, world: World, tmp_path: Path) -> None:
    training = Training(world.pretrain(tmp_path), tmp_path / "log", tmp_path, mishap=partial(signal_itself, number, 1))
    assert training.code() == 128 + number
    last = tmp_path / "pretrain" / "base_seed42" / "checkpoints" / "last.ckpt"
    said = training.log.read_text()
    assert f"{number.name}: stopping after the current batch; a second signal exits at once\n" in said
    assert f"stopped by {number.name} after optimizer step 2; resume from {last}\n" in said
    assert "Traceback" not in said
    assert read_checkpoint(last)["global_step"] == 2
    assert not (last.parent.parent / ".lock").exists()


@pytest.mark.slow
def test_a_second_signal_ends_a_process_that_hangs(world: World, tmp_path: Path) -> None:
    """It hangs in code that does not come back to the interpreter, so that not even the first signal is answered."""
    training = Training(world.pretrain(tmp_path, *LONG), tmp_path / "log", tmp_path, mishap=partial(hang_after, 2))
    wait_for(lambda: "hanging" in training.log.read_text(), training)
    os.kill(training.pid, signal.SIGTERM)
    time.sleep(1)
    os.kill(training.pid, signal.SIGTERM)
    assert training.code(20) == 128 + signal.SIGTERM
    assert "SIGTERM: exited at once" in training.log.read_text()
    last = read_checkpoint(tmp_path / "pretrain" / "base_seed42" / "checkpoints" / "last.ckpt")
    assert last["global_step"] == 2


@pytest.mark.slow
def test_loader_workers_outlast_a_signal_to_all_processes(world: World, tmp_path: Path) -> None:
    training = Training(world.pretrain(tmp_path, *LONG, "--data.num_workers=2"), tmp_path / "log", tmp_path)
    last = tmp_path / "pretrain" / "base_seed42" / "checkpoints" / "last.ckpt"
    wait_for(last.is_file, training)
    os.killpg(training.pid, signal.SIGTERM)
    assert training.code() == 128 + signal.SIGTERM, training.log.read_text()
    assert "DataLoader worker" not in training.log.read_text()
    assert read_json(last.parent.parent / "metrics.json")["steps"] == read_checkpoint(last)["global_step"]


@pytest.fixture
def slurm(tmp_path: Path) -> dict[str, str]:
    """Variables of a Slurm job of one task, and a `scontrol` that notes what it is asked for."""
    program = tmp_path / "bin" / "scontrol"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path / "asked"}\n')
    program.chmod(0o755)
    names = {"JOB_ID": "123", "NTASKS": "1", "PROCID": "0", "LOCALID": "0", "NODEID": "0", "JOB_NAME": "train"}
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    return {**{f"SLURM_{name}": value for name, value in names.items()}, "PATH": path}


@pytest.mark.parametrize(("array", "job"), [(None, "123"), ("77", "77_4")])
def test_a_job_is_put_back_by_its_number(
    array: str | None, job: str, slurm: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = {"SLURM_ARRAY_JOB_ID": array, "SLURM_ARRAY_TASK_ID": "4"} if array else {}
    for name, value in {**slurm, **numbers}.items():
        monkeypatch.setenv(name, value)
    GracefulStop(StopSignals(), requeue=True)._requeue()
    GracefulStop(StopSignals(), requeue=False)._requeue()
    assert (tmp_path / "asked").read_text() == f"requeue {job}\n"
    (tmp_path / "bin" / "scontrol").write_text("#!/bin/sh\necho no such job >&2\nexit 1\n")
    GracefulStop(StopSignals(), requeue=True)._requeue()  # it is said, and the run stops all the same


@pytest.mark.slow
def test_a_slurm_job_is_requeued_and_goes_on_in_its_own_folder(
    slurm: dict[str, str], world: World, tmp_path: Path
) -> None:
    working = tmp_path / "working"
    working.mkdir()
    options = world.pretrain(tmp_path / "runs", "--run.resume=auto")
    folder = tmp_path / "runs" / "pretrain" / "base_seed42"
    first = Training(options, tmp_path / "log1", working, slurm, partial(signal_itself, signal.SIGUSR1, 1))
    assert first.code() == 128 + signal.SIGUSR1, first.log.read_text()
    assert (tmp_path / "asked").read_text() == "requeue 123\n"
    assert not any(working.iterdir())
    again = Training(options, tmp_path / "log2", working, slurm)  # what Slurm does
    assert again.code() == 0, again.log.read_text()
    assert f"resuming from {folder / 'checkpoints' / 'last.ckpt'}" in again.log.read_text()
    assert read_json(folder / "metrics.json")["steps"] == 4
    assert sorted(scalars(folder)["train/loss/total"]) == [1, 2, 3, 4]
    # A file of Lightning's in the working folder is no other run's start.
    (working / "hpc_ckpt_1.ckpt").write_bytes((folder / "checkpoints" / "last.ckpt").read_bytes())
    other = Training([*options, "--run.arm=other"], tmp_path / "log3", working, slurm)
    assert other.code() == 0, other.log.read_text()
    curves = [scalars(run)["train/loss/total"] for run in (folder, folder.with_name("other_seed42"))]
    assert curves[0] == curves[1]
    assert [path.name for path in working.iterdir()] == ["hpc_ckpt_1.ckpt"]
    assert not list((tmp_path / "runs").rglob("hpc_ckpt*"))


def test_lightning_asks_its_signal_connector_for_what_ours_has() -> None:
    """A change of Lightning's trainer shows here; `OwnSignals` has to follow it."""
    asked = set()
    for path in Path(pl.__file__).parent.rglob("*.py"):
        asked |= set(re.findall(r"\._signal_connector\.(\w+)", path.read_text(encoding="utf-8")))
    assert asked == {"received_sigterm", "register_signal_handlers", "teardown"}
    assert "_signal_connector = _SignalConnector(self)" in inspect.getsource(pl.Trainer.__init__)


def ranks(args: list[str], tmp_path: Path, name: str, mishaps: tuple[object, object] = (None, None)) -> list[Training]:
    """Both processes of a run, as a launcher starts them."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    common = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "NODE_RANK": "0"}
    args = [*args, "-c", "configs/trainer/ddp_cpu.yaml"]
    return [
        Training(args, tmp_path / f"{name}{rank}", tmp_path, {**common, "LOCAL_RANK": str(rank)}, mishaps[rank])  # type: ignore[arg-type]
        for rank in (0, 1)
    ]


@pytest.mark.slow
@pytest.mark.parametrize("who", ["both", "second"])
def test_two_processes_stop_together_and_go_on(who: str, world: World, tmp_path: Path) -> None:
    """In the middle of an accumulation, on ranks that get the signal at different micro-batches."""
    accumulated = ("--trainer.accumulate_grad_batches=4", "--trainer.val_check_interval=12", "--trainer.max_steps=3",
                   "--data.max_tokens=128")  # fmt: skip
    whole = ranks(world.pretrain(tmp_path / "whole", *accumulated), tmp_path, "whole")
    assert [rank.code() for rank in whole] == [0, 0], whole[0].log.read_text()
    options = world.pretrain(tmp_path / "cut", *accumulated)
    second = partial(signal_itself, signal.SIGTERM, 6)
    mishaps = (partial(signal_itself, signal.SIGTERM, 5) if who == "both" else None, second)
    stopped = ranks(options, tmp_path, "stopped", mishaps)
    assert [rank.code() for rank in stopped] == [143, 143], stopped[0].log.read_text()
    last = tmp_path / "cut" / "pretrain" / "base_seed42" / "checkpoints" / "last.ckpt"
    assert read_checkpoint(last)["global_step"] == 1
    resumed = ranks([*options, "--ckpt_path=last"], tmp_path, "resumed")
    assert [rank.code() for rank in resumed] == [0, 0], resumed[0].log.read_text()
    found, expected = (
        read_checkpoint(tmp_path / part / "pretrain" / "base_seed42" / "checkpoints" / "last.ckpt")["state_dict"]
        for part in ("cut", "whole")
    )
    for name, value in expected.items():
        assert torch.equal(found[name], value), name


@pytest.mark.slow
@pytest.mark.parametrize(("launcher", "codes"), [((), [143]), (TORCHRUN, [1, 143])], ids=["own", "torchrun"])
def test_a_signal_to_the_launcher_alone_stops_all(
    launcher: tuple[str, ...], codes: list[int], world: World, tmp_path: Path
) -> None:
    args = world.pretrain(tmp_path, *LONG, "-c", "configs/trainer/ddp_cpu.yaml")
    command = [sys.executable, "-m", *launcher, "experiments.train", "fit", *args]
    folder = tmp_path / "pretrain" / "base_seed42"
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    wait_for((folder / "checkpoints" / "last.ckpt").is_file)
    process.send_signal(signal.SIGTERM)
    assert process.wait(45) in codes, (tmp_path / "log").read_text()
    metrics = read_json(folder / "metrics.json")
    assert (metrics["status"], metrics["stopped_by"]) == ("stopped", "SIGTERM")
    assert metrics["steps"] == read_checkpoint(folder / "checkpoints" / "last.ckpt")["global_step"]
    wait_for(lambda: not group_lives(process.pid), seconds=20)


def group_lives(number: int) -> bool:
    """Whether a process group has processes."""
    try:
        os.killpg(number, 0)
    except ProcessLookupError:
        return False
    return True
