"""What a training says of itself: its network in one line, and its progress in lines where there is no terminal."""

import logging
import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from distilkobert.io.durations import duration
from tests.world import Run, World, read_json, scalars


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every look at the clock is 30 seconds after the one before."""
    now = iter(range(0, 10**6, 30))
    clock = SimpleNamespace(monotonic=lambda: next(now))
    monkeypatch.setattr("lightning_modules.callbacks.progress_lines.time", clock)


def test_lines_tell_step_loss_rate_and_what_is_left(
    world: World, run: Run, tmp_path: Path, caplog: pytest.LogCaptureFixture, clock: None
) -> None:
    caplog.set_level(logging.INFO, "pytorch_lightning")
    run("fit", world.distil(tmp_path, "--model.student.freeze_positions=true"))
    said = "\n".join(caplog.messages)
    folder = tmp_path / "distilkobert" / "base_seed42"
    metrics = read_json(folder / "metrics.json")
    teacher = read_json(world.teacher / "config.json")
    network = re.search(r"DistilBertForMaskedLM: ([\d,]+) parameters, ([\d,]+) of them frozen", said)
    assert network is not None
    assert int(network[1].replace(",", "")) == metrics["parameters"]
    assert int(network[2].replace(",", "")) == teacher["max_position_embeddings"] * teacher["hidden_size"]
    # Begun at 0 s; steps end at 30, 60, ... s. The first line is due after 10 s, then one a minute: 30, 90 and 150 s.
    lines = re.findall(r"^step (\d) of 6, loss ([\d.]+), [\d,]+ tokens/s, about (.+) left$", said, re.MULTILINE)
    assert [(step, left) for step, _, left in lines] == [("1", "2 min"), ("3", "2 min"), ("5", "30 s")]
    curve = scalars(folder)["train/loss/total"]
    assert [float(loss) for _, loss, _ in lines] == pytest.approx([curve[step] for step in (1, 3, 5)], rel=1e-3)
    (found,) = re.findall(r"^step 6: (.*)$", said, re.MULTILINE)
    assert f"val/loss {metrics['val/loss']:.4g}" in found.split(", ")
    assert "layer0" not in found
    for word in ("FLOPs", "Trainable params"):
        assert word not in said


def test_a_step_of_several_batches_has_one_line(
    world: World, run: Run, tmp_path: Path, caplog: pytest.LogCaptureFixture, clock: None
) -> None:
    caplog.set_level(logging.INFO, "pytorch_lightning")
    run("fit", world.distil(tmp_path, "--trainer.accumulate_grad_batches=3", "--progress.every_seconds=20"))
    steps = re.findall(r"^step (\d) of 6, .* left$", "\n".join(caplog.messages), re.MULTILINE)
    assert steps == ["1", "2", "3", "4", "5", "6"]


@pytest.mark.parametrize(
    ("seconds", "text"), [(89.4, "89 s"), (90, "2 min"), (5369, "89 min"), (5400, "1 h 30 min"), (12_000, "3 h 20 min")]
)
def testdurations(seconds: float, text: str) -> None:
    assert duration(seconds) == text
