"""What is checked before the first step, and `--run.check_only=true`."""

import math
import os
import re
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from distilkobert.corpus.manifest import read_manifest
from distilkobert.models.checkpoints import read_checkpoint
from lightning_modules import Distillation, MaskedLanguageModeling
from lightning_modules.callbacks import Length
from tests.world import World

Run = Callable[..., Any]


def test_check_only_says_how_long_it_takes_and_writes_nothing(
    world: World, run: Run, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run(
        "fit",
        world.distil(tmp_path / "runs", "--run.check_only=true", "--trainer.max_steps=-1", "--trainer.max_epochs=3"),
    )
    assert list(tmp_path.iterdir()) == []
    tokens = 3 * read_manifest(world.corpus)["tokens"]["train"]
    said = caplog.text
    assert "checked, nothing was written" in said
    assert f" optimizer steps, {tokens:,} tokens, 3.00 epochs" in said
    assert re.search(
        r"objectives of the first batch: total [\d.]+, soft_target [\d.]+, masked_lm [\d.]+, cosine [\d.]+", said
    )
    assert re.search(r"time: about \d+ s at [\d,]+ tokens/s \(3 batches\)", said)


def test_check_only_refuses_what_a_start_refuses(world: World, run: Run, tmp_path: Path) -> None:
    run("fit", world.pretrain(tmp_path, "--trainer.max_steps=1"))
    with pytest.raises(ValueError, match="already contains a run"):
        run("fit", world.pretrain(tmp_path, "--run.check_only=true"))
    with pytest.raises(ValueError, match="check_only works with fit only; leave it out"):
        run("validate", world.pretrain(tmp_path, "--run.check_only=true"))


@pytest.mark.parametrize(
    ("length", "total"),
    [
        ((6, -1, 2), (6, 12)), ((6, 1, 2), (5, 10)), ((-1, 3, 4), (9, 30)), ((100, -1, 1), (100, 100)),
        ((0, 5, 1), (0, 0)), ((-1, 2, 4, 0.5), (4, 10)), ((3, -1, 4, 5), (3, 9)), ((-1, 2, 1, 99), (20, 20)),
    ],
)  # fmt: skip
def test_the_first_limit_counts(length: tuple[int, int, int], total: tuple[int, int]) -> None:
    assert Length(*length).total(10) == total


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (["max_epochs=null"], "1000.00 epochs"),
        (["max_epochs=3", "limit_train_batches=4"], "length: 6 optimizer steps, "),
        (["max_epochs=4", "limit_train_batches=0.5"], "4.00 epochs"),
    ],
)
def test_check_only_knows_all_that_limits_a_training(
    settings: list[str], said: str, world: World, run: Run, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    options = ["--run.check_only=true", "--trainer.max_steps=-1", "--trainer.accumulate_grad_batches=2"]
    run("fit", world.distil(tmp_path, *options, *(f"--trainer.{setting}" for setting in settings)))
    assert said in caplog.text
    asked = 1000 if "1000" in said else 2 if "0.5" in settings[-1] else None
    if asked is not None:  # times the tokens of an epoch, up to rounding
        whole = asked * read_manifest(world.corpus)["tokens"]["train"]
        found = re.search(r"optimizer steps, ([\d,]+) tokens", caplog.text)
        assert found is not None
        assert int(found[1].replace(",", "")) == pytest.approx(whole, rel=0.1)


def test_a_training_without_end_is_refused_by_the_check(world: World, run: Run, tmp_path: Path) -> None:
    endless = ["--trainer.max_steps=-1", "--trainer.max_epochs=-1"]
    with pytest.raises(ValueError, match=r"training has no end: set trainer\.max_steps or trainer\.max_epochs"):
        run("fit", world.distil(tmp_path, "--run.check_only=true", *endless))


@pytest.mark.parametrize(("checkpoints", "outcome"), [(1.5, "refused"), (2.5, "warned"), (4.0, "fine")])
def test_the_disk_has_space_for_the_checkpoints(
    checkpoints: float, outcome: str, world: World, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is needed is compared with a checkpoint that was really written."""
    run("fit", world.pretrain(tmp_path / "first", "--trainer.max_steps=1"))
    last = tmp_path / "first" / "pretrain" / "base_seed42" / "checkpoints" / "last.ckpt"
    saved = read_checkpoint(last)
    tensors = [*saved["state_dict"].values()]
    tensors += [
        value for state in saved["optimizer_states"][0]["state"].values() for value in state.values() if value.ndim
    ]
    size = sum({value.data_ptr(): value.numel() * value.element_size() for value in tensors}.values())
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=int(checkpoints * size)))
    options = world.pretrain(tmp_path / "second", "--trainer.max_steps=1")
    if outcome == "refused":
        with pytest.raises(OSError, match=r"MB free, but a checkpoint has about .* MB"):
            run("fit", options)
        assert not (tmp_path / "second").exists()
    elif outcome == "warned":
        with pytest.warns(UserWarning, match="the last checkpoint, the best one and one being written need"):
            run("fit", options)
    else:
        with warnings.catch_warnings():
            warnings.filterwarnings("error", message="the last checkpoint, the best one")
            run("fit", options)
        assert (tmp_path / "second" / "pretrain" / "base_seed42" / "checkpoints" / "last.ckpt").is_file()


@pytest.mark.parametrize(
    ("factor", "outcome"), [(math.nan, "refused"), (3.0, "warned"), (0.5, "warned"), (1.0, "fine")]
)
def test_objectives_of_the_first_batch(
    factor: float, outcome: str, world: World, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recwarn: Any
) -> None:
    original = MaskedLanguageModeling.training_step

    def step(self: MaskedLanguageModeling, batch: Any, batch_idx: int) -> Any:
        out = original(self, batch, batch_idx)
        return {**out, "terms": {name: value * factor for name, value in out["terms"].items()}}

    monkeypatch.setattr(MaskedLanguageModeling, "training_step", step)
    options = world.pretrain(tmp_path, "--trainer.max_steps=1")
    if outcome == "refused":
        with pytest.raises(
            FloatingPointError, match=r"masked_lm of the first batch is NaN or Inf before the first step"
        ):
            run("fit", options)
        return
    run("fit", options)
    warned = [str(warning.message) for warning in recwarn if "masked_lm of the first batch" in str(warning.message)]
    assert len(warned) == (outcome == "warned")
    low, high = (part * math.log(read_manifest(world.corpus)["tokenizer"]["vocab_size"]) for part in (0.8, 1.5))
    assert all(f"expected {low:.4g} to {high:.4g}" in message for message in warned)


@pytest.mark.parametrize("start", ["teacher", "random"])
@pytest.mark.parametrize("wrong", [None, "masked_lm", "soft_target", "cosine"])
def test_objectives_of_a_students_first_batch(
    start: str, wrong: str | None, world: World, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recwarn: Any
) -> None:
    """Copied and random students start inside the bands; an objective outside is named, and no other."""
    original = Distillation.training_step

    def step(self: Distillation, batch: Any, batch_idx: int) -> Any:
        out = original(self, batch, batch_idx)
        outside = {"masked_lm": 99.0, "soft_target": -1.0, "cosine": 1.9}
        return {**out, "terms": {**out["terms"], **({wrong: torch.tensor(outside[wrong])} if wrong else {})}}

    monkeypatch.setattr(Distillation, "training_step", step)
    run("fit", world.distil(tmp_path, f"--model.student.init={start}", "--trainer.max_steps=1"))
    warned = [str(warning.message) for warning in recwarn if "of the first batch is" in str(warning.message)]
    assert [message.split()[0] for message in warned] == ([wrong] if wrong else [])


def test_the_check_changes_no_random_number(
    world: World, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With dropout: the same weights as without the check."""
    options = ["--trainer.max_steps=2", "--model.encoder.dropout=0.3"]
    run("fit", world.pretrain(tmp_path / "with", *options))
    monkeypatch.setattr("lightning_modules.callbacks.start_check._terms_of", lambda *_: {"masked_lm": 1.0})
    run("fit", world.pretrain(tmp_path / "without", *options))
    first, second = (
        read_checkpoint(tmp_path / name / "pretrain" / "base_seed42" / "checkpoints" / "last.ckpt")["state_dict"]
        for name in ("with", "without")
    )
    assert all(torch.equal(value, second[name]) for name, value in first.items())


def test_a_folder_that_cannot_be_written_and_a_small_memory(
    world: World, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rights are not asked of the file system: to the superuser, who may run this, everything can be written."""
    options = world.pretrain(tmp_path / "runs", "--trainer.max_steps=1")
    with monkeypatch.context() as patch:
        system = SimpleNamespace(access=lambda *_: False, W_OK=os.W_OK, sysconf=os.sysconf)
        patch.setattr("lightning_modules.callbacks.start_check.os", system)
        with pytest.raises(PermissionError, match=r"cannot be written; choose another --run\.root"):
            run("fit", [*options, "--run.check_only=true"])
    monkeypatch.setattr("lightning_modules.callbacks.start_check._memory_bytes", lambda _: 100_000)
    with pytest.warns(UserWarning, match=r"weights, gradients and optimizer need 0\.\d MB of 0\.1 MB of memory"):
        run("fit", options)
