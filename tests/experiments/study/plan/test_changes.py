"""A study file that is changed while its study is under way: what has been run stays, what has not may change."""

import json
import shutil
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from experiments._shared.plan_file import Plan
from experiments.study.__main__ import open_study
from experiments.study.plan.expand import expand
from experiments.study.plan.folder import differences
from experiments.study.run.runner import Worker
from experiments.study.run.view import View
from tests.support.studies.bench import Bench, bench
from tests.support.studies.fakes import LAUNCHER
from tests.support.studies.texts import SMALL, declare

__all__ = ["bench"]

ADDED = "--arms.more=[--model.objectives.cosine.weight=0]"
CHANGED = "--arms.more=[--model.objectives.cosine.weight=1]"


def more(bench: Bench) -> list[str]:
    """Labels of the plan that are of the added arm."""
    return [label for label in bench.labels() if "more" in label]


@pytest.fixture
def failing(bench: Bench) -> Bench:
    """A study whose added arm failed; its folder is not whole."""
    bench.steer("fail", "distil/more_seed1")
    with pytest.raises(ValueError, match=r"1 runs failed \(distil/more_seed1\) and 1 were skipped"):
        bench.run(ADDED)
    bench.steer("fail", "")
    return bench


def test_a_failed_arm_may_be_changed_once_what_it_left_is_gone(failing: Bench) -> None:
    with pytest.raises(
        ValueError, match=r"distil/more_seed1 had .* remove what these runs have left there \(distil/more_seed1\)$"
    ):
        failing.run(CHANGED)
    shutil.rmtree(failing.folder / "distil" / "more_seed1")
    before = len(failing.trace())
    failing.run(CHANGED)
    assert failing.trace()[before:] == [
        "start distil/more_seed1 0", "end distil/more_seed1", "start nsmc/more_seed1 0", "end nsmc/more_seed1",
        "test nsmc/more_seed1",
    ]  # fmt: skip


def test_a_failed_arm_may_be_dropped_once_what_it_left_is_gone(failing: Bench) -> None:
    with pytest.raises(ValueError, match=r"distil/more_seed1 is gone\. "):
        failing.run()
    shutil.rmtree(failing.folder / "distil" / "more_seed1")
    before = failing.trace()
    failing.run()
    assert (more(failing), failing.trace()) == ([], before)
    failing.run(ADDED)
    assert len(more(failing)) == 2


def test_what_was_made_from_a_changed_run_must_go_too(bench: Bench) -> None:
    bench.run(ADDED)
    shutil.rmtree(bench.folder / "distil" / "more_seed1")
    with pytest.raises(ValueError, match=r"had .*; nsmc/more_seed1 was made from distil/more_seed1, which had "):
        bench.run(CHANGED)
    shutil.rmtree(bench.folder / "exported" / "more_seed1")
    with pytest.raises(ValueError, match=r"otherwise: nsmc/more_seed1 was made .* left there \(nsmc/more_seed1\)$"):
        bench.run(CHANGED)
    shutil.rmtree(bench.folder / "nsmc" / "more_seed1")
    figures = {name: value for name, value in bench.metrics().items() if "more" not in name}
    bench.run(CHANGED)
    after = bench.metrics()
    assert {name: after[name] for name in figures} == figures
    assert len(after) == len(figures) + 2
    assert bench.ends()["nsmc/more_seed1"] == 2


def test_nothing_changes_under_a_worker(bench: Bench) -> None:
    bench.steer("slow", "30")
    worker = bench.start(ADDED, text=SMALL)
    while not bench.trace():
        assert worker.poll() is None
    content = (bench.folder / "plan.json").read_text(encoding="utf-8")
    for options in ((CHANGED,), ()):
        with pytest.raises(ValueError, match="more_seed1, nsmc/more_seed1 may be run by another worker as declared be"):
            bench.run(*options)
    assert (bench.folder / "plan.json").read_text(encoding="utf-8") == content
    worker.send_signal(signal.SIGTERM)
    worker.communicate(timeout=120)
    bench.steer("slow", "0")
    bench.run()
    assert more(bench) == []
    assert bench.ends() == dict.fromkeys(bench.labels(), 1)


def test_only_what_a_config_file_has_made_keeps_it(bench: Bench) -> None:
    config = bench.root / "more.yaml"
    config.write_text("a: 1", encoding="utf-8")
    bench.steer("fail", "distil/more_seed1")
    option = f"--arms.more=[-c, {config}]"
    with pytest.raises(ValueError, match="1 runs failed"):
        bench.run(option)
    config.write_text("a: 2", encoding="utf-8")
    with pytest.raises(
        ValueError, match=rf"otherwise: distil/more_seed1 was made with {config}, .*\(distil/more_seed1\)$"
    ):
        bench.run(option)
    shutil.rmtree(bench.folder / "distil" / "more_seed1")
    bench.steer("fail", "")
    bench.run(option)
    assert bench.ends() == dict.fromkeys(bench.labels(), 1)


def test_latency_is_of_the_models_that_are_there(bench: Bench) -> None:
    def measured() -> set[str]:
        return set(json.loads((bench.folder / "latency.json").read_text(encoding="utf-8"))["models"])

    bench.run(ADDED)
    before = measured()
    assert "exported/more_seed1" in before
    for place in ("distil", "exported", "nsmc"):
        shutil.rmtree(bench.folder / place / "more_seed1")
    bench.run("--arms.other=[--model.objectives.cosine.weight=0]")
    assert measured() == before - {"exported/more_seed1"} | {"exported/other_seed1"}
    written = (bench.folder / "latency.json").stat().st_mtime_ns
    bench.run("--arms.other=[--model.objectives.cosine.weight=0]")
    assert (bench.folder / "latency.json").stat().st_mtime_ns == written
    for place in ("distil", "exported", "nsmc"):
        shutil.rmtree(bench.folder / place / "other_seed1")
    bench.run('--arms.other=["--model.objectives.cosine.weight=2"]')
    assert (bench.folder / "latency.json").stat().st_mtime_ns > written


def test_a_worker_ends_although_what_it_would_mend_cannot_run(bench: Bench) -> None:
    bench.run()
    shutil.rmtree(bench.folder / "distil" / "copied_seed1")
    (bench.folder / "nsmc" / "copied_seed1" / "metrics.json").unlink()
    bench.steer("fail", "distil/copied_seed1")
    with pytest.raises(ValueError, match=r"1 runs failed \(distil/copied_seed1\) and 1 were skipped"):
        bench.run()
    bench.steer("fail", "")
    bench.run()
    assert set(bench.metrics()) == set(bench.labels())


def test_a_worker_ends_although_another_failed_at_what_it_would_mend(bench: Bench) -> None:
    bench.run()
    shutil.rmtree(bench.folder / "distil" / "copied_seed1")
    opened = [open_study(declare(bench.root, SMALL)) for _ in range(2)]
    first, second = (Worker(o.plan, bench.folder, o.journal, View(), launcher=LAUNCHER, pause=0.02) for o in opened)
    bench.steer("fail", "distil/copied_seed1")
    assert first.run()["distil/copied_seed1"] == "failed"
    assert second.run()["distil/copied_seed1"] == "failed"


def test_the_words_for_the_machine_are_no_difference(tmp_path: Path) -> None:
    def plan(*options: str) -> Plan:
        return expand(declare(tmp_path, SMALL, *options))

    before, moved = plan(), plan("--machine=[-c, configs/trainer/gpu.yaml]")
    assert differences(before, moved) == differences(moved, before) == {}
    elsewhere = plan("--overrides+=-c", "--overrides+=configs/trainer/gpu.yaml")
    assert "distil/copied_seed1" in differences(moved, elsewhere)
    older = replace(moved, runs=tuple(replace(run, machine=()) for run in moved.runs))  # as 0.2.0 wrote it
    assert differences(older, moved) == {}
    assert "distil/copied_seed1" in differences(older, before)


def test_a_study_goes_on_with_other_options_for_the_machine(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    def precisions() -> dict[str, str]:
        configs = {str(path.parent.relative_to(bench.folder)): path for path in bench.folder.rglob("config.yaml")}
        words = {label: json.loads(path.read_text(encoding="utf-8")) for label, path in configs.items()}
        return {
            label: next(w[20:] for w in own if w.startswith("--trainer.precision=")) for label, own in words.items()
        }

    bench.steer("fail", "distil/random_seed1")
    with pytest.raises(ValueError, match="1 runs failed"):
        bench.run("--machine=[--trainer.precision=bf16-mixed]")
    made = precisions()
    bench.steer("fail", "")
    shutil.rmtree(bench.folder / "distil" / "random_seed1")
    assert "machine" not in capsys.readouterr().err
    bench.run("--machine=[-c, configs/trainer/cpu.yaml, --trainer.precision=16-mixed]")
    note = "`machine` has changed; what has begun keeps its own options: teacher/teacher_seed1, distil/copied_seed1, "
    assert note + "nsmc/copied_seed1\n" in capsys.readouterr().err
    added = {"distil/random_seed1": "16-mixed", "nsmc/random_seed1": "16-mixed"}
    assert set(made.values()) == {"bf16-mixed"}
    assert precisions() == {**added, **{label: "bf16-mixed" for label in made if "random" not in label}}
    assert max(bench.ends().values()) == 1
    with pytest.raises(ValueError, match="belongs to a study that was declared otherwise"):
        bench.run("--overrides+=--trainer.precision=32-true")
