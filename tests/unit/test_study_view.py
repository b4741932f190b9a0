"""Progress at a terminal and elsewhere."""

import io
from pathlib import Path

from rich.console import Console

from experiments.studies.book import Entry
from experiments.studies.expand import expand
from experiments.studies.status import statuses
from experiments.studies.view import View
from tests.unit.study_texts import FULL, declare

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
            view.show(plan, status)
            view.show(plan, status)
        shown[terminal] = out.getvalue()
        assert shown[terminal].count("nsmc/random_seed1 is skipped, because distil/random_seed1 failed") == 1
    assert "1 elsewhere" in shown[True]
    assert "undistilled" in shown[True]
    assert "Does the start matter?" in shown[True]
    assert "elsewhere" not in shown[False]
