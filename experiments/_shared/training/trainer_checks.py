"""Settings of the trainer that are refused before anything is made, each with what to do instead."""

from typing import Any

import torch

from experiments._shared.training.loggers import check_loggers

_OF_GPUS = ("gpu", "cuda")


def _check_accelerator(trainer: Any) -> None:
    """Refuse settings of GPUs on a machine without one, which Lightning does without saying what to do.

    Args:
        trainer: its settings.

    Raises:
        ValueError: names the overlay for the CPU.
    """
    if trainer.accelerator in _OF_GPUS and not torch.cuda.is_available():
        several = trainer.strategy not in ("auto", None)
        overlay = (
            "configs/trainer/ddp_cpu.yaml (two processes) or configs/trainer/cpu.yaml"
            if several
            else "configs/trainer/cpu.yaml"
        )
        raise ValueError(
            f"trainer.accelerator={trainer.accelerator}: torch finds no CUDA GPU here; for a CPU replace the GPU "
            f"overlay by -c {overlay}, or add it last"
        )


def _refuse_tuners(callbacks: Any) -> None:
    """Refuse Lightning's searches for a rate or a batch size, which support neither our optimizer nor planned batches.

    Args:
        callbacks: `trainer.callbacks` as it was parsed.

    Raises:
        ValueError: says what to do instead.
    """
    instead = {
        "LearningRateFinder": "compare rates in a study: an axis or a search over model.optimizer.lr (docs/studies.md)",
        "BatchSizeFinder": "estimate the memory of a size with --run.check_only=true",
    }
    for asked in callbacks if isinstance(callbacks, list) else [callbacks]:
        name = str(getattr(asked, "class_path", "")).rpartition(".")[2]
        if name in instead:
            raise ValueError(f"trainer.callbacks: {name} is unsupported; {instead[name]}")


def check_trainer(trainer: Any) -> None:
    """Check the settings of the trainer.

    Args:
        trainer: `trainer` as it was parsed.

    Raises:
        ValueError: it asks for what a run always does otherwise, for a search that is unsupported, or for a GPU where
            there is none.
    """
    check_loggers(trainer.logger)
    if trainer.default_root_dir is not None:
        raise ValueError("trainer.default_root_dir: runs write into their run folder, see run.root; leave it out")
    _refuse_tuners(trainer.callbacks)
    _check_accelerator(trainer)
