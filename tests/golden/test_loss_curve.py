"""Twenty distillation steps on a fixed seed give the losses they gave before.

A refactor must keep this curve. A deliberate change of method writes it anew, with a run in docs/log.md:

    UPDATE_GOLDEN=1 pytest tests/golden
"""

import json
import os
from pathlib import Path

import pytest

from experiments.train import main
from tests.world import World, scalars

FOLDER = Path(__file__).parent
TERMS = ("total", "soft_target", "masked_lm", "cosine")
TOLERANCE = 2e-4
"""Relative; processors and library versions add up in another order."""

MASKED = [
    "--model.objectives.soft_target.weight=0.7",
    "--model.objectives.soft_target.on=masked_tokens",
    "--model.objectives.soft_target.temperature=4",
    "--model.objectives.masked_lm.weight=0.2",
    "--model.objectives.cosine.weight=0.05",
    "--model.objectives.cosine.on=masked_tokens",
]
"""Other values than the recipe's, each of which changes the curve."""


@pytest.mark.parametrize(("name", "changes"), [("loss_curve", []), ("loss_curve_masked", MASKED)])
def test_the_loss_curve_is_the_golden_one(
    name: str, changes: list[str], world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["train"])
    options = ["--trainer.max_steps=20", "--trainer.val_check_interval=20", "-c", "configs/distill/plus.yaml"]
    main(["fit", *world.distil(tmp_path, *options, *changes)])
    curves = scalars(tmp_path / "distilkobert" / "base_seed42")
    found = {term: [curves[f"train/loss/{term}"][step] for step in range(1, 21)] for term in TERMS}
    file = FOLDER / f"{name}.json"
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(json.dumps(found, indent=1) + "\n")
    golden = json.loads(file.read_text())
    for term in TERMS:
        # Soft targets are a difference of nearly equal distributions here: float32 rounds in the 4th digit.
        assert found[term] == pytest.approx(golden[term], rel=TOLERANCE, abs=2e-6), term
    assert golden["total"][-1] < golden["total"][0]
