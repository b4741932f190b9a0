"""Why a training has ended."""

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


def _at_its_end(trainer: pl.Trainer) -> bool:
    loop = trainer.fit_loop
    if trainer.max_steps != -1 and trainer.global_step >= trainer.max_steps:
        return True
    # An epoch that is broken off counts as processed as well.
    whole = loop.epoch_loop.batch_progress.current.ready >= trainer.num_training_batches
    return loop.max_epochs not in (None, -1) and whole and loop.epoch_progress.current.processed >= loop.max_epochs
