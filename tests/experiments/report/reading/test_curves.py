"""Curves are read from event files: the later point counts, and what is not there is named."""

from pathlib import Path

import pandas as pd
from torch.utils.tensorboard import SummaryWriter

from experiments.report.figures.curves import curve_figures
from experiments.report.figures.style import style
from experiments.report.reading.curves import RunCurves, read_curves, thinned
from experiments.report.reading.runs import Run
from experiments.report.reading.scan import open_runs
from tests.support.report_world import ARMS, edit, fabricate, write_events


def test_the_later_point_of_a_resumed_run_counts(tmp_path: Path) -> None:
    run = Run("distil", "base", 1, tmp_path, {"steps": 40, "tokens_seen": 4400})
    write_events(tmp_path, {"val/loss": [(10, 9.0), (20, 8.0)], "train/tokens_seen": [(10, 1000.0), (20, 2000.0)]})
    write_events(tmp_path, {"val/loss": [(20, 7.0), (30, 6.0)]})
    read = read_curves(run, ["val/loss"], [])
    assert read.curves["val/loss"].y.tolist() == [9.0, 7.0, 6.0]
    over_tokens = read.over("val/loss", tokens=True)
    assert over_tokens.x.tolist() == [1000.0, 2000.0, 3200.0]  # half the way from 2,000 to the run's 4,400


def test_points_behind_the_step_of_a_resume_are_those_of_the_resumed_run(tmp_path: Path) -> None:
    """The interrupted run came to step 50; it was resumed from step 20 and, so far, came to step 30."""
    run = Run("distil", "base", 1, tmp_path)
    write_events(tmp_path, {"val/loss": [(step, float(step)) for step in (10, 20, 30, 40, 50)]})
    with SummaryWriter(str(tmp_path), purge_step=21) as writer:
        writer.add_scalar("val/loss", 3.5, 30)
    curve = read_curves(run, ["val/loss"], []).curves["val/loss"]
    assert curve.x.tolist() == [10.0, 20.0, 30.0]
    assert curve.y.tolist() == [10.0, 20.0, 3.5]


def test_a_run_without_events_is_named(tmp_path: Path) -> None:
    notes: list[str] = []
    assert read_curves(Run("distil", "base", 1, tmp_path), ["val/loss"], notes) == RunCurves(
        Run("distil", "base", 1, tmp_path), {}
    )
    assert notes == ["distil/base_seed1 has no event files, so it is in no curve."]


def test_event_files_that_say_too_little_are_noted(tmp_path: Path) -> None:
    folder = fabricate(tmp_path / "study", ARMS[:3], seeds=(1, 2), examples=4)
    (empty,) = (folder / "distil/base_seed1").glob("events.*")
    empty.write_bytes(b"")
    edit(folder / "distil/base_seed2/metrics.json", lambda metrics: metrics.update(steps=2000))
    notes: list[str] = []
    with style([]):
        curve_figures(open_runs(folder, []), "distil", notes)
    assert notes == [
        "distil/base_seed1 has no scalars in its event files, so it is in no curve.",
        "distil/base_seed2: its event files end at step 1000 of 2000; its curves are cut.",
    ]


def test_thinning_keeps_means() -> None:
    curve = thinned(pd.DataFrame({"x": range(7), "y": [0.0, 2, 4, 6, 8, 10, 5]}), points=3)
    assert curve.x.tolist() == [1.0, 4.0, 6.0]
    assert curve.y.tolist() == [2.0, 8.0, 5.0]
    short = pd.DataFrame({"x": range(3), "y": range(3)})
    assert thinned(short).y.tolist() == [0.0, 1.0, 2.0]
