"""Which of a launcher's variables belong to a run, and which are only those of the job in which it runs."""

import os
from pathlib import Path

import pytest
from jsonargparse import Namespace
from lightning_fabric.utilities.rank_zero import rank_zero_only
from pytorch_lightning.plugins.environments import SLURMEnvironment

from experiments._shared.run.launching import is_first_process, settle_processes
from tests.world import Run, World, read_json

JOB = {"SLURM_JOB_ID": "7", "SLURM_JOB_NAME": "train", "SLURM_NTASKS": "4", "SLURM_PROCID": "3", "SLURM_LOCALID": "3",
       "SLURM_NODEID": "0"}  # fmt: skip
STEP = {**JOB, "SLURM_NTASKS_PER_NODE": "4", "SLURM_STEP_NUM_TASKS": "4"}


def asked(devices: object, num_nodes: int = 1) -> Namespace:
    return Namespace(devices=devices, num_nodes=num_nodes, accelerator="cpu")


@pytest.fixture
def job(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Variables of the fourth process of a job, and what Lightning makes of them when it is imported."""
    monkeypatch.setattr(rank_zero_only, "rank", 3)
    for name, value in {**JOB, "RANK": "3"}.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def test_a_run_of_one_process_within_a_job_writes_its_files(
    job: pytest.MonkeyPatch, world: World, run: Run, tmp_path: Path
) -> None:
    options = world.pretrain(tmp_path, "--trainer.max_steps=1", "--trainer.devices=1")
    run("fit", options)
    folder = tmp_path / "pretrain" / "base_seed42"
    assert read_json(folder / "metrics.json")["status"] == "finished"
    assert list(folder.glob("events.out.tfevents.*"))
    with pytest.raises(ValueError, match="already contains a run"):
        run("fit", options)


@pytest.mark.parametrize("devices", [1, "1", [2], "2,", "auto"])
def test_one_process_is_the_first(devices: object, job: pytest.MonkeyPatch) -> None:
    assert not is_first_process()
    settle_processes(asked(devices))
    assert is_first_process()
    assert rank_zero_only.rank == 0
    assert os.environ["SLURM_JOB_ID"] == "7"  # which requeues


def test_without_srun_lightning_starts_the_processes_of_one_machine(job: pytest.MonkeyPatch) -> None:
    job.delenv("RANK")
    settle_processes(asked(4))
    assert not SLURMEnvironment.detect()
    job.setenv("SLURM_NTASKS", "4")
    with pytest.raises(
        ValueError, match=r"num_nodes is 8, but Slurm has started 1 of them: .*--ntasks-per-node=4, .*srun"
    ):
        settle_processes(asked(4, num_nodes=2))


def test_processes_of_srun_are_those_of_the_run(job: pytest.MonkeyPatch) -> None:
    job.delenv("RANK")
    for name, value in STEP.items():
        job.setenv(name, value)
    settle_processes(asked(4))
    assert SLURMEnvironment().global_rank() == 3
    assert not is_first_process()
    with pytest.raises(ValueError, match="num_nodes is 2, but Slurm has started 4 of them"):
        settle_processes(asked(2))
    job.delenv("SLURM_NTASKS_PER_NODE")
    with pytest.raises(ValueError, match="--ntasks-per-node=4, not --ntasks alone"):
        settle_processes(asked(4))


def test_torchrun_with_another_number_of_processes(job: pytest.MonkeyPatch) -> None:
    job.setenv("TORCHELASTIC_RUN_ID", "run")
    job.setenv("WORLD_SIZE", "4")
    settle_processes(asked([0, 1], num_nodes=2))
    assert not is_first_process()
    with pytest.raises(ValueError, match=r"torchrun has started 4 processes, but .* is 1;"):
        settle_processes(asked(1))
