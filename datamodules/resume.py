"""Resuming: where training is, counted by ourselves, and Lightning's counters rebuilt from it.

Lightning's loops (2.6) restart in a dozen ways, each inferred from which of their counters differ by one, and several
lose or repeat work: after a restart at an epoch's last batch the counters of the epoch that follows stay one behind, so
that a second restart takes its middle for its start; a validation that was due is skipped; with `max_steps` the epoch
after a whole one is skipped. So nothing is inferred from them here. `ExactResume` counts through the public hooks, in
whole optimizer steps, and when a checkpoint is loaded it writes the loops' counters new, in one of two forms from which
Lightning goes on correctly: at the start of an epoch, or between two batches of one.
"""

from dataclasses import asdict, dataclass, replace
from typing import Any, cast

import pytorch_lightning as pl
from pytorch_lightning import __version__ as lightning_version  # type: ignore[attr-defined]
from pytorch_lightning.trainer.states import TrainerFn

_FORMAT = {
    "state_dict": {},
    "epoch_loop.state_dict": {"_batches_that_stepped"},
    "epoch_loop.batch_progress": {"total", "current", "is_last_batch"},
    "epoch_loop.scheduler_progress": {"total", "current"},
    "epoch_loop.automatic_optimization.state_dict": {},
    "epoch_loop.automatic_optimization.optim_progress": {"optimizer"},
    "epoch_loop.manual_optimization.state_dict": {},
    "epoch_loop.manual_optimization.optim_step_progress": {"total", "current"},
    "epoch_loop.val_loop.state_dict": {},
    "epoch_loop.val_loop.batch_progress": {"total", "current", "is_last_batch"},
    "epoch_progress": {"total", "current"},
}
"""What the state of Lightning's training loop consists of (2.6)."""

_COUNTS = ("ready", "started", "processed", "completed")


@dataclass(frozen=True)
class Place:
    """A place between two optimizer steps of a training; the same on every rank.

    Args:
        epoch: epochs that are over, their last hooks included.
        batches: batches of the epoch after them that the weights were trained on, over all ranks.
        total: batches since the run began, over all ranks.
        ended: whether `batches` are all of that epoch; its last hooks are still to come.
        validated: batches of that epoch after which the last validation came; more than `batches` if it came before the
            end of the step after them.
    """

    epoch: int = 0
    batches: int = 0
    total: int = 0
    ended: bool = False
    validated: int = 0


class ExactResume(pl.Callback):
    """Knows the place of the last whole optimizer step, and makes training go on from a loaded one.

    It comes first among the callbacks, so that every checkpoint is written with the place that it belongs to.
    """

    def __init__(self) -> None:
        self.place = Place()
        self._here = self._total = self._steps = self._validated = 0
        self._loaded = False

    def resume_at(self, place: Place) -> None:
        """Go on from the place of a checkpoint whose counters are about to be loaded."""
        self.place, self._loaded = place, True
        self._here, self._total = place.batches, place.total
        self._validated = place.validated if place.validated > place.batches else 0

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Check that Lightning keeps the counters that resuming knows.

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
            ValueError: the checkpoint has no place, or none of this data module.
        """
        if trainer.state.fn != TrainerFn.FITTING:
            return
        if not self._loaded:
            raise ValueError(
                f"--ckpt_path={trainer.ckpt_path} does not say where {type(trainer.datamodule).__name__} was in its "  # type: ignore[attr-defined]
                "data: it was written while another data module was read, or by an earlier version of this project. "
                "Start a new run; its weights can still be evaluated and exported"
            )
        loops = checkpoint["loops"]
        loops["fit_loop"] = counters_at(loops["fit_loop"], self.place, trainer.world_size, checkpoint["global_step"])

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Note the optimizer steps taken.

        Raises:
            ValueError: the place is behind the last batch of an epoch.
        """
        self._steps = trainer.global_step
        here = self.place.batches // trainer.world_size
        if here >= trainer.num_training_batches and not self.place.ended:
            raise ValueError(
                f"--ckpt_path={trainer.ckpt_path} was written after batch {here} of an epoch, which now has "
                f"{trainer.num_training_batches}; trainer.limit_train_batches must not fall inside an epoch"
            )

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
        """Put right the step that loggers are given: a restart that finds a validation done counts it once more."""
        if self._loaded:
            trainer.fit_loop.epoch_loop._batches_that_stepped = trainer.global_step
            self._loaded = False


def place_of(state: dict[str, Any]) -> Place:
    """The place in a data module's state.

    Raises:
        ValueError: it has none.
    """
    try:
        return Place(**{name: state[name] for name in asdict(Place())})
    except KeyError as error:
        raise ValueError(
            f"the checkpoint does not say whether '{error.args[0]}': it was written by an earlier version of this "
            "project, whose checkpoints cannot be resumed. Start a new run; its weights can still be evaluated and "
            "exported"
        ) from error


def counters_at(found: dict[str, Any], place: Place, processes: int, steps: int) -> dict[str, Any]:
    """The state of Lightning's training loop from which it goes on at a place.

    Args:
        found: the loop's state in the checkpoint; what only informs is kept of it.
        place: where to go on.
        processes: number of processes now.
        steps: optimizer steps taken.

    Raises:
        RuntimeError: the state is one of another Lightning.
    """
    check_counters(found)
    begun = place.batches > 0
    here, total = place.batches // processes, place.total // processes
    epoch = {"ready": place.epoch + begun, "started": place.epoch + begun, "processed": place.epoch}
    epochs = {**epoch, "completed": place.epoch}
    # A validation that has begun and not ended is run again, one without any batch is not.
    pending = place.validated < place.batches
    validation = {"ready": int(pending), "started": int(pending), "processed": 0, "completed": 0}
    return {
        **found,
        "epoch_progress": {"total": dict(epochs), "current": dict(epochs)},
        "epoch_loop.batch_progress": {
            "total": dict.fromkeys(_COUNTS, total),
            "current": dict.fromkeys(_COUNTS, here),
            "is_last_batch": place.ended,
        },
        # Lightning counts a step after the validation that follows it.
        "epoch_loop.state_dict": {"_batches_that_stepped": steps - begun},
        "epoch_loop.val_loop.batch_progress": {
            "total": validation,
            "current": dict.fromkeys(_COUNTS, 0),
            "is_last_batch": False,
        },
    }


def check_counters(state: dict[str, Any]) -> None:
    """Check that the state of Lightning's training loop consists of the counters that resuming knows.

    Raises:
        RuntimeError: it does not; names those that are new or missing.
    """
    unlike = sorted(state.keys() ^ _FORMAT.keys())
    unlike += [
        f"{name}.{part}"
        for name, parts in _FORMAT.items()
        if name in state and parts
        for part in sorted(set(state[name]) ^ set(parts))
    ]
    for name in ("epoch_progress", "epoch_loop.batch_progress", "epoch_loop.val_loop.batch_progress"):
        for part in ("total", "current"):
            counts = cast(dict[str, Any], state.get(name, {}).get(part, {}))
            unlike += [f"{name}.{part}.{count}" for count in sorted(counts.keys() ^ set(_COUNTS))]
    if unlike:
        raise RuntimeError(
            f"pytorch-lightning {lightning_version} counts otherwise than 2.6, for which exact resume was built "
            f"({', '.join(unlike[:4])}); install the version in constraints.txt"
        )
