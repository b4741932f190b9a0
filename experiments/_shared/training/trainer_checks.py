"""Settings of the trainer that are refused before anything is made, each with what to do instead."""

from types import NoneType
from typing import Any

import torch
from pytorch_lightning.utilities import rank_zero_info

from experiments._shared.run.launching import processes_of
from experiments._shared.training.loggers import check_loggers

_TUNERS = {
    "LearningRateFinder": "compare rates in a study: an axis or a search over model.optimizer.lr (docs/studies.md)",
    "BatchSizeFinder": "estimate the memory of a size with --run.check_only=true",
}
"""Lightning's searches, which support neither our optimizer nor planned batches, with what to do instead."""

REFUSED_CLASSES = (*_TUNERS, "TensorBoardLogger")
"""Callbacks and loggers that no run takes."""

_LOW_WEIGHTS = ("16-true", "bf16-true", "transformer-engine", "transformer-engine-float16")
"""Precisions that convert the whole module, the states of its metrics included."""


def check_trainer(trainer: Any) -> None:
    """Check the settings of the trainer.

    Args:
        trainer: `trainer` as it was parsed.

    Raises:
        ValueError: it asks for what a run always does otherwise, for weights in 16 bits, for a search that is
            unsupported, or for what has no effect.
    """
    check_loggers(trainer.logger)
    if str(trainer.precision) in _LOW_WEIGHTS:
        raise ValueError(
            f"--trainer.precision={trainer.precision}: it keeps weights and sums of metrics in 16 bits: small updates "
            "are lost, and means over many batches are wrong. Use bf16-mixed, 16-mixed on older GPUs, or 32-true"
        )
    if trainer.limit_train_batches == 0:
        raise ValueError(
            "--trainer.limit_train_batches=0: nothing would be trained; for the untrained model use "
            "--trainer.max_steps=0"
        )
    clip = trainer.gradient_clip_val
    if clip is not None and not 0 <= clip < float("inf"):
        raise ValueError(f"--trainer.gradient_clip_val={clip}: expected a finite number of 0 or more; 0 clips nothing")
    if trainer.gradient_clip_algorithm is not None and not clip:
        raise ValueError(
            f"--trainer.gradient_clip_algorithm={trainer.gradient_clip_algorithm}: nothing is clipped without "
            "--trainer.gradient_clip_val; set that, or leave it out"
        )
    if trainer.default_root_dir is not None:
        raise ValueError("--trainer.default_root_dir: runs write into their run folder, see --run.root; leave it out")
    if not isinstance(trainer.val_check_interval, (int, float, NoneType)) and processes_of(trainer) != 1:
        raise ValueError(
            f"--trainer.val_check_interval={trainer.val_check_interval}: a time, which passes at another batch in each "
            "of several processes, so that they would wait for each other; give a number of batches"
        )
    for asked in trainer.callbacks if isinstance(trainer.callbacks, list) else [trainer.callbacks]:
        name = str(getattr(asked, "class_path", "")).rpartition(".")[2]
        if name in _TUNERS:
            raise ValueError(f"--trainer.callbacks: {name} is unsupported; {_TUNERS[name]}")


def settle_sanity_steps(trainer: Any) -> None:
    """Have one validation batch tried before training where none is to be: it shows the names of the metrics.

    Args:
        trainer: `trainer` as it was parsed; `num_sanity_val_steps` is changed.
    """
    if trainer.num_sanity_val_steps == 0:
        rank_zero_info("note: trainer.num_sanity_val_steps=0 is taken as 1: that batch shows the names of the metrics")
        trainer.num_sanity_val_steps = 1


def check_device(trainer: Any) -> None:
    """Check that this machine has the device.

    Args:
        trainer: `trainer` as it was parsed.

    Raises:
        ValueError: it asks for a GPU where there is none.
    """
    if trainer.accelerator in ("gpu", "cuda") and not torch.cuda.is_available():
        several = "" if trainer.strategy in ("auto", None) else "configs/trainer/ddp_cpu.yaml (two processes) or "
        raise ValueError(
            f"--trainer.accelerator={trainer.accelerator}: torch finds no CUDA GPU here; for a CPU replace the "
            f"GPU overlay by -c {several}configs/trainer/cpu.yaml, or add it last"
        )
