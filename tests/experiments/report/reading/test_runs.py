"""What a report reads: a study's plan or any folder of runs, whole, missing, broken or touched by hand."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from experiments.study.plan.expand import expand
from tests.support.report_world import ARMS, edit, fabricate, read, write_run
from tests.support.studies.texts import FULL, declare

SMALL = ARMS[:2]


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return fabricate(tmp_path / "small", SMALL, examples=4, events=False)


def test_a_whole_study(study: Path) -> None:
    found, notes = read(study)
    assert notes == []
    assert (found.name, found.base_arm, found.teacher) == ("student_init", "base", "teacher")
    assert found.question == "Does it matter which teacher layers the student starts from?"
    assert found.tasks == ("nsmc", "klue_ner", "korquad")
    assert [arm.name for arm in found.arms] == ["teacher", "base"]
    assert found.arms[1].axes == {"layers": "1-5-9"}
    assert [run.seed for run in found.of("nsmc", "base")] == [1, 2]
    assert all(run.metrics for run in found.runs)
    assert [run.source for run in found.of("nsmc")] == [None, None, "distil/base_seed1", "distil/base_seed2"]
    assert found.of("distil")[0].export == study / "exported/base_seed1"


def test_missing_and_unfinished_runs_are_named(study: Path) -> None:
    (study / "nsmc/base_seed2/metrics.json").unlink()
    (study / "klue_ner/base_seed1/metrics.json").unlink()
    corpus = {"stage": "corpus", "arm": "corpus", "seed": 1, "commands": [], "needs": [], "export": None}
    edit(study / "plan.json", lambda plan: plan["runs"].append(corpus))
    for name in ("klue_ner/base_seed1", "nsmc/base_seed1", "corpus/corpus_seed1"):
        (study / f"logs/{name}.log").parent.mkdir(parents=True)
        (study / f"logs/{name}.log").touch()
    edit(study / "korquad/base_seed1/metrics.json", lambda m: [m.pop(k) for k in [*m] if k.startswith("test/")])
    found, notes = read(study)
    assert notes == [
        "Missing runs, without a readable metrics.json: nsmc/base_seed2.",
        "Missing runs, started but failed, stopped or still running before any metrics: klue_ner/base_seed1 (log: "
        f"{study}/logs/klue_ner/base_seed1.log).",
        "Missing runs, started but without final metrics in metrics.json: korquad/base_seed1.",
    ]
    assert [run.label for run in found.runs if not run.metrics] == [
        "klue_ner/base_seed1", "korquad/base_seed1", "nsmc/base_seed2", "corpus/corpus_seed1",
    ]  # fmt: skip


def test_many_missing_runs_are_named_by_patterns(tmp_path: Path) -> None:
    folder = fabricate(tmp_path / "large", ARMS, examples=4, events=False)
    lost = [*folder.glob("korquad/*"), *folder.glob("[!e]*/mlm_only_*"), folder / "nsmc/base_seed2"]
    for run in dict.fromkeys(lost):
        (run / "metrics.json").unlink()
    expected = "Missing runs, without a readable metrics.json: */mlm_only_seed*, korquad/*, nsmc/base_seed2."
    assert read(folder)[1] == [expected]
    (folder / "nsmc/undistilled_seed1/metrics.json").unlink()  # of two: named itself
    assert read(folder)[1] == [f"{expected[:-1]}, nsmc/undistilled_seed1."]


STOPPED = {"status": "stopped", "stopped_by": "SIGTERM", "steps": 3}


def test_a_run_that_was_stopped_counts_as_missing(study: Path) -> None:
    edit(study / "nsmc/base_seed1/metrics.json", lambda metrics: metrics.update(STOPPED))
    edit(study / "nsmc/base_seed2/metrics.json", lambda metrics: metrics.update(STOPPED, stopped_by="early_stopping"))
    found, notes = read(study)
    assert notes == ["nsmc/base_seed1 counts as missing: training was stopped by SIGTERM after optimizer step 3."]
    assert [run.label for run in found.runs if not run.metrics] == ["nsmc/base_seed1"]
    (study / "plan.json").unlink()
    found, notes = read(study)
    assert f"{study}/nsmc/base_seed1/metrics.json is left out: training was stopped by SIGTERM" in notes[0]
    assert "nsmc/base_seed1" not in [run.label for run in found.runs]
    assert "nsmc/base_seed2" in [run.label for run in found.runs]


def test_broken_metrics_count_as_missing(study: Path) -> None:
    (study / "nsmc/base_seed2/metrics.json").write_text('{"test/accuracy": 0.', encoding="utf-8")
    (study / "nsmc/base_seed1/metrics.json").write_text("[]", encoding="utf-8")
    found, notes = read(study)
    assert [bool(run.metrics) for run in found.of("nsmc", "base")] == [False, False]
    assert sum(note.startswith("Broken file, its run counts as missing") for note in notes) == 2


def test_held_out_metrics_of_a_part_or_of_earlier_weights_are_noted(study: Path) -> None:
    edit(study / "distil/base_seed1/metrics.json", lambda m: m.update({"limited/val": "1 of 300 batches"}))
    (study / "distil/base_seed2/config.yaml").touch()
    edit(study / "distil/base_seed2/metrics.json", lambda m: m.update({"val/step": 525, "steps": 1050}))
    notes = read(study)[1]
    assert any(
        "base_seed1: validated on 1 of 300 batches; its held-out metrics are those of a part." in n for n in notes
    )
    assert any("base_seed2: its last step was not validated; run: " in note for note in notes)
    assert len(notes) == 2


def test_a_folder_copied_by_hand_is_not_another_seed(study: Path) -> None:
    edit(study / "nsmc/base_seed2/metrics.json", lambda m: m.update(seed=1))
    found, notes = read(study)
    assert "nsmc/base_seed2 counts as missing: its metrics.json is that of seed=1." in notes
    assert not found.of("nsmc", "base")[1].metrics


def test_a_score_that_is_no_number_is_none(study: Path) -> None:
    edit(study / "nsmc/base_seed2/metrics.json", lambda metrics: metrics.update({"test/accuracy": "0.9"}))
    found, notes = read(study)
    assert [bool(run.metrics) for run in found.of("nsmc", "base")] == [True, False]
    assert "nsmc/base_seed2 counts as missing: test/accuracy in its metrics.json is not a number." in notes


def test_metrics_that_are_not_finite_are_left_out(study: Path) -> None:
    edit(study / "nsmc/base_seed1/metrics.json", lambda m: m.update({"test/accuracy": math.nan}))
    found, notes = read(study)
    assert notes == [f"Not finite in {study}/nsmc/base_seed1/metrics.json, left out: test/accuracy."]
    assert found.of("nsmc", "base")[0].number("test/accuracy") is None
    assert found.of("nsmc", "base")[1].number("test/accuracy") is not None


TEACHERS = {
    "teacher: {configs: [configs/pretrain/mlm.yaml]}": "exported/teacher_seed1",
    "teacher: some/hub": "some/hub",
}


@pytest.mark.parametrize("teacher", TEACHERS)
def test_seeds_of_a_study_know_the_model_they_start_from(tmp_path: Path, teacher: str) -> None:
    """A teacher, pretrained or given, and a model without distillation are each one model; arms have their exports."""
    text = FULL.replace(next(iter(TEACHERS)), teacher) + "seeds: [1, 2]\nmodels: {other: {init_from: another/hub}}\n"
    declared = declare(tmp_path, text)
    plan = expand(declared)
    (tmp_path / "runs/s").mkdir(parents=True)
    (tmp_path / "runs/s/plan.json").write_text(json.dumps(plan.as_json()), encoding="utf-8")
    found, _ = read(tmp_path / "runs/s")
    sources = {arm: {run.source for run in found.of("nsmc", arm)} for arm in ("teacher", "other", "copied")}
    (of_teacher,) = sources.pop("teacher")
    assert of_teacher is not None
    assert of_teacher.endswith(TEACHERS[teacher])
    assert sources == {"other": {"another/hub"}, "copied": {"distil/copied_seed1", "distil/copied_seed2"}}
    assert {run.source for run in found.of("distil")} == {None}


def test_runs_beside_the_plan_are_named(study: Path) -> None:
    write_run(study, {"recipe": "nsmc", "arm": "base", "seed": 7, "test/accuracy": 0.9})
    _, notes = read(study)
    assert notes == ["Not in plan.json, left out: nsmc/base_seed7."]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda plan: plan.pop("arms"),
            r"not a plan of this version \(KeyError\('arms'\)\); move the file away",
        ),
        (lambda plan: plan.pop("base_arm"), r"KeyError\('base_arm'\)"),
        (lambda plan: plan["runs"][0].pop("stage"), r"KeyError\('stage'\)"),
        (lambda plan: plan["runs"][1].update(seed="first"), "ValueError.*'first'"),
        (lambda plan: plan["runs"][1].update(commands=3), "not a plan of this version .*TypeError"),
        (
            lambda plan: plan["runs"][1].update(machine=["-c", "no.yaml"]),
            "without the words of its machine.*; move the",
        ),
        (lambda plan: plan["arms"][0].update(kind="boss"), "ValueError.*kind is 'boss'"),
        (lambda plan: plan["arms"][0].update(axes=None), "not a plan of this version .*TypeError"),
        (lambda plan: plan.update(arms=["base"]), "not a plan of this version .*TypeError"),
        (lambda plan: plan.update(latency=[]), "not a plan of this version .*TypeError"),
        (lambda plan: plan["arms"].append(plan["arms"][0]), "arms are teacher, base, teacher; expected"),
        (lambda plan: plan["arms"].pop(), "runs of base, which are not among its arms"),
    ],
)
def test_a_broken_plan_is_refused_by_name(study: Path, change: Callable[[Any], None], message: str) -> None:
    edit(study / "plan.json", change)
    with pytest.raises(ValueError, match=message) as raised:
        read(study)
    assert str(raised.value).startswith(str(study / "plan.json"))


def test_a_plan_cut_short_is_refused(study: Path) -> None:
    (study / "plan.json").write_text('{"study": "x', encoding="utf-8")
    with pytest.raises(ValueError, match=r"plan\.json: not readable as JSON .*; move the file away and start"):
        read(study)


def test_baseline_and_teacher_can_be_chosen(study: Path) -> None:
    found, _ = read(study, baseline="teacher", teacher="base")
    assert (found.base_arm, found.reference) == ("teacher", "base")
    assert found.teacher == "teacher", "it has taught, whatever retention is taken against"
    assert [(arm.name, arm.kind) for arm in found.arms] == [("teacher", "teacher"), ("base", "student")]
    for option in ("baseline", "teacher"):
        with pytest.raises(ValueError, match=f"--{option}=none: no such arm; the arms are teacher, base"):
            read(study, **{option: "none"})


def test_nothing_to_report_on(tmp_path: Path, study: Path) -> None:
    with pytest.raises(FileNotFoundError, match="gone: no such folder"):
        read(tmp_path / "gone")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="empty: no run with test scores or a distillation in it"):
        read(tmp_path / "empty")
    with pytest.raises(ValueError, match=f"holds whole studies; name one of them: {study}"):
        read(tmp_path)


def test_runs_that_broke_off_are_named_with_what_they_need(tmp_path: Path) -> None:
    run = tmp_path / "runs" / "distilkobert" / "base_seed1"
    run.mkdir(parents=True)
    (run / "config.yaml").write_text("seed_everything: 1\n")
    with pytest.raises(ValueError, match=f"{run}: training has not ended; remove the folder and start it again"):
        read(tmp_path / "runs")
    (run / "checkpoints").mkdir()
    (run / "checkpoints" / "last.ckpt").write_bytes(b"")
    with pytest.raises(
        ValueError, match=f"has not ended; resume with: .*train fit -c {run}/config.yaml --ckpt_path={run}"
    ):
        read(tmp_path / "runs")
    (run / "metrics.json").write_text('{"recipe": "distilkobert", "arm": "base", "seed": 1, "steps": 5, "val/step": 3}')
    with pytest.raises(ValueError, match=r"last step was not validated; run: .*train validate -c"):
        read(tmp_path / "runs")
    (run / "metrics.json").write_text("{")
    with pytest.raises(ValueError, match=r"Broken file.*metrics\.json") as raised:
        read(tmp_path / "runs")
    assert "has not ended" not in str(raised.value)
