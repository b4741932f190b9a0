"""A run that was interrupted and resumed trains on the same batches as one that was not."""

import contextlib
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import ModelCheckpoint

from datamodules.base import Batch, PlannedDataModule, PlannedLoader
from distilkobert.batching import BatchKey

EPOCHS = 3
BATCHES = 6  # of each epoch: twelve sequences, two fit into the budget


class KeyDataset:
    """Batches that say which they are."""

    def __getitem__(self, key: BatchKey) -> Batch:
        return {"key": torch.tensor([key.epoch, key.index, *key.rows])}


class KeyData(PlannedDataModule):
    def train_dataloader(self) -> PlannedLoader:
        return self.planned_train_loader(KeyDataset(), [5] * 12, max_tokens=10)

    def val_dataloader(self) -> PlannedLoader:
        return self.planned_evaluation_loader(KeyDataset(), [5] * 2, max_tokens=10)


class Recorder(pl.LightningModule):
    """Notes the batches it trains on; asks for the number of steps, as learning rate schedules do."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)
        self.seen: list[tuple[int, ...]] = []

    def training_step(self, batch: Batch, batch_index: int) -> torch.Tensor:
        self.seen.append(tuple(batch["key"].tolist()))
        return self.layer(batch["key"][:1].float()).sum()

    def validation_step(self, batch: Batch, batch_index: int) -> None:
        pass

    def configure_optimizers(self) -> torch.optim.Optimizer:
        assert self.trainer.estimated_stepping_batches > 0
        return torch.optim.SGD(self.parameters(), lr=0.0)


class InterruptedRunError(Exception):
    pass


class SaveAndInterrupt(pl.Callback):
    """Writes a checkpoint at the n-th call of a hook and ends the run there, as a crash would."""

    def __init__(self, hook: str, call: int, path: Path) -> None:
        self.calls = 0

        def count(trainer: pl.Trainer, *_: Any) -> None:
            self.calls += 1
            if self.calls == call:
                trainer.save_checkpoint(path)
                raise InterruptedRunError

        setattr(self, hook, count)


def train(
    tmp_path: Path,
    callbacks: list[pl.Callback] | None = None,
    checkpoint: Path | None = None,
    num_workers: int = 0,
    **settings: Any,
) -> list[tuple[int, ...]]:
    """Batches trained on, until the end or an `InterruptedRunError`."""
    module = Recorder()
    trainer = pl.Trainer(
        accelerator="cpu",
        default_root_dir=tmp_path,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=any(isinstance(callback, ModelCheckpoint) for callback in callbacks or []),
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
        callbacks=callbacks or [],
        **settings,
    )
    with contextlib.suppress(InterruptedRunError):
        trainer.fit(module, datamodule=KeyData(7, num_workers), ckpt_path=checkpoint, weights_only=True)
    return module.seen


LIMITS: list[dict[str, int]] = [
    {"max_epochs": EPOCHS},
    {"max_steps": 16, "max_epochs": -1},
    {"max_steps": 16, "max_epochs": EPOCHS},
]
MOMENTS = [
    ("on_train_batch_end", 1),
    ("on_train_batch_end", 4),
    ("on_train_batch_end", BATCHES),
    ("on_train_batch_end", BATCHES + 2),
    ("on_validation_end", 1),
    ("on_train_epoch_end", 1),
    ("on_train_epoch_end", 2),
]


def test_uninterrupted_epochs_have_all_batches_in_new_orders(tmp_path: Path) -> None:
    seen = train(tmp_path, max_epochs=2)
    assert [key[0] for key in seen] == [0] * BATCHES + [1] * BATCHES
    for epoch in range(2):
        rows = sorted(row for key in seen if key[0] == epoch for row in key[2:])
        assert rows == list(range(12))
    assert [key[2:] for key in seen[:BATCHES]] != [key[2:] for key in seen[BATCHES:]]


@pytest.mark.parametrize(
    ("limits", "accumulated"),
    [
        pytest.param(LIMITS[0], 1, id="epochs"),
        pytest.param(LIMITS[1], 2, id="steps-2"),
        pytest.param(LIMITS[0], 2, id="epochs-2", marks=pytest.mark.slow),
        pytest.param(LIMITS[1], 1, id="steps", marks=pytest.mark.slow),
        pytest.param(LIMITS[2], 1, id="both", marks=pytest.mark.slow),
        pytest.param(LIMITS[2], 2, id="both-2", marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize(("hook", "call"), MOMENTS)
def test_resumed_run_equals_uninterrupted_run(
    tmp_path: Path, limits: dict[str, int], accumulated: int, hook: str, call: int
) -> None:
    checkpoint = tmp_path / "crash.ckpt"
    settings = {**limits, "accumulate_grad_batches": accumulated}
    if "max_steps" in limits:
        settings["max_steps"] = limits["max_steps"] // accumulated
    whole = train(tmp_path, **settings)
    before = train(tmp_path, [SaveAndInterrupt(hook, call, checkpoint)], **settings)
    after = train(tmp_path, checkpoint=checkpoint, **settings)
    assert 0 < len(before) < len(whole)
    assert before + after == whole


@pytest.mark.parametrize("interval", [2, 4])
@pytest.mark.parametrize(
    ("hook", "call"), [("on_validation_end", 2), ("on_train_batch_end", 4), ("on_train_epoch_end", 1)]
)
def test_resumed_run_with_validation_inside_epochs(tmp_path: Path, interval: int, hook: str, call: int) -> None:
    checkpoint = tmp_path / "crash.ckpt"
    settings = {"max_steps": 11, "max_epochs": -1, "val_check_interval": interval}
    whole = train(tmp_path, **settings)
    before = train(tmp_path, [SaveAndInterrupt(hook, call, checkpoint)], **settings)
    assert before + train(tmp_path, checkpoint=checkpoint, **settings) == whole


@pytest.mark.slow
@pytest.mark.parametrize(
    "settings",
    [
        {"max_steps": 11, "max_epochs": -1, "limit_train_batches": 4},
        {"max_epochs": EPOCHS, "limit_train_batches": 0.5, "accumulate_grad_batches": 2},
        {"max_epochs": EPOCHS, "reload_dataloaders_every_n_epochs": 1, "num_workers": 1},
        {"max_steps": 14, "max_epochs": -1, "val_check_interval": 4, "check_val_every_n_epoch": None},
    ],
)
@pytest.mark.parametrize(
    ("hook", "call"), [("on_train_batch_end", 4), ("on_train_epoch_end", 1), ("on_validation_end", 1)]
)
def test_resumed_run_under_other_trainer_options(
    tmp_path: Path, settings: dict[str, Any], hook: str, call: int
) -> None:
    checkpoint = tmp_path / "crash.ckpt"
    whole = train(tmp_path, **settings)
    before = train(tmp_path, [SaveAndInterrupt(hook, call, checkpoint)], **settings)
    assert 0 < len(before) < len(whole)
    assert before + train(tmp_path, checkpoint=checkpoint, **settings) == whole


@pytest.mark.parametrize("accumulated", [1, 2])
@pytest.mark.parametrize("steps", [2, BATCHES, BATCHES + 1])
def test_run_stopped_by_max_steps_goes_on_where_it_stopped(tmp_path: Path, accumulated: int, steps: int) -> None:
    """The checkpoint is the trainer's own last one, written when `max_steps` ends the run, mostly inside an epoch."""
    settings = {"accumulate_grad_batches": accumulated, "max_epochs": -1}
    keeper = ModelCheckpoint(dirpath=tmp_path, save_last=True, save_top_k=0)
    whole = train(tmp_path, max_steps=steps + 5, **settings)
    before = train(tmp_path, [keeper], max_steps=steps, **settings)
    after = train(tmp_path, checkpoint=tmp_path / "last.ckpt", max_steps=steps + 5, **settings)
    assert len(before) == steps * accumulated
    assert before + after == whole


@pytest.mark.slow
@pytest.mark.parametrize(("hook", "call"), MOMENTS)
def test_loader_workers_that_ran_ahead_do_not_matter(tmp_path: Path, hook: str, call: int) -> None:
    checkpoint = tmp_path / "crash.ckpt"
    settings: dict[str, Any] = {**LIMITS[2], "num_workers": 2}
    whole = train(tmp_path, **LIMITS[2])
    before = train(tmp_path, [SaveAndInterrupt(hook, call, checkpoint)], **settings)
    assert before + train(tmp_path, checkpoint=checkpoint, **settings) == whole


def test_changed_plan_is_refused_in_the_middle_of_an_epoch(tmp_path: Path) -> None:
    checkpoint = tmp_path / "crash.ckpt"
    train(tmp_path, [SaveAndInterrupt("on_train_batch_end", 3, checkpoint)], max_epochs=1)
    with pytest.raises(ValueError, match=r"after batch 3 of epoch 0.*planned from other data or settings"):
        train(tmp_path, checkpoint=checkpoint, max_epochs=1, accumulate_grad_batches=4)


def test_evaluation_ignores_the_position_of_the_checkpoint(tmp_path: Path) -> None:
    checkpoint = tmp_path / "crash.ckpt"
    train(tmp_path, [SaveAndInterrupt("on_train_batch_end", 3, checkpoint)], max_epochs=1)
    data = KeyData(7, 0)
    trainer = pl.Trainer(accelerator="cpu", logger=False, enable_progress_bar=False, use_distributed_sampler=False)
    trainer.validate(Recorder(), datamodule=data, ckpt_path=checkpoint, weights_only=True, verbose=False)
    assert len(list(data.train_dataloader())) == BATCHES


def test_trainer_settings_that_replace_the_plan_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="overfit_batches is 2"):
        train(tmp_path, max_epochs=1, overfit_batches=2)
    data = KeyData(0, 0)
    data.trainer = pl.Trainer(accelerator="cpu", devices=2, strategy="ddp", logger=False, use_distributed_sampler=True)
    with pytest.raises(ValueError, match="use_distributed_sampler is on with 2 processes"):
        data.setup("fit")


@pytest.mark.parametrize(("option", "arguments"), [("seed", (-1, 0)), ("num_workers", (0, -1))])
def test_settings_out_of_range(option: str, arguments: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match=f"{option} is -1"):
        KeyData(*arguments)
