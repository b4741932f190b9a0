"""Resuming in the middle of an epoch: what training has used, and trainer counters that lead back to it.

Lightning's counters are enough to go on from checkpoints written after a batch or after a validation. Those written at
the end of an epoch are different when `max_steps` is set (Lightning 2.6): the next epoch is skipped, and an epoch that
`max_steps` cut short counts as finished, so that its rest is lost. `ExactResume` writes such checkpoints with the
counters as they stood after the last batch, a form from which Lightning goes on correctly in all cases.
"""

from typing import Any

import pytorch_lightning as pl


def training_position(trainer: pl.Trainer) -> tuple[int, int]:
    """The epoch that training is in and the number of this rank's batches of it that are trained on, from the counters.

    After the last batch of an epoch it is the start of the next one. Batches that loader workers have prepared ahead do
    not count.
    """
    loop = trainer.fit_loop
    epochs: Any = loop.epoch_progress.current
    batches: Any = loop.epoch_loop.batch_progress.current
    used: int = batches.processed
    inside = 0 < used < trainer.num_training_batches
    if epochs.ready == epochs.processed:  # between two epochs, or stopped inside the one just counted as processed
        return (epochs.processed - 1, used) if inside and epochs.processed else (epochs.processed, 0)
    if epochs.started == epochs.processed:  # the epoch's first hooks run; the batch counters are still those before it
        return epochs.processed, 0
    return (epochs.processed, used) if inside or not used else (epochs.processed + 1, 0)


class ExactResume(pl.Callback):
    """Makes checkpoints of every moment resumable at exactly the next batch; see the top of this file."""

    def on_save_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Write the counters of a checkpoint made at or after an epoch's end as they stood after its last batch."""
        state = checkpoint["loops"]["fit_loop"]
        epochs, batches = state["epoch_progress"], state["epoch_loop.batch_progress"]
        current = epochs["current"]
        if current["ready"] != current["processed"] or not batches["current"]["processed"]:
            return
        for counted in (epochs["total"], epochs["current"]):
            counted["processed"] = counted["completed"] = counted["ready"] - 1
        for counted in (batches["total"], batches["current"]):
            counted["completed"] = counted["processed"] - 1
        if not trainer.fit_loop.epoch_loop._should_accumulate():
            # Loading such counters counts the last batch's optimizer step; it must not be counted twice.
            state["epoch_loop.state_dict"]["_batches_that_stepped"] -= 1
