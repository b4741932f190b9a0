"""The benchmark of soft targets tells apart what is held at once."""

from pathlib import Path

import pytest

from experiments.bench.__main__ import main
from tests.world import read_json


def test_parts_need_less_memory(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "s.json"
    options = ["--tokens=600", "--vocab_size=20000", "--hidden_size=8", "--rows=20", "--rounds=1"]
    assert main(["soft_targets", *options, f"--json={output}"]) == 0
    numbers = read_json(output)
    whole, parts = numbers["ways"]["all at once"], numbers["ways"]["20 rows at a time"]
    assert numbers["logits_mb"] == pytest.approx(48.0)
    assert whole["added_mb"] > 3 * 48, "both networks' logits, and their softmax"
    assert parts["added_mb"] < 0.7 * whole["added_mb"]
    assert "logits of one network have 48 MB" in capsys.readouterr().out


def test_bad_numbers_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["soft_targets", "--tokens=0"]) == 2
    assert "tokens is 0; expected at least 1" in capsys.readouterr().err
