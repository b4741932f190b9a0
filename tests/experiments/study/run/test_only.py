"""`--only`: some runs of a study now, with what they need; the rest at a later start."""

import re
from pathlib import Path

import pytest

from experiments.study.plan.expand import expand
from tests.support.studies.bench import Bench, bench
from tests.support.studies.texts import FULL, SMALL, declare

__all__ = ["bench"]

SEARCH = """# Is it so?
base: [a.yaml]
teacher: t
metric: distil/val/loss
search: {trials: 2, options: {a: {low: 1, high: 2}}}
"""


@pytest.mark.parametrize(
    ("patterns", "labels"),
    [
        (["nsmc/teacher_*"], ["corpus/corpus_seed1", "teacher/teacher_seed1", "nsmc/teacher_seed1"]),
        (["distil/random*", "corpus/*"], ["corpus/corpus_seed1", "teacher/teacher_seed1", "distil/random_seed1"]),
        (["corpus/*"], ["corpus/corpus_seed1"]),
    ],
)
def test_selected_runs_come_with_what_they_need(tmp_path: Path, patterns: list[str], labels: list[str]) -> None:
    plan = expand(declare(tmp_path, FULL))
    assert [run.label for run in plan.only(patterns).all_runs] == labels
    assert plan.only([]) is plan
    assert plan.only(["*"]) == plan
    assert plan.only(["latency/*"]).latency == plan.latency
    assert not [run for run in plan.only(["latency/*"]).runs if run.stage == "nsmc"]


@pytest.mark.parametrize("value", ["*/*_seed1,nsmc/*", "[*/*_seed1, nsmc/*]", "['*/*_seed1','nsmc/*']"])
@pytest.mark.parametrize("form", [("--only={}",), ("--only", "{}")])
def test_patterns_may_begin_with_a_star(tmp_path: Path, value: str, form: tuple[str, ...]) -> None:
    options = [word.format(value) for word in form]
    assert declare(tmp_path, FULL, *options).settings.only == ["*/*_seed1", "nsmc/*"]


def test_patterns_that_select_nothing_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"--only: no run matches 'nsmc/copid\*'; labels are STAGE/ARM_seedN"):
        expand(declare(tmp_path, FULL)).only(["corpus/*", "nsmc/copid*"])
    with pytest.raises(ValueError, match="--only: unsupported in a study with a search"):
        expand(declare(tmp_path, SEARCH)).only(["distil/*"])


def test_only_some_runs_are_started_and_the_others_later(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    bench.run("--only=[nsmc/copied*]")
    assert set(bench.ends()) == {"teacher/teacher_seed1", "distil/copied_seed1", "nsmc/copied_seed1"}
    said = capsys.readouterr().out
    assert "3 of 3 runs are done (2 others were not selected by --only)" in said
    assert re.findall(r"nsmc/test/accuracy  (.*)", said)[1:] == ["random: missing (0 of 1 runs)"]
    assert len(bench.labels()) == 5  # plan.json has them all
    bench.run()
    assert bench.ends() == dict.fromkeys(bench.labels(), 1)
    capsys.readouterr()
    bench.run("--only=[distil/copied*]")  # the metric is shown of runs that were not selected too
    shown = re.findall(r"nsmc/test/accuracy  (\w+): 0\.\d{4} \(1 of 1 runs\)", capsys.readouterr().out)
    assert shown == ["copied", "random"]


def test_an_arm_without_the_stage_of_the_metric_has_no_line(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    bench.run(text=SMALL.replace("nsmc.yaml]}", "nsmc.yaml], arms: [copied]}"))
    assert re.findall(r"nsmc/test/accuracy  (\w+): 0", capsys.readouterr().out) == ["copied"]
