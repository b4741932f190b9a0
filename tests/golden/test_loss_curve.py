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

GOLDEN = Path(__file__).with_name("loss_curve.json")
TERMS = ("total", "soft_target", "masked_lm", "cosine")
TOLERANCE = 2e-4
"""Relative; processors and library versions add up in another order."""


def test_the_loss_curve_is_the_golden_one(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["train"])
    options = ["--trainer.max_steps=20", "--trainer.val_check_interval=20", "-c", "configs/distill/plus.yaml"]
    main(["fit", *world.distil(tmp_path, *options)])
    curves = scalars(tmp_path / "distilkobert" / "base_seed42")
    found = {term: [curves[f"train/loss/{term}"][step] for step in range(1, 21)] for term in TERMS}
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.write_text(json.dumps(found, indent=1) + "\n")
    golden = json.loads(GOLDEN.read_text())
    for term in TERMS:
        assert found[term] == pytest.approx(golden[term], rel=TOLERANCE), term
    assert golden["total"][-1] < golden["total"][0]
