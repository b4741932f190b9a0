"""A training on a real, small file system that something else fills; skipped where none can be mounted."""

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from distilkobert.models.checkpoints import read_checkpoint
from lightning_modules import MaskedLanguageModeling
from tests.support.disks import small_disk
from tests.world import World

pytestmark = pytest.mark.slow
Run = Callable[..., Any]
_RUN = Path("pretrain/base_seed42")
_LAST = _RUN / "checkpoints" / "last.ckpt"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 16 MB."""
    with small_disk(tmp_path / "disk", "16m") as folder:
        yield folder


def _fill(disk: Path, but: int) -> Path:
    """Leave `but` bytes free."""
    filler = disk / "filler"
    system = os.statvfs(disk)
    filler.write_bytes(bytes(system.f_bavail * system.f_frsize - but))
    return filler


def test_a_disk_that_something_fills_costs_no_checkpoint(
    disk: Path, world: World, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ["--last_checkpoint.every_n_steps=1", "--trainer.max_steps=4", "--trainer.accumulate_grad_batches=1"]
    run("fit", world.pretrain(tmp_path / "untouched", *options))
    original = MaskedLanguageModeling.training_step

    def step(self: MaskedLanguageModeling, batch: Any, batch_idx: int) -> Any:
        if self.trainer.global_step == 2 and not (disk / "filler").exists():
            _fill(disk, but=100_000)
        return original(self, batch, batch_idx)

    again = world.pretrain(disk, *options, "--run.resume=auto")
    with monkeypatch.context() as patch:
        patch.setattr(MaskedLanguageModeling, "training_step", step)
        with pytest.raises(OSError, match=r"last\.ckpt") as caught:
            run("fit", again)
    assert caught.value.errno in (errno.ENOSPC, None)
    assert "No space left on device" in str(caught.value)
    assert read_checkpoint(disk / _LAST)["global_step"] == 1  # that of step 2 is written once its loss is known
    assert not list((disk / _RUN).rglob("*.partial"))

    before = (disk / _LAST).read_bytes()
    with pytest.raises(OSError, match=r"MB free, but a checkpoint has about"):
        run("fit", again)
    assert (disk / _LAST).read_bytes() == before

    (disk / "filler").unlink()
    run("fit", again)
    ours, expected = (read_checkpoint(root / _LAST)["state_dict"] for root in (disk, tmp_path / "untouched"))
    assert ours.keys() == expected.keys()
    assert all(torch.equal(value, expected[name]) for name, value in ours.items())


def test_a_disk_without_space_for_checkpoints_is_refused_before_anything_is_written(
    disk: Path, world: World, run: Run
) -> None:
    _fill(disk, but=200_000)
    with pytest.raises(OSError, match=r"free, but a checkpoint has about .* Free space, or choose another --run\.root"):
        run("fit", world.pretrain(disk, "--trainer.max_steps=1"))
    assert [path.name for path in disk.iterdir()] == ["filler"]
