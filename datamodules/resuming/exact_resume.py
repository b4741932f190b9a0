"""Resuming: where training is, counted by ourselves, and Lightning's counters rebuilt from it.

Lightning's loops (2.6) restart in a dozen ways, each inferred from which of their counters differ by one, and several
lose or repeat work: after a restart at an epoch's last batch the counters of the epoch that follows stay one behind, so
that a second restart takes its middle for its start; a validation that was due is skipped; with `max_steps` the epoch
after a whole one is skipped. So nothing is inferred from them here. `ExactResume` counts through the public hooks, in
whole optimizer steps, and when a checkpoint is loaded it writes the loops' counters new, in one of two forms from which
Lightning continues correctly: at the start of an epoch, or between two batches of one.
"""

from dataclasses import replace
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import EarlyStopping, GradientAccumulationScheduler, StochasticWeightAveraging
from pytorch_lightning.trainer.states import TrainerFn
from pytorch_lightning.utilities import rank_zero_info

from datamodules.resuming.loop_counters import Place, check_counters, counters_at


class ExactResume(pl.Callback):
    """Records the place of the last complete optimizer step, and makes training continue from a loaded one.

    It comes first among the callbacks, so that every checkpoint is written with the place that it belongs to.
    """

    def __init__(self) -> None:
        self.place = Place()
        self._here = self._total = self._steps = self._validated = 0
        self._loaded, self._early_stopped = False, ""
        self.resumed_after = (0, 0)
        """Epochs that were over where training was resumed, and optimizer steps in them."""

    def early_stopped(self, trainer: pl.Trainer | None) -> str:
        """Why early stopping has ended the run; empty where it has not."""
        callbacks = trainer.early_stopping_callbacks if trainer is not None else []
        reasons = (callback.stopping_reason_message for callback in callbacks if isinstance(callback, EarlyStopping))
        return next((reason for reason in reasons if reason), "")

    def resume_at(self, place: Place, early_stopped: str) -> None:
        """Continue from the place of a checkpoint whose counters are about to be loaded.

        Args:
            place: of the checkpoint.
            early_stopped: why early stopping had ended the run there; empty where it had not.
        """
        self.place, self._loaded, self._early_stopped = place, True, early_stopped
        self._here, self._total = place.batches, place.total
        self._validated = place.validated if place.validated > place.batches else 0

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Check that Lightning has the expected counters.

        Raises:
            RuntimeError: it keeps others.
        """
        if stage == "fit":
            check_counters(trainer.fit_loop.state_dict())

    def on_load_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Replace the counters that training is about to load by those of the place.

        Raises:
            ValueError: the checkpoint has no place, or none of this data module, or is later than asked for.
        """
        if trainer.state.fn != TrainerFn.FITTING:
            return
        if not self._loaded:
            raise ValueError(
                f"--ckpt_path={trainer.ckpt_path} does not say where {type(trainer.datamodule).__name__} was in its "  # type: ignore[attr-defined]
                "data: it was written while another data module was read, or by an earlier version of this project. "
                "Start a new run; its weights can still be evaluated and exported"
            )
        if any(isinstance(callback, StochasticWeightAveraging) for callback in trainer.callbacks):  # type: ignore[attr-defined]
            raise ValueError(
                "StochasticWeightAveraging does not save its average, so a run with it cannot be resumed "
                "exactly; leave it out, or start a new run. EMAWeightAveraging can be resumed"
            )
        if 0 <= trainer.max_steps < checkpoint["global_step"]:
            raise ValueError(
                f"--trainer.max_steps={trainer.max_steps}, but --ckpt_path={trainer.ckpt_path} has "
                f"{checkpoint['global_step']:,} steps; set more, or start a new run"
            )
        longest = trainer.max_epochs
        if longest not in (None, -1) and self.place.epoch >= longest and self.place.batches:
            raise ValueError(
                f"--trainer.max_epochs={longest}, but --ckpt_path={trainer.ckpt_path} is in epoch number "
                f"{self.place.epoch + 1}; set the number of epochs to which the run was continued"
            )
        for callback in trainer.early_stopping_callbacks:
            if isinstance(callback, EarlyStopping) and callback.state_key in checkpoint["callbacks"]:
                checkpoint["callbacks"][callback.state_key]["patience"] = callback.patience  # the one asked for now
        loops, steps = checkpoint["loops"], checkpoint["global_step"]
        loops["fit_loop"] = counters_at(loops["fit_loop"], self.place, trainer.world_size, steps)
        # Within an epoch the number of processes times accumulation is what it was.
        here = -(-self.place.batches // (trainer.world_size * trainer.accumulate_grad_batches))
        ended = self.place.ended
        self.resumed_after = (self.place.epoch + 1, steps) if ended else (self.place.epoch, steps - here)

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Note the optimizer steps taken; a run that early stopping has ended stays ended.

        Raises:
            ValueError: the place is after the last batch of an epoch.
        """
        self._steps = trainer.global_step
        here = self.place.batches // trainer.world_size
        if here >= trainer.num_training_batches and not self.place.ended:
            raise ValueError(
                f"--ckpt_path={trainer.ckpt_path} was written after batch {here} of an epoch, which now has "
                f"{trainer.num_training_batches}; trainer.limit_train_batches must not fall inside an epoch"
            )
        for callback in trainer.early_stopping_callbacks if self._early_stopped else []:
            if isinstance(callback, EarlyStopping):
                rank_zero_info("early stopping ended this run; to continue it, remove the callback")
                callback.stopping_reason_message = self._early_stopped
                trainer.should_stop = True

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Count from the epoch's first batch, and let Lightning do so too."""
        self._settle(trainer)
        if trainer.current_epoch != self.place.epoch:  # a module has left out the rest of the one before
            self.place, self._here = Place(epoch=trainer.current_epoch, total=self._total), 0
        # With `max_steps` Lightning takes every epoch that a loaded run begins for one that was begun before, and would
        # look for a validation after its batch number 0.
        trainer.fit_loop.epoch_loop.restarting = False

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Nothing that a restart does is left to be done."""
        for callback in trainer.callbacks if self._loaded else []:  # type: ignore[attr-defined]
            if isinstance(callback, GradientAccumulationScheduler):  # nothing calls it for an epoch that continues
                callback.on_train_epoch_start(trainer, pl_module)
        self._settle(trainer)

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Move on when the batch has completed an optimizer step; the batches of a step cut in two are repeated."""
        self._here = (batch_idx + 1) * trainer.world_size
        self._total += trainer.world_size
        if trainer.global_step != self._steps:
            self._steps = trainer.global_step
            ended = batch_idx + 1 >= trainer.num_training_batches
            self.place = Place(self.place.epoch, self._here, self._total, ended, self.place.validated)
            self._validated = 0
        elif self._here <= self._validated:  # the validation after this batch of a step cut in two is not repeated
            trainer.fit_loop.epoch_loop._skip_next_val = True

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Note that the validation due here has been run."""
        if not trainer.sanity_checking:
            self.place = replace(self.place, validated=self._here)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Move on to the next epoch, unless the trainer's limits have ended training inside this one."""
        self._settle(trainer)
        if self.place.ended:
            self.place, self._here = Place(epoch=self.place.epoch + 1, total=self._total), 0

    def _settle(self, trainer: pl.Trainer) -> None:
        """Correct the step that loggers get: a restart that finds a validation done counts it once more."""
        if self._loaded:
            trainer.fit_loop.epoch_loop._batches_that_stepped = trainer.global_step
            self._loaded = False
