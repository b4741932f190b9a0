"""Progress in words: what is trained, and lines for log files, where a bar would leave a thousand of them."""

import time
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import ModelSummary
from pytorch_lightning.utilities import rank_zero_info

from distilkobert.io.durations import duration
from distilkobert.io.metric_names import OBJECTIVES_TOTAL, VAL
from lightning_modules.base import EncoderModule
from lightning_modules.callbacks.training_log import TrainingLog
from lightning_modules.run.callbacks import first_callback
from lightning_modules.run.total_steps import total_steps

_FIRST_AFTER = 10.0
"""Seconds of training after which the first line comes."""


class ModelLine(ModelSummary):
    """Say which network is trained and how large it is, in place of Lightning's table of submodules."""

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Count the network's parameters; a teacher is not among them."""
        assert isinstance(pl_module, EncoderModule)
        total = sum(parameter.numel() for parameter in pl_module.network.parameters())
        frozen = sum(p.numel() for p in pl_module.network.parameters() if not p.requires_grad)
        note = f", {frozen:,} of them frozen" if frozen else ""
        rank_zero_info(f"{type(pl_module.network).__name__}: {total:,} parameters{note}")


class ProgressLines(pl.Callback):
    """Lines of progress where there is no bar: step, loss, tokens per second, remaining time, scores of validations.

    Args:
        every_seconds: time between two lines; the first comes after 10 s, or earlier if this time is shorter.

    Raises:
        ValueError: the time is not above 0.
    """

    def __init__(self, every_seconds: float = 60.0) -> None:
        if not every_seconds > 0:
            raise ValueError(f"progress.every_seconds={every_seconds}: must be more than 0")
        self.every_seconds = every_seconds
        self._started = self._due = 0.0
        self._first_step = self._seen_step = 0

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Start the clock of a resumed run."""
        self._started = time.monotonic()
        self._due = self._started + min(_FIRST_AFTER, self.every_seconds)
        self._first_step = self._seen_step = trainer.global_step

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        """Print a line if one is due, at the end of an optimizer step: between its batches its time is not known."""
        step = trainer.global_step
        if step == self._seen_step:
            return
        self._seen_step, now = step, time.monotonic()
        if now < self._due:
            return
        self._due = now + self.every_seconds
        total = int(total_steps(trainer))
        left = (total - step) * (now - self._started) / (step - self._first_step)
        shown = trainer.progress_bar_metrics
        values = f", loss {shown['loss']:.4g}, {shown['tokens/s']:,.0f} tokens/s" if "tokens/s" in shown else ""
        log = first_callback(trainer, TrainingLog)
        if values and log is not None and log.logged_step != step:
            values += f" (step {log.logged_step:,})"
        rank_zero_info(f"step {step:,} of {total:,}{values}, about {duration(left)} left")

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Print the scalars of a validation during training, without their subdivisions."""
        if trainer.sanity_checking or trainer.state.fn != "fit":
            return
        metrics = trainer.callback_metrics
        found = [
            f"{name} {float(metrics[name]):.4g}"
            for name in metrics
            if name.startswith(VAL) and (name.count("/") == 1 or name == OBJECTIVES_TOTAL)
        ]
        if found:
            rank_zero_info(f"step {trainer.global_step:,}: {', '.join(found)}")
