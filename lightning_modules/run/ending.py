"""Why a training has ended."""

from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import EarlyStopping, Timer

from distilkobert.io.run_files import EARLY_STOPPING


def stopped_by(trainer: pl.Trainer) -> str:
    """What has stopped `fit` before its end: `early_stopping`, `max_time`, or `should_stop` for whatever else did.

    Empty where it has come to its last step or epoch, or had nothing to train.
    """
    if not trainer.should_stop or _at_its_end(trainer):
        return ""
    callbacks: list[pl.Callback] = trainer.callbacks  # type: ignore[attr-defined]
    if any(isinstance(callback, Timer) and not (callback.time_remaining() or 0) > 0 for callback in callbacks):
        return "max_time"
    if any(isinstance(callback, EarlyStopping) and callback.stopping_reason_message for callback in callbacks):
        return EARLY_STOPPING
    return "should_stop"


def ending_line(reason: str, step: int) -> str:
    """What `fit` says of a training that was stopped.

    Args:
        reason: from `stopped_by`, not empty.
        step: optimizer steps taken.
    """
    if reason == EARLY_STOPPING:
        return f"ended by early stopping after optimizer step {step}"
    longer = " and a longer --trainer.max_time" if reason == "max_time" else ""
    return (
        f"stopped by {reason} after optimizer step {step}, before the run's end; resume with --ckpt_path=last{longer}"
    )


def _at_its_end(trainer: pl.Trainer) -> bool:
    loop: Any = trainer.fit_loop  # its trackers are typed as their base
    if trainer.max_steps != -1 and trainer.global_step >= trainer.max_steps:
        return True
    # An epoch that is broken off counts as processed as well.
    whole = loop.epoch_loop.batch_progress.current.ready >= trainer.num_training_batches
    epochs: int = loop.epoch_progress.current.processed
    return loop.max_epochs not in (None, -1) and whole and epochs >= loop.max_epochs
