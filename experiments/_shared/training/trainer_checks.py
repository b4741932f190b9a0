"""Settings of the trainer that are refused before anything is made, each with what to do instead."""

from typing import Any

import torch

from experiments._shared.training.loggers import check_loggers

_TUNERS = {
    "LearningRateFinder": "compare rates in a study: an axis or a search over model.optimizer.lr (docs/studies.md)",
    "BatchSizeFinder": "estimate the memory of a size with --run.check_only=true",
}
"""Lightning's searches, which support neither our optimizer nor planned batches, with what to do instead."""

_LOW_WEIGHTS = ("16-true", "bf16-true", "transformer-engine", "transformer-engine-float16")
"""Precisions that convert the whole module, the states of its metrics included."""


def check_trainer(trainer: Any) -> None:
    """Check the settings of the trainer.

    Args:
        trainer: `trainer` as it was parsed.

    Raises:
        ValueError: it asks for what a run always does otherwise, for weights in 16 bits, or for a search that is
            unsupported.
    """
    check_loggers(trainer.logger)
    if str(trainer.precision) in _LOW_WEIGHTS:
        raise ValueError(
            f"trainer.precision={trainer.precision}: it keeps weights and sums of metrics in 16 bits: small updates "
            "are lost, and means over many batches are wrong. Use bf16-mixed, 16-mixed on older GPUs, or 32-true"
        )
    if trainer.default_root_dir is not None:
        raise ValueError("trainer.default_root_dir: runs write into their run folder, see run.root; leave it out")
    for asked in trainer.callbacks if isinstance(trainer.callbacks, list) else [trainer.callbacks]:
        name = str(getattr(asked, "class_path", "")).rpartition(".")[2]
        if name in _TUNERS:
            raise ValueError(f"trainer.callbacks: {name} is unsupported; {_TUNERS[name]}")


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
            f"trainer.accelerator={trainer.accelerator}: torch finds no CUDA GPU here; for a CPU replace the "
            f"GPU overlay by -c {several}configs/trainer/cpu.yaml, or add it last"
        )
