"""What docs/runs.md says about a run that is to become longer or shorter, or that is kept and extended elsewhere."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.world import Run, World


@pytest.fixture
def finished(run: Run, world: World, tmp_path: Path) -> Path:
    """The folder of a run of six steps."""
    run("fit", world.distil(tmp_path / "runs", "--run.recipe=kept"))
    return tmp_path / "runs" / "kept" / "base_seed42"


def _steps(folder: Path) -> Any:
    return json.loads((folder / "metrics.json").read_text(encoding="utf-8"))["steps"]


def test_a_copy_is_extended_and_the_shorter_run_stays(run: Run, finished: Path, tmp_path: Path) -> None:
    copy = tmp_path / "other" / "kept" / "base_seed42"
    shutil.copytree(finished, copy)
    before = {path: path.read_bytes() for path in finished.rglob("*") if path.is_file()}
    run("fit", ["-c", f"{copy}/config.yaml", "--ckpt_path=last", "--trainer.max_steps=8"])
    assert (_steps(copy), _steps(finished)) == (8, 6)
    assert (copy / "config_until_step6.yaml").is_file()
    assert {path: path.read_bytes() for path in finished.rglob("*") if path.is_file()} == before


def test_a_copy_of_another_name_is_refused_with_the_right_one(run: Run, finished: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(finished, copy)
    with pytest.raises(ValueError, match=r"Rename its folder to ROOT/kept/base_seed42"):
        run("fit", ["-c", f"{copy}/config.yaml", "--ckpt_path=last", "--trainer.max_steps=8"])


def test_another_arm_continues_a_run_without_a_copy(run: Run, finished: Path) -> None:
    checkpoint = f"--ckpt_path={finished}/checkpoints/last.ckpt"
    run("fit", ["-c", f"{finished}/config.yaml", checkpoint, "--run.arm=long", "--trainer.max_steps=8"])
    longer = finished.parent / "long_seed42"
    assert (_steps(longer), _steps(finished)) == (8, 6)
    assert (longer / "checkpoints" / "best.ckpt").is_file()


def test_fewer_steps_are_refused_and_a_new_arm_has_them(run: Run, finished: Path) -> None:
    config = ["-c", f"{finished}/config.yaml"]
    with pytest.raises(ValueError, match=r"max_steps=3, .* has 6 steps; set more, or start a new run"):
        run("fit", [*config, "--ckpt_path=last", "--trainer.max_steps=3"])
    run("fit", [*config, "--run.arm=short", "--trainer.max_steps=3", "--trainer.val_check_interval=3"])
    assert _steps(finished.parent / "short_seed42") == 3
