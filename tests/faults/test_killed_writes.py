"""Trainings that are killed inside the write of a checkpoint, again and again, on two file systems."""

import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import torch

from distilkobert.io.checkpoint_files import wholeness
from distilkobert.models.checkpoints import read_checkpoint
from tests.faults.trainings.forks import Training
from tests.faults.trainings.mishaps import kill_in_write
from tests.world import World, read_json

KILLS = 10  # on each of two file systems
OPTIONS = ("--trainer.max_steps=12", "--trainer.val_check_interval=4", "--last_checkpoint.every_n_steps=1",
           "--run.resume=auto", "--data.max_tokens=128")  # fmt: skip


@pytest.fixture(params=["memory", "disk"])
def folders(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    """A folder for runs, and one for temporary files on another file system."""
    memory = Path("/dev/shm")
    if not memory.is_dir() or memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("needs a second file system in /dev/shm")
    with tempfile.TemporaryDirectory(dir=memory) as name:
        pair = Path(name), tmp_path
        yield pair if request.param == "memory" else (pair[1], pair[0])


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_killed_writes_can_all_be_resumed(world: World, folders: tuple[Path, Path], tmp_path: Path) -> None:
    root, temporary = folders
    log, environment = tmp_path / "log", {"TMPDIR": str(temporary)}
    whole = world.pretrain(tmp_path / "whole", *OPTIONS)
    assert Training(whole, tmp_path / "whole.log", tmp_path).code() == 0
    options = world.pretrain(root / "runs", *OPTIONS)
    folder = root / "runs" / "pretrain" / "base_seed42"
    for kill in range(KILLS):
        mishap = partial(kill_in_write, place=kill % 5, files=kill % 3)
        assert Training(options, log, tmp_path, environment, mishap).code() == 128 + 9, log.read_text()
        kept = list((folder / "checkpoints").glob("*.ckpt"))
        assert [wholeness(path) for path in kept] == ["whole"] * len(kept)
        assert kept or kill == 0
        found = {path.name for path in (folder / "checkpoints").iterdir()}
        assert found <= {"last.ckpt", "best.ckpt", ".last.ckpt.partial", ".best.ckpt.partial"}
    assert Training(options, log, tmp_path, environment).code() == 0, log.read_text()
    found, expected = (read_checkpoint(run / "checkpoints" / "last.ckpt") for run in (
        folder, tmp_path / "whole" / "pretrain" / "base_seed42"))  # fmt: skip
    assert found["global_step"] == expected["global_step"] == 12
    for name, value in expected["state_dict"].items():
        assert torch.equal(found["state_dict"][name], value), name
    assert read_json(folder / "metrics.json")["status"] == "finished"
    assert not list((folder / "checkpoints").glob(".*"))
    assert not any(path for path in temporary.iterdir() if path.suffix == ".ckpt")
