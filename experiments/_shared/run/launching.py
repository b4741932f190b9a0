"""Which processes a run consists of: variables of a launcher that has not started them are not the run's."""

import os
from typing import Any, Final

import torch
from lightning_fabric.plugins.environments.slurm import SLURMEnvironment
from lightning_fabric.plugins.environments.torchelastic import TorchElasticEnvironment
from pytorch_lightning.utilities import rank_zero_only

_SLURM: Final = ("SLURM_NTASKS", "SLURM_PROCID", "SLURM_LOCALID", "SLURM_NODEID")
_RANKS: Final = ("RANK", "LOCAL_RANK", "NODE_RANK", "GROUP_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE")


def settle_processes(trainer: Any) -> None:
    """Forget a launcher's numbers of processes where it has not started those of this run.

    In a run of one process, numbers come from the job or the notebook in which it runs: with another than 0 nothing
    would write its files. A job of Slurm whose command was not started by `srun` has one process, and Lightning starts
    the others of the machine itself.

    Args:
        trainer: `trainer` as it was parsed.

    Raises:
        ValueError: the launcher has started another number of processes than the trainer asks for, or has to start
            those of several machines.
    """
    count, slurm = processes_of(trainer), "SLURM_NTASKS" in os.environ and SLURMEnvironment.detect()
    asked = f"trainer.devices times trainer.num_nodes is {count}"
    if TorchElasticEnvironment.detect():
        if (started := int(os.environ.get("WORLD_SIZE", "1"))) != count:
            raise ValueError(f"torchrun has started {started} processes, but {asked}; set both to the same")
    elif count == 1:
        _forget(*_SLURM, *_RANKS)
        rank_zero_only.rank = 0  # type: ignore[attr-defined] # set by Lightning's import
    elif slurm:
        tasks = int(os.environ.get("SLURM_STEP_NUM_TASKS", "1"))  # set by srun alone
        if tasks == 1 and trainer.num_nodes == 1:
            _forget(*_SLURM)
        elif tasks != count or "SLURM_NTASKS_PER_NODE" not in os.environ:
            raise ValueError(
                f"{asked}, but Slurm has started {tasks} of them: request --nodes={trainer.num_nodes} "
                f"--ntasks-per-node={count // trainer.num_nodes}, not --ntasks alone, and start the command with srun"
            )


def is_first_process() -> bool:
    """Whether this process writes the run's files: the first of all that launchers number, or the only one."""
    names = ("RANK",) if "RANK" in os.environ else ("SLURM_PROCID", "NODE_RANK", "LOCAL_RANK")
    return all(int(os.environ.get(name) or 0) == 0 for name in names)


def _forget(*names: str) -> None:
    for name in names:
        os.environ.pop(name, None)


def processes_of(trainer: Any) -> int:
    """Processes of all machines; a number of devices that Lightning would refuse is left to it."""
    devices = trainer.devices
    if isinstance(devices, str) and "," in devices:
        devices = [part for part in devices.split(",") if part.strip()]
    if isinstance(devices, (list, tuple)):
        return len(devices) * int(trainer.num_nodes)
    if str(devices) in ("auto", "-1"):
        gpus = torch.cuda.device_count() if trainer.accelerator in ("auto", "gpu", "cuda") else 0
        return max(gpus, 1) * int(trainer.num_nodes)
    return (int(devices) if str(devices).isdigit() else 0) * int(trainer.num_nodes)
