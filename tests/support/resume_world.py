"""A training of batches that say which they are, a diary of what happens in it, and ways to break it off."""

import contextlib
import random
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import ModelCheckpoint

from datamodules.base import PlannedDataModule
from datamodules.batches.loading import Batch, PlannedLoader
from distilkobert.batching import BatchKey

BATCHES = 6  # of each epoch: twelve sequences, two fit into the budget
Event = tuple[Any, ...]


class KeyDataset:
    """Batches that say which they are."""

    fingerprint = "keys"

    def __getitem__(self, key: BatchKey) -> Batch:
        return {"key": torch.tensor([key.epoch, key.index, *key.rows])}


class KeyData(PlannedDataModule):
    def train_dataloader(self) -> PlannedLoader:
        return self.planned_train_loader(KeyDataset(), [5] * 12, max_tokens=10)

    def val_dataloader(self) -> PlannedLoader:
        return self.planned_evaluation_loader(KeyDataset(), [5] * 2, max_tokens=10)


class Regression(pl.LightningModule):
    """Weights that tell in which order they saw which batches, how often, and at which rate."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(3, 1)
        torch.nn.init.constant_(self.layer.weight, 0.1)
        torch.nn.init.constant_(self.layer.bias, 0.2)

    def training_step(self, batch: Batch, batch_index: int) -> torch.Tensor:
        return (self.layer(batch["key"][:3].float() / 10) - 1).square().sum()

    def validation_step(self, batch: Batch, batch_index: int) -> None:
        self.log("val/loss", 1.0, batch_size=1)

    def configure_optimizers(self) -> dict[str, Any]:
        optimizer = torch.optim.SGD(self.parameters(), lr=0.02, momentum=0.9)
        total = self.trainer.estimated_stepping_batches
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 - step / (total + 1))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


class Diary(pl.Callback):
    """Notes what happens: epochs, batches, optimizer steps, validations."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._steps = 0

    def steps(self) -> list[Event]:
        """What happened in whole steps: each with its batches, the first of an epoch after the epoch's start.

        Batches that no step has followed are left out, for a checkpoint does not hold them.
        """
        happened: list[Event] = []
        waiting: list[Event] = []
        for event in self.events:
            if event[0] in ("epoch", "batch"):
                waiting.append(event)
            elif event[0] == "step":
                happened.append((*event, *waiting))
                waiting = []
            else:
                happened.append(event)
        return happened

    def on_train_start(self, trainer: pl.Trainer, *_: Any) -> None:
        self._steps = trainer.global_step

    def on_train_epoch_start(self, trainer: pl.Trainer, *_: Any) -> None:
        self.events.append(("epoch", trainer.current_epoch))

    def on_train_batch_end(self, trainer: pl.Trainer, _: Any, __: Any, batch: Batch, batch_idx: int) -> None:
        self.events.append(("batch", batch_idx, *batch["key"].tolist()))
        if trainer.global_step != self._steps:
            self._steps = trainer.global_step
            self.events.append(("step", self._steps))

    def on_validation_end(self, trainer: pl.Trainer, *_: Any) -> None:
        if not trainer.sanity_checking:
            self.events.append(("validation", trainer.fit_loop.epoch_loop._batches_that_stepped))  # that of loggers

    def on_train_epoch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        self.events.append(("end", trainer.current_epoch))


class InterruptedRunError(Exception):
    pass


class SaveAndInterrupt(pl.Callback):
    """Writes a checkpoint at the n-th call of a hook and ends the run there, as a crash would."""

    def __init__(self, hook: str, call: int, path: Path) -> None:
        self.calls = 0

        def count(trainer: pl.Trainer, *_: Any) -> None:
            self.calls += not trainer.sanity_checking
            if self.calls == call:
                trainer.save_checkpoint(path)
                raise InterruptedRunError

        setattr(self, hook, count)


class Mishaps(pl.Callback):
    """Writes checkpoints at random moments of a run, and ends it at another.

    Args:
        diary: of the same run.
        path: the checkpoint.
        draw: chance.
        last: let the run come to its end, where it writes a checkpoint.
    """

    def __init__(self, diary: Diary, path: Path, draw: random.Random, last: bool = False) -> None:
        self.kept: list[Event] | None = None
        hooks = ("on_train_batch_end", "on_validation_end", "on_train_epoch_end")
        ending = (*hooks, "on_train_batch_start", "on_validation_batch_start", "on_train_epoch_start", "on_train_end")

        def save(trainer: pl.Trainer) -> None:
            trainer.save_checkpoint(path)
            self.kept = diary.steps()

        def happen(hook: str, trainer: pl.Trainer) -> None:
            if trainer.sanity_checking:
                return
            if hook == "on_train_end" or (hook in hooks and draw.random() < 0.3):
                save(trainer)
            if not last and draw.random() < 0.06:
                raise InterruptedRunError

        for hook in ending:
            setattr(self, hook, lambda trainer, *_, hook=hook: happen(hook, trainer))


def train(
    tmp_path: Path,
    callbacks: list[pl.Callback] | None = None,
    checkpoint: Path | None = None,
    num_workers: int = 0,
    **settings: Any,
) -> tuple[Diary, torch.Tensor]:
    """What happened until the end or an `InterruptedRunError`, and the weights then."""
    given = callbacks or []
    diary = next((callback for callback in given if isinstance(callback, Diary)), Diary())
    module = Regression()
    trainer = pl.Trainer(
        accelerator="cpu",
        default_root_dir=tmp_path,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=any(isinstance(callback, ModelCheckpoint) for callback in given),
        use_distributed_sampler=False,
        callbacks=[diary, *(callback for callback in given if callback is not diary)],
        **{"num_sanity_val_steps": 0, **settings},
    )
    with contextlib.suppress(InterruptedRunError):
        trainer.fit(module, datamodule=KeyData(7, num_workers), ckpt_path=checkpoint, weights_only=True)
    return diary, torch.cat([parameter.detach().flatten() for parameter in module.parameters()])
