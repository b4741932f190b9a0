"""A trainer's callback by its class."""

from typing import TypeVar

import pytorch_lightning as pl

Kind = TypeVar("Kind", bound=pl.Callback)


def first_callback(trainer: pl.Trainer, kind: type[Kind]) -> Kind | None:
    """The trainer's first callback of a class; None where it has none."""
    callbacks: list[pl.Callback] = trainer.callbacks  # type: ignore[attr-defined]
    return next((callback for callback in callbacks if isinstance(callback, kind)), None)
