"""Resumed again and again, continued, and resumed: the counters from which training goes on."""

import random
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import EarlyStopping

from datamodules.resuming.loop_counters import Place, check_counters, counters_at, place_of
from tests.support.resume_world import BATCHES, Diary, Event, InterruptedRunError, Mishaps, SaveAndInterrupt, train

SHAPES: list[dict[str, Any]] = [
    {"max_epochs": 3},
    {"max_epochs": 3, "accumulate_grad_batches": 4, "val_check_interval": 2},
    {"max_steps": 15, "max_epochs": -1, "val_check_interval": 3},
    {"max_steps": 9, "max_epochs": -1, "accumulate_grad_batches": 2, "val_check_interval": 4},
    {"max_steps": 2 * BATCHES, "max_epochs": 4, "check_val_every_n_epoch": None, "val_check_interval": 5},
    {"max_epochs": 3, "limit_train_batches": 4, "limit_val_batches": 0},
    {"max_epochs": 3, "num_sanity_val_steps": 1, "val_check_interval": 0.5},
]


def chain(tmp_path: Path, draw: random.Random, cuts: int, **settings: Any) -> tuple[list[Event], torch.Tensor, int]:
    """What happened in a run that was broken off at random moments and resumed; lost parts are left out."""
    checkpoint, happened, resumed = tmp_path / f"{draw.random()}.ckpt", list[Event](), 0
    for cut in range(cuts + 1):
        diary = Diary()
        mishaps = Mishaps(diary, checkpoint, draw, last=cut == cuts)
        start = checkpoint if checkpoint.is_file() else None
        _, weights = train(tmp_path, [diary, mishaps], start, **settings)
        resumed += start is not None
        happened += mishaps.kept or []
    return happened, weights, resumed


@pytest.mark.parametrize("shape", range(len(SHAPES)))
@pytest.mark.parametrize("number", [0, *(pytest.param(n, marks=pytest.mark.slow) for n in range(1, 6))])
def test_chains_of_interruptions(tmp_path: Path, shape: int, number: int) -> None:
    draw = random.Random(100 * shape + number)
    whole, weights = train(tmp_path, **SHAPES[shape])
    happened, resumed, times = chain(tmp_path, draw, cuts=5, **SHAPES[shape])
    assert times > 1
    assert happened == whole.steps()[: len(happened)]
    # A run that has taken its last step before the last interruption has no more hooks.
    assert [event for event in whole.steps()[len(happened) :] if event[0] == "step"] == []
    assert torch.equal(resumed, weights)


@pytest.mark.parametrize("accumulated", [1, 4])
@pytest.mark.parametrize("cuts", [0, 3])
def test_continuations_train_every_epoch(tmp_path: Path, cuts: int, accumulated: int) -> None:
    """Two of them with interruptions; the steps are those that arithmetic gives."""
    draw, last, steps = random.Random(cuts), tmp_path / "last.ckpt", 0
    batches = {1: 6, 4: 8}[accumulated]  # two are split in halves, so that steps come out even
    for epochs in range(1, 6):
        diary, checkpoint = Diary(), last if steps else None
        settings: dict[str, Any] = {"max_epochs": epochs, "accumulate_grad_batches": accumulated}
        for cut in range(cuts):
            mishaps = Mishaps(diary, last, draw, last=cut == cuts)
            train(tmp_path, [diary, mishaps], checkpoint, **settings)
            checkpoint = last if last.is_file() else None
        diary = Diary()
        train(tmp_path, [diary, Mishaps(diary, last, draw, last=True)], checkpoint, **settings)
        steps = torch.load(last, weights_only=True)["global_step"]
        assert steps == epochs * batches // accumulated
        if not cuts:
            trained = [event for event in diary.events if event[0] == "batch"]
            assert [event[2] for event in trained] == [epochs - 1] * batches


def at_epoch_end_and_again(tmp_path: Path, hook: str) -> tuple[list[Event], list[Event]]:
    """Resumed from the end of epoch 0, then from the middle of epoch 1."""
    paths = tmp_path / "first.ckpt", tmp_path / "second.ckpt"
    cuts = (
        SaveAndInterrupt(hook, BATCHES if "batch" in hook else 1, paths[0]),
        SaveAndInterrupt("on_train_batch_end", 3, paths[1]),
    )
    whole, _ = train(tmp_path, max_epochs=3)
    first, _ = train(tmp_path, [cuts[0]], max_epochs=3)
    second, _ = train(tmp_path, [cuts[1]], paths[0], max_epochs=3)
    third, _ = train(tmp_path, checkpoint=paths[1], max_epochs=3)
    return first.steps() + second.steps() + third.steps(), whole.steps()


@pytest.mark.parametrize("hook", ["on_train_batch_end", "on_validation_end", "on_train_epoch_end"])
def test_second_resume_after_one_from_an_epochs_end(tmp_path: Path, hook: str) -> None:
    happened, whole = at_epoch_end_and_again(tmp_path, hook)
    assert happened == whole


def test_a_run_that_early_stopping_has_ended_stays_ended(tmp_path: Path) -> None:
    """Its metric never improves, so a patience of 2 ends it after three epochs; without one it goes on."""
    last, settings = tmp_path / "last.ckpt", {"max_epochs": 4}
    stopping = partial(EarlyStopping, "val/loss")
    whole, _ = train(tmp_path, [stopping(patience=2), SaveAndInterrupt("on_train_end", 1, last)], **settings)
    assert whole.steps()[-1] == ("end", 2)
    resumed, _ = train(tmp_path, [stopping(patience=2)], last, **settings)
    assert resumed.events == []
    longer, _ = train(tmp_path, checkpoint=last, **settings)
    assert [event for event in longer.steps() if event[0] != "step"] == [("validation", 4 * BATCHES - 1), ("end", 3)]


@pytest.mark.parametrize(("patience", "last_epoch"), [(3, 3), (1, 1)])
def test_another_patience_is_that_of_the_resumed_run(tmp_path: Path, patience: int, last_epoch: int) -> None:
    """A patience of 2 would end it after epoch 2; what was waited before counts."""
    path, stopping = tmp_path / "cut.ckpt", partial(EarlyStopping, "val/loss")
    train(tmp_path, [stopping(patience=2), SaveAndInterrupt("on_train_batch_end", BATCHES + 1, path)], max_epochs=6)
    resumed, _ = train(tmp_path, [stopping(patience=patience)], path, max_epochs=6)
    assert resumed.steps()[-1] == ("end", last_epoch)


def test_lightning_counts_what_resuming_knows() -> None:
    """A change of Lightning's loops shows here and in the chains above; `loop_counters.py` has to follow it."""
    trainer = pl.Trainer(accelerator="cpu", logger=False, enable_checkpointing=False)
    state = trainer.fit_loop.state_dict()
    check_counters(state)
    for changed in (
        {**state, "epoch_loop.new_progress": {}},
        {name: value for name, value in state.items() if name != "epoch_progress"},
        {**state, "epoch_progress": {"total": {}, "current": state["epoch_progress"]["current"]}},
        {**state, "epoch_loop.state_dict": {"_batches_that_stepped": 0, "_more": 1}},
    ):
        with pytest.raises(
            RuntimeError, match=r"has other loop counters than 2\.6.*install the version in constraints"
        ):
            check_counters(changed)


def test_lightning_asks_its_counters_in_the_way_that_resuming_expects(tmp_path: Path) -> None:
    """The flags by which the loops choose their way after a restart, seen from inside the training."""
    seen = {}

    class Flags(pl.Callback):
        def on_train_start(self, trainer: pl.Trainer, *_: Any) -> None:
            fit, epoch = trainer.fit_loop, trainer.fit_loop.epoch_loop
            seen["fit"] = (fit.restarted_mid_epoch, fit.restarted_on_epoch_end, fit.resumed_on_epoch_end)
            seen["epoch"] = (epoch.restarted_on_last, epoch.restarted_on_train_batch_end)
            seen["validation"] = epoch.val_loop.restarted_mid_evaluation
            raise InterruptedRunError

    for hook, call, mid, pending in (
        ("on_train_batch_end", 2, True, False),
        ("on_train_batch_end", BATCHES, True, True),
        ("on_validation_end", 1, True, False),
        ("on_train_epoch_end", 1, False, False),
    ):
        path = tmp_path / f"{hook}{call}.ckpt"
        train(tmp_path, [SaveAndInterrupt(hook, call, path)], max_epochs=2)
        train(tmp_path, [Flags()], path, max_epochs=2)
        assert seen["fit"] == (mid, False, False)
        assert seen["epoch"] == (mid, False)
        assert seen["validation"] is (pending or call == 2)
        steps = BATCHES if call != 2 else 2
        assert torch.load(path, weights_only=True)["global_step"] == steps


def test_counters_are_those_of_one_of_the_processes(tmp_path: Path) -> None:
    state = pl.Trainer(accelerator="cpu", logger=False, enable_checkpointing=False).fit_loop.state_dict()
    place = Place(epoch=2, batches=8, total=32)
    loop = counters_at(state, place, processes=2, steps=16)
    counts = {"ready": 4, "started": 4, "processed": 4, "completed": 4}
    assert loop["epoch_loop.batch_progress"]["current"] == counts
    assert loop["epoch_loop.batch_progress"]["total"] == dict.fromkeys(counts, 16)
    assert loop["epoch_progress"]["current"] == {"ready": 3, "started": 3, "processed": 2, "completed": 2}


def test_a_state_of_an_earlier_version_is_refused() -> None:
    with pytest.raises(ValueError, match="written by an earlier version of this project, whose checkpoints cannot be"):
        place_of({"epoch": 1, "position": 3, "plan": "x"})
