"""Check a training before its first step: disk, memory, the objectives of its first batch; and how long it takes."""

import math
import os
import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import WeightAveraging
from pytorch_lightning.utilities import rank_zero_info, rank_zero_warn

from distilkobert.io.durations import duration
from lightning_modules.callbacks.checkpoints.trial import tried_step
from lightning_modules.masked_lm import MaskedLMModule
from lightning_modules.run.callbacks import first_callback

CHECKED_BATCHES = 4
"""Training batches of `run.check_only`; the first is not timed."""
_EPOCHS = 1000
"""Epochs that Lightning trains where neither steps, epochs nor a time are given."""
_FILES = 3
"""Checkpoints that are on the disk at once: the last, the best, and the one that is being written."""


@dataclass(frozen=True)
class Length:
    """How long a training is asked to be.

    Args:
        steps: optimizer steps; -1 for no limit.
        epochs: epochs; -1 for no limit.
        accumulated: micro-batches of a step and process.
        limit: most micro-batches of an epoch and process, or their share; None for all.
    """

    steps: int
    epochs: int
    accumulated: int
    limit: int | float | None = None

    @classmethod
    def asked(cls, trainer: Any) -> "Length":
        """What a trainer's settings ask for."""
        unlimited = trainer.max_steps == -1 and trainer.max_time is None
        epochs = trainer.max_epochs
        if epochs is None:
            epochs = _EPOCHS if unlimited else -1
        return cls(trainer.max_steps, epochs, trainer.accumulate_grad_batches, trainer.limit_train_batches)

    def of_an_epoch(self, batches: int) -> int:
        """Micro-batches that an epoch trains on, of those that there are."""
        if self.limit is None:
            return batches
        return min(self.limit, batches) if isinstance(self.limit, int) else int(self.limit * batches)

    def total(self, batches: int) -> tuple[int, int]:
        """Optimizer steps, and micro-batches of a process, of the whole training.

        Args:
            batches: micro-batches of an epoch and process; the last ones make a step even where they are fewer.

        Raises:
            ValueError: the training has no end.
        """
        batches = self.of_an_epoch(batches)
        in_epoch = -(-batches // self.accumulated)
        limits = [self.steps] if self.steps >= 0 else []
        limits += [self.epochs * in_epoch] if self.epochs >= 0 else []
        if not limits:
            raise ValueError("training has no end: set trainer.max_steps or trainer.max_epochs")
        whole, rest = divmod(min(limits), max(in_epoch, 1))
        return min(limits), whole * batches + rest * self.accumulated


class StartCheck(pl.Callback):
    """Refuse a start whose checkpoints do not fit on the disk; warn of what is probably wrong; estimate the run.

    Args:
        folder: of the run.
        length: how long the training is asked to be, whatever the trainer's limits are now.
        report: only check, and print what was found; the trainer is limited to `CHECKED_BATCHES`.
    """

    def __init__(self, folder: Path, length: Length, report: bool) -> None:
        self.folder, self.length, self.report = folder, length, report
        self._begun = self._seconds = 0.0
        self._tokens = self._batches = 0
        self._terms: dict[str, float] = {}

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Compare the disk and the memory with what the run needs.

        Raises:
            OSError: two checkpoints do not fit on the disk, or the run's folder cannot be written.
        """
        if trainer.is_global_zero and (self.report or not trainer.fast_dev_run):  # type: ignore[attr-defined]
            self._check_disk(trainer, pl_module)
        needed, there = _static_bytes(trainer, pl_module), _memory_bytes(trainer)
        if needed > 0.9 * there:
            rank_zero_warn(
                f"weights, gradients and optimizer need {_size(needed)} of {_size(there)} of memory, which leaves too "
                "little for the batches; use a smaller network or another device"
            )

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Measure the objectives of a new run's first batch, before a weight changes; start the clock after it.

        Raises:
            FloatingPointError: one is not finite.
        """
        if batch_idx == 0 and trainer.global_step == 0 and trainer.current_epoch == 0:
            self._terms = _terms_of(trainer, pl_module, batch)
            _check_terms(self._terms, pl_module.start_bands() if isinstance(pl_module, MaskedLMModule) else {})
        if self.report and batch_idx == 1:
            self._begun, self._tokens, self._batches = time.monotonic(), 0, 0

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Count tokens and time."""
        if self.report:
            self._tokens += int(batch["attention_mask"].sum())
            self._batches += 1
            self._seconds = time.monotonic() - self._begun

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Print what was found."""
        if not self.report:
            return
        loader: Any = trainer.train_dataloader
        sampler = loader.sampler
        speed = self._tokens / max(self._seconds, 1e-9) * trainer.world_size
        there = len(sampler)
        steps, batches = self.length.total(there)
        tokens = round(sampler.tokens * batches / there)
        weights, needed = _checkpoint_bytes(trainer, pl_module), _static_bytes(trainer, pl_module)
        objectives = ", ".join(f"{name} {value:.4g}" for name, value in self._terms.items())
        lines = [
            f"objectives of the first batch: {objectives}",
            f"length: {steps:,} optimizer steps, {tokens:,} tokens, "
            f"{batches / max(self.length.of_an_epoch(there), 1):.2f} epochs",
            f"time: about {duration(tokens / max(speed, 1e-9))} at {speed:,.0f} tokens/s ({self._batches} batches), "
            "without validations and checkpoints",
            f"memory: {_size(needed)} for weights, gradients and optimizer; peak so far {_size(_peak_bytes(trainer))}",
            f"disk: {_size(weights)} a checkpoint, {_size(_free_bytes(self.folder))} free",
        ]
        rank_zero_info("\n".join(["checked, nothing was written", *lines]))

    def _check_disk(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        parent = _existing(self.folder)
        if not os.access(parent, os.W_OK):
            raise PermissionError(f"{self.folder}: {parent} cannot be written; choose another --run.root")
        one, free = _checkpoint_bytes(trainer, pl_module), _free_bytes(self.folder)
        if free < 2 * one:
            raise OSError(
                f"{self.folder}: {_size(free)} free, but a checkpoint has about {_size(one)}, and the previous one is "
                "kept until the next is complete. Free space, or choose another --run.root"
            )
        if free < _FILES * one:
            rank_zero_warn(
                f"{self.folder}: {_size(free)} free, but the last checkpoint, the best one and one being written "
                f"need {_size(_FILES * one)}"
            )


def _terms_of(trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any) -> dict[str, float]:
    devices = [pl_module.device] if pl_module.device.type == "cuda" else []
    with torch.random.fork_rng(devices):
        terms = tried_step(trainer, pl_module, batch, 0)["terms"]
    return {name: float(value) for name, value in terms.items()}


def _check_terms(terms: dict[str, float], bands: dict[str, tuple[float, float]]) -> None:
    wrong = [name for name, value in terms.items() if not math.isfinite(value)]
    if wrong:
        raise FloatingPointError(
            f"{', '.join(wrong)} of the first batch is NaN or Inf before the first step: the initial weights or the "
            "precision are the cause. Try --trainer.precision=32-true, or other weights"
        )
    for name, (low, high) in bands.items():
        if not low <= terms[name] <= high:
            too_high = terms[name] > high
            advice = "Do weights and tokenizer match?" if too_high else "Does the input leak the answers?"
            rank_zero_warn(
                f"{name} of the first batch is {terms[name]:.4g}; expected {max(low, 0):.4g} to {high:.4g} before the "
                f"first step. {advice}"
            )


def _static_bytes(trainer: pl.Trainer, pl_module: pl.LightningModule) -> int:
    """Bytes of weights, their average, gradients and AdamW's two moments; a teacher's weights where there is one."""
    teacher = getattr(pl_module, "teacher_run", None)
    frozen = sum(p.numel() * p.element_size() for p in teacher.model.parameters()) if teacher is not None else 0
    return _copies_bytes(trainer, pl_module, 4) + frozen


def _checkpoint_bytes(trainer: pl.Trainer, pl_module: pl.LightningModule) -> int:
    """Bytes of a checkpoint: weights, their average, and AdamW's two moments."""
    return _copies_bytes(trainer, pl_module, 3)


def _copies_bytes(trainer: pl.Trainer, pl_module: pl.LightningModule, copies: int) -> int:
    """Bytes of `copies` of the weights that learn and one of the others; one more of all for an average of them."""
    averages = 0 if first_callback(trainer, WeightAveraging) is None else 1
    sizes = ((p.numel() * p.element_size(), p.requires_grad) for p in pl_module.parameters())
    return sum(size * ((copies if learns else 1) + averages) for size, learns in sizes)


def _memory_bytes(trainer: pl.Trainer) -> int:
    device = trainer.strategy.root_device
    if device.type == "cuda":
        return int(torch.cuda.get_device_properties(device).total_memory)
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _peak_bytes(trainer: pl.Trainer) -> int:
    device = trainer.strategy.root_device
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _free_bytes(folder: Path) -> int:
    return shutil.disk_usage(_existing(folder / "checkpoints")).free  # which may be a link to another disk


def _existing(folder: Path) -> Path:
    folder = folder.absolute()
    return next(path for path in (folder, *folder.parents) if path.is_dir())


def _size(count: float) -> str:
    return f"{count / 1e9:,.1f} GB" if count >= 1e9 else f"{count / 1e6:,.1f} MB"
