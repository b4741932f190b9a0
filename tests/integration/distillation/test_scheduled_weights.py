"""A scheduled weight at the end of training: in its last validation, its checkpoints, and a later validation."""

from pathlib import Path

import pytest

from distilkobert.models.checkpoints import read_checkpoint
from tests.integration.run.test_resume import PowerCutError, break_at
from tests.world import Run, World, read_json

FADING = """
model:
  init_args:
    objectives:
      soft_target: {init_args: {temperature: {start: 1, end: 4}}}
      masked_lm: {init_args: {weight: {start: 1, end: 0, until: 0.5}}}
"""
OTHERS = {"soft_target": 0.33, "cosine": 0.33}


@pytest.fixture
def options(world: World, tmp_path: Path) -> list[str]:
    """Six steps, of which training validates the fourth, so that the last is validated after training."""
    (tmp_path / "fading.yaml").write_text(FADING, encoding="utf-8")
    return world.distil(tmp_path, "-c", str(tmp_path / "fading.yaml"), "--trainer.val_check_interval=4")


def total(folder: Path, masked_lm: float) -> float:
    """The sum of the validated objectives, with this weight of masked language modelling."""
    metrics = read_json(folder / "metrics.json")
    weights = OTHERS | {"masked_lm": masked_lm}
    return sum(weight * float(metrics[f"val/objective/{name}"]) for name, weight in weights.items())


def test_the_last_validation_has_the_weights_of_the_end(options: list[str], run: Run, tmp_path: Path) -> None:
    run("fit", options)
    folder = tmp_path / "distilkobert" / "base_seed42"
    metrics = read_json(folder / "metrics.json")
    assert metrics["val/objective/total"] == pytest.approx(total(folder, 0.0), rel=1e-5)
    assert metrics["val/objective/total"] < 0.9 * total(folder, 1.0)
    last = folder / "checkpoints" / "last.ckpt"
    assert read_checkpoint(last)["progress"] == 1.0
    run("validate", ["-c", str(folder / "config.yaml"), f"--ckpt_path={last}"])
    again = read_json(folder / "metrics.json")
    compared = {name for name in metrics if name.startswith(("val/objective/", "val/loss"))}
    assert {name: again[name] for name in compared} == pytest.approx({name: metrics[name] for name in compared})


def test_a_resumed_run_ends_with_the_same_metrics(
    options: list[str], run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    often = "--last_checkpoint.every_n_steps=1"
    run("fit", [*options, often, "--run.arm=whole"])
    with monkeypatch.context() as patch:
        break_at(5, patch)
        with pytest.raises(PowerCutError):
            run("fit", [*options, often, "--run.arm=broken"])
    run("fit", [*options, often, "--run.arm=broken", "--ckpt_path=last"])
    whole, broken = (
        read_json(tmp_path / "distilkobert" / f"{arm}_seed42" / "metrics.json") for arm in ("whole", "broken")
    )
    compared = [name for name in whole if name.startswith(("val/objective/", "val/loss"))]
    assert "val/loss/soft_target" in compared
    assert {name: broken[name] for name in compared} == {name: whole[name] for name in compared}
