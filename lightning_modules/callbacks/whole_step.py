"""Let every checkpoint be one of the last whole optimizer step, at whatever moment it is written."""

from copy import deepcopy
from typing import Any

import pytorch_lightning as pl


class WholeStep(pl.Callback):
    """Writes the counters of the last whole optimizer step into checkpoints that come later than its end.

    Gradients that are being accumulated are in no checkpoint, and weights do not change before the next step. So a
    checkpoint from between two steps is one of the step before, with the counters as they were right behind it: who
    resumes from it repeats the micro-batches whose gradients are lost, and a validation that was broken off.
    """

    def __init__(self) -> None:
        self._kept: dict[str, Any] = {}
        self._step = 0
        self._open = False
        self._broken_off = False

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Nothing is accumulated yet."""
        self._step, self._open = trainer.global_step, False

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Keep the counters where a step has just ended."""
        self._open = trainer.global_step == self._step
        if not self._open:
            self._step = trainer.global_step
            self._kept = deepcopy(_counters(trainer))

    def wind_back(self) -> None:
        """Take the validation that runs for one that has not begun, in the next checkpoint."""
        self._broken_off = True

    def on_save_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Replace the counters of a checkpoint that does not follow right upon a step."""
        # Before the first step of a run that was not resumed nothing is kept, and nothing is worth a checkpoint.
        if (self._open or self._broken_off) and self._kept:
            checkpoint["loops"] = {**checkpoint["loops"], "fit_loop": self._kept["fit_loop"]}
            checkpoint.update({name: value for name, value in self._kept.items() if name != "fit_loop"})

    def on_load_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Begin with the counters that the run is resumed with."""
        names = _names(trainer) & checkpoint.keys()
        kept = {"fit_loop": checkpoint["loops"]["fit_loop"], **{name: checkpoint[name] for name in names}}
        self._kept = deepcopy(kept)


def _names(trainer: pl.Trainer) -> set[str]:
    """Entries of a checkpoint, counters of the loops apart, that go on between two optimizer steps."""
    return {"epoch", "callbacks", type(_data(trainer)).__qualname__}


def _counters(trainer: pl.Trainer) -> dict[str, Any]:
    return {
        "fit_loop": trainer.fit_loop.state_dict(),
        "epoch": trainer.current_epoch,
        "callbacks": {callback.state_key: state for callback in trainer.callbacks if (state := callback.state_dict())},  # type: ignore[attr-defined]
        type(_data(trainer)).__qualname__: _data(trainer).state_dict(),
    }


def _data(trainer: pl.Trainer) -> pl.LightningDataModule:
    data: pl.LightningDataModule = trainer.datamodule  # type: ignore[attr-defined]
    return data
