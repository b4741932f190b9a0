"""Progress at a terminal and elsewhere."""

import io
import re
from pathlib import Path

import pytest
from rich.console import Console

from experiments._shared.plan_file import Plan
from experiments.study.plan.expand import expand
from experiments.study.plan.parsing import parse_study
from experiments.study.run.status import Remaining, Status, remaining, statuses
from experiments.study.run.trials import Entry
from experiments.study.run.view import View
from tests.support.studies.texts import FULL, declare

ENTRIES = {
    "corpus/corpus_seed1": Entry("done", 0),
    "teacher/teacher_seed1": Entry("done", 1),
    "distil/copied_seed1": Entry("running", 2),
    "distil/random_seed1": Entry("failed", 3),
    "distil/undistilled_seed1": Entry("waiting", 4),
    "nsmc/teacher_seed1": Entry("waiting", 5),
    "nsmc/copied_seed1": Entry("waiting", 6),
    "nsmc/random_seed1": Entry("waiting", 7),
    "nsmc/undistilled_seed1": Entry("waiting", 8),
    "latency/exports_seed1": Entry("waiting", 9),
}


def test_the_status_of_every_run(tmp_path: Path) -> None:
    plan = expand(declare(tmp_path, FULL))
    assert statuses(plan, ENTRIES, {"nsmc/teacher_seed1"}, {"corpus/corpus_seed1"}) == {
        "corpus/corpus_seed1": "ready",
        "teacher/teacher_seed1": "done",
        "distil/copied_seed1": "waiting",  # for the corpus, which is to be made again
        "distil/random_seed1": "failed",
        "distil/undistilled_seed1": "waiting",
        "nsmc/teacher_seed1": "running",
        "nsmc/copied_seed1": "waiting",
        "nsmc/random_seed1": "skipped",
        "nsmc/undistilled_seed1": "waiting",
        "latency/exports_seed1": "waiting",
    }


def test_what_others_run_is_elsewhere(tmp_path: Path) -> None:
    plan = expand(declare(tmp_path, FULL))
    status = statuses(plan, ENTRIES, (), ())
    assert (status["distil/copied_seed1"], status["distil/undistilled_seed1"]) == ("elsewhere", "ready")
    assert (status["corpus/corpus_seed1"], status["nsmc/copied_seed1"]) == ("done", "waiting")


def test_the_latency_waits_until_nothing_else_runs(tmp_path: Path) -> None:
    plan = expand(declare(tmp_path, FULL))
    entries = {run.label: Entry("done", 0) for run in plan.runs} | {"latency/exports_seed1": Entry("waiting", 1)}
    assert statuses(plan, entries, (), ())["latency/exports_seed1"] == "ready"
    entries["nsmc/copied_seed1"] = Entry("running", 2)
    assert statuses(plan, entries, (), ())["latency/exports_seed1"] == "waiting"
    for label in ("nsmc/copied_seed1", "distil/random_seed1"):
        entries[label] = Entry("failed", 2)
        assert statuses(plan, entries, (), ())["latency/exports_seed1"] == "ready"
    entries |= {run.label: Entry("failed", 2) for run in plan.runs if run.export}
    assert statuses(plan, entries, (), ())["latency/exports_seed1"] == "skipped"


def test_a_terminal_shows_arms_by_state_and_a_file_only_events(tmp_path: Path) -> None:
    plan = expand(declare(tmp_path, FULL))
    status = statuses(plan, ENTRIES, (), ())
    shown = {}
    for terminal in (True, False):
        out = io.StringIO()
        with View(Console(file=out, force_terminal=terminal, width=120, color_system=None)) as view:
            view.show(plan, status, Remaining())
            view.show(plan, status, Remaining())
        shown[terminal] = out.getvalue()
        assert shown[terminal].count("nsmc/random_seed1 is skipped, because distil/random_seed1 failed") == 1
    assert "1 elsewhere" in shown[True]
    assert "undistilled" in shown[True]
    assert "Does the start matter?" in shown[True]
    assert "elsewhere" not in shown[False]


def shown(plan: Plan, status: dict[str, Status], width: int, height: int, left: Remaining | None = None) -> list[str]:
    """Lines of the live view at the end, on a terminal of this size."""
    out = io.StringIO()
    with View(Console(file=out, force_terminal=True, width=width, height=height, color_system=None)) as view:
        view.show(plan, status, left or Remaining())
    return re.sub(r"\x1b\[[?\d]*[a-zA-Z]", "\n", out.getvalue()).split(plan.study)[-1].rstrip().splitlines()


def test_a_study_of_ten_arms_fits_an_ordinary_terminal(tmp_path: Path) -> None:
    plan = expand(parse_study(["--config", "configs/study/mini_ablation.yaml"]))
    status: dict[str, Status] = {run.label: "waiting" for run in plan.all_runs}
    for seed, state in ((1, "done"), (2, "running")):
        status[f"distil/base_seed{seed}"] = state
    status["nsmc/teacher_seed1"] = "failed"
    lines = shown(plan, status, 100, 24)
    assert len(lines) < 24
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in lines if line.startswith("│")]
    assert [row[0] for row in rows] == [arm.name for arm in plan.arms]
    assert rows[0][:3] == ["teacher", "", "0/2 1 failed"]
    assert rows[1][:3] == ["base", "1/2 1 running", "0/2"]
    assert lines[-1].startswith(f"all 1/{len(status) - 1} 1 failed 1 running; latency waiting")
    low = shown(plan, status, 100, 12)
    assert [line.strip() for line in low if line.strip()] == [lines[-1].strip()]


TIMED = {
    **{f"nsmc/{arm}_seed1": Entry("waiting", 5) for arm in ("teacher", "copied", "random", "undistilled")},
    "latency/exports_seed1": Entry("waiting", 9),
    "corpus/corpus_seed1": Entry("done", 0, seconds=0.0),  # it was there already
    "teacher/teacher_seed1": Entry("done", 1, seconds=500.0),
    "distil/copied_seed1": Entry("done", 2, seconds=300.0),
    "distil/random_seed1": Entry("done", 3, seconds=100.0),
    "distil/undistilled_seed1": Entry("running", 4),
}


def test_what_is_left_is_the_mean_of_the_stage_less_what_has_passed(tmp_path: Path) -> None:
    plan = expand(declare(tmp_path, FULL))
    status = statuses(plan, TIMED, {"distil/undistilled_seed1"}, ())
    left = remaining(plan, status, TIMED, {"distil/undistilled_seed1": 50.0}, places=1)
    assert left == Remaining({"distil/undistilled_seed1": 150.0}, ("nsmc", "latency"), 1)
    assert str(left) == "about 2 min left, without nsmc, latency"
    assert remaining(plan, status, TIMED, {"distil/undistilled_seed1": 900.0}, 1).seconds[
        "distil/undistilled_seed1"
    ] == pytest.approx(0.0)
    entries = {**TIMED, "nsmc/teacher_seed1": Entry("done", 5, seconds=60.0)}
    left = remaining(plan, statuses(plan, entries, (), ()), entries, {}, places=2)
    assert sum(left.seconds.values()) == pytest.approx(200 + 3 * 60)
    assert str(left) == "about 3 min left, without latency"  # two runs at a time
    assert str(Remaining()) == ""


def test_a_terminal_shows_runs_as_a_tree_below_what_they_need(tmp_path: Path) -> None:
    plan = expand(declare(tmp_path, FULL, name="small_study"))
    entries = {**TIMED, "nsmc/teacher_seed1": Entry("done", 5, seconds=600.0)}
    status = statuses(plan, entries, {"distil/undistilled_seed1"}, ())
    left = remaining(plan, status, entries, {"distil/undistilled_seed1": 140.0}, places=1)
    lines = [line.strip() for line in shown(plan, status, 100, 24, left)]
    assert lines[1:-1] == [
        "├── corpus/corpus_seed1 done",
        "│   └── teacher/teacher_seed1 done",
        "│       ├── distil/copied_seed1 done",
        "│       │   └── nsmc/copied_seed1 ready, about 10 min",
        "│       ├── distil/random_seed1 done",
        "│       │   └── nsmc/random_seed1 ready, about 10 min",
        "│       ├── distil/undistilled_seed1 running, about 60 s",
        "│       │   └── nsmc/undistilled_seed1 waiting, about 10 min",
        "│       └── nsmc/teacher_seed1 done",
        "└── latency/exports_seed1 waiting",
    ]
    assert (
        lines[-1] == "all 4/8 1 running; corpus done; teacher done; latency waiting; about 31 min left, without latency"
    )
