"""A run that was interrupted and resumed does what one that was not does, no more and no less."""

from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import ModelCheckpoint

from tests.support.resume_world import BATCHES, KeyData, Regression, SaveAndInterrupt, train

EPOCHS = 3
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


def assert_resumes(tmp_path: Path, hook: str, call: int, num_workers: int = 0, **settings: Any) -> None:
    """Interrupted at that call, then resumed: the same events and weights as without."""
    checkpoint = tmp_path / "crash.ckpt"
    whole, weights = train(tmp_path, **settings)
    before, _ = train(tmp_path, [SaveAndInterrupt(hook, call, checkpoint)], num_workers=num_workers, **settings)
    after, resumed = train(tmp_path, checkpoint=checkpoint, num_workers=num_workers, **settings)
    assert 0 < len(before.events) < len(whole.events)
    assert before.steps() + after.steps() == whole.steps()
    assert torch.equal(resumed, weights)


def test_uninterrupted_epochs_have_all_batches_in_new_orders(tmp_path: Path) -> None:
    diary, _ = train(tmp_path, max_epochs=2)
    seen = [event[2:] for event in diary.events if event[0] == "batch"]
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
        pytest.param(LIMITS[0], 4, id="epochs-4", marks=pytest.mark.slow),
        pytest.param(LIMITS[1], 1, id="steps", marks=pytest.mark.slow),
        pytest.param(LIMITS[2], 1, id="both", marks=pytest.mark.slow),
        pytest.param(LIMITS[2], 2, id="both-2", marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize(("hook", "call"), MOMENTS)
def test_resumed_run_equals_uninterrupted_run(
    tmp_path: Path, limits: dict[str, int], accumulated: int, hook: str, call: int
) -> None:
    settings = {**limits, "accumulate_grad_batches": accumulated}
    if "max_steps" in limits:
        settings["max_steps"] = limits["max_steps"] // accumulated
    assert_resumes(tmp_path, hook, call, **settings)


@pytest.mark.parametrize("interval", [2, 4])
@pytest.mark.parametrize(
    ("hook", "call"),
    [("on_validation_end", 2), ("on_train_batch_end", 4), ("on_train_batch_end", 6), ("on_train_epoch_end", 1)],
)
def test_resumed_run_with_validation_inside_epochs(tmp_path: Path, interval: int, hook: str, call: int) -> None:
    assert_resumes(tmp_path, hook, call, max_steps=11, max_epochs=-1, val_check_interval=interval)


@pytest.mark.parametrize("call", [1, 2, 3])
def test_a_validation_inside_a_step_is_not_repeated(tmp_path: Path, call: int) -> None:
    assert_resumes(tmp_path, "on_validation_end", call, max_epochs=2, accumulate_grad_batches=4, val_check_interval=2)


@pytest.mark.slow
@pytest.mark.parametrize(
    "settings",
    [
        {"max_steps": 11, "max_epochs": -1, "limit_train_batches": 4},
        {"max_epochs": EPOCHS, "limit_train_batches": 4, "limit_val_batches": 0},
        {"max_epochs": EPOCHS, "limit_train_batches": 0.5, "accumulate_grad_batches": 2},
        {"max_epochs": EPOCHS, "reload_dataloaders_every_n_epochs": 1, "num_workers": 1},
        {"max_steps": 14, "max_epochs": -1, "val_check_interval": 4, "check_val_every_n_epoch": None},
        {"max_epochs": EPOCHS, "num_sanity_val_steps": 1, "check_val_every_n_epoch": 1},
    ],
)
@pytest.mark.parametrize(
    ("hook", "call"), [("on_train_batch_end", 4), ("on_train_epoch_end", 1), ("on_validation_end", 1)]
)
def test_resumed_run_under_other_trainer_options(
    tmp_path: Path, settings: dict[str, Any], hook: str, call: int
) -> None:
    if hook == "on_validation_end" and "limit_val_batches" in settings:
        pytest.skip("there is no validation")
    assert_resumes(tmp_path, hook, call, **settings)


@pytest.mark.parametrize("accumulated", [1, 2])
@pytest.mark.parametrize("steps", [2, BATCHES, BATCHES + 1])
def test_run_stopped_by_max_steps_goes_on_where_it_stopped(tmp_path: Path, accumulated: int, steps: int) -> None:
    """The checkpoint is the trainer's own last one, written when `max_steps` ends the run, mostly inside an epoch."""
    settings = {"accumulate_grad_batches": accumulated, "max_epochs": -1}
    keeper = ModelCheckpoint(dirpath=tmp_path, save_last=True, save_top_k=0)
    parts = [
        train(tmp_path, max_steps=steps + 5, **settings)[0],
        train(tmp_path, [keeper], max_steps=steps, **settings)[0],
        train(tmp_path, checkpoint=tmp_path / "last.ckpt", max_steps=steps + 5, **settings)[0],
    ]
    whole, before, after = ([event for event in part.steps() if event[0] == "step"] for part in parts)
    assert before[-1][:2] == ("step", steps)
    assert before + after == whole


@pytest.mark.slow
@pytest.mark.parametrize(("hook", "call"), MOMENTS)
def test_loader_workers_that_ran_ahead_do_not_matter(tmp_path: Path, hook: str, call: int) -> None:
    assert_resumes(tmp_path, hook, call, num_workers=2, **LIMITS[2])


@pytest.mark.parametrize("change", [{"accumulate_grad_batches": 4}, {"accumulate_grad_batches": 3}])
def test_changed_plan_is_refused_in_the_middle_of_an_epoch(tmp_path: Path, change: dict[str, int]) -> None:
    """Six batches divide by 3 as by 1, and the plan is the same; but the steps are other ones."""
    checkpoint = tmp_path / "crash.ckpt"
    train(tmp_path, [SaveAndInterrupt("on_train_batch_end", 3, checkpoint)], max_epochs=1)
    names = r"\(seed, data.max_tokens, trainer.devices times .* times trainer.accumulate_grad_batches\)"
    with pytest.raises(ValueError, match=rf"after batch 3 of epoch 0.*planned from other data or settings {names}"):
        train(tmp_path, checkpoint=checkpoint, max_epochs=1, **change)


def test_a_limit_before_the_place_is_refused(tmp_path: Path) -> None:
    checkpoint = tmp_path / "crash.ckpt"
    train(tmp_path, [SaveAndInterrupt("on_train_batch_end", 4, checkpoint)], max_epochs=1)
    for limit in (3, 4):
        with pytest.raises(ValueError, match=rf"after batch 4 of an epoch, which now has {limit}; .*limit_train"):
            train(tmp_path, checkpoint=checkpoint, max_epochs=1, limit_train_batches=limit)


def test_evaluation_ignores_the_position_of_the_checkpoint(tmp_path: Path) -> None:
    checkpoint = tmp_path / "crash.ckpt"
    train(tmp_path, [SaveAndInterrupt("on_train_batch_end", 3, checkpoint)], max_epochs=1)
    data = KeyData(7, 0)
    trainer = pl.Trainer(accelerator="cpu", logger=False, enable_progress_bar=False, use_distributed_sampler=False)
    trainer.validate(Regression(), datamodule=data, ckpt_path=checkpoint, weights_only=True, verbose=False)
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
