"""What the benchmark of a teacher in int8 says of it, on a teacher of random weights."""

import math
from pathlib import Path

import pytest
import torch

from experiments.bench.__main__ import main
from experiments.bench.page import page
from experiments.bench.steps.int8_teacher import moved
from tests.world import World, read_json


def test_steps_are_timed_and_changes_measured(world: World, tmp_path: Path, capsys) -> None:
    options = ["--teacher", world.teacher, "--corpus", world.corpus, "--tokenizer", world.tokenizer, "--rounds", 1]
    output = tmp_path / "int8_teacher.json"
    assert main(["int8_teacher", *map(str, options), "--tokens", "512", "--batches", "2", "--json", str(output)]) == 0
    numbers = read_json(output)
    assert set(numbers["ways"]) == {"step", "step, int8 teacher", "teacher pass", "teacher pass, int8"}
    changes = numbers["changes"]
    assert changes["loss"] == pytest.approx(math.log(600), abs=0.2)
    assert changes["int8_loss"] == pytest.approx(changes["loss"], abs=0.01)
    assert 0.8 < changes["agreement"] <= 1.0
    assert -1e-9 < changes["divergence"] < 0.01
    assert changes["int8_loss"] != changes["loss"]
    assert "12 x 16 into 3 layers" in capsys.readouterr().out
    assert f"{changes['masked_tokens']:,} masked held-out tokens" in page(tmp_path)


def test_what_moves_is_counted_over_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two batches of two and one masked tokens, over two pieces; probabilities by hand."""
    half, most = torch.tensor([0.0, 0.0]), torch.tensor([math.log(3.0), 0.0])
    logits = {"exact": [torch.stack([most, most]), torch.stack([most])],
              "near": [torch.stack([most, half]), torch.stack([-most])]}  # fmt: skip
    monkeypatch.setattr(
        "experiments.bench.steps.int8_teacher.taught", lambda module, batch: logits[module][batch["number"]]
    )
    batches = [
        {"number": number, "labels": torch.zeros(1, size, dtype=torch.long), "masked_positions": torch.arange(size)}
        for number, size in enumerate((2, 1))
    ]
    found = moved("exact", "near", batches)  # type: ignore[arg-type]
    assert found["masked_tokens"] == 3
    assert found["loss"] == pytest.approx(-math.log(0.75))
    assert found["int8_loss"] == pytest.approx((-math.log(0.75) - math.log(0.5) - math.log(0.25)) / 3)
    to_half = 0.75 * math.log(0.75 / 0.5) + 0.25 * math.log(0.25 / 0.5)
    to_other = 0.75 * math.log(0.75 / 0.25) + 0.25 * math.log(0.25 / 0.75)
    assert found["divergence"] == pytest.approx((to_half + to_other) / 3)
    assert found["agreement"] == pytest.approx(2 / 3)  # of equal logits the first counts
