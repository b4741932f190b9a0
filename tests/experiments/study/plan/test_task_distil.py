"""Distillation on a task as a stage of a study: rows of their own, one fine-tuned teacher for all that need it."""

import signal
from pathlib import Path

import pytest

from experiments._shared.plan_file import PlannedRun
from experiments.study.__main__ import check, dry_run
from experiments.study.plan.check import check_plan
from experiments.study.plan.expand import expand
from experiments.study.plan.folder import config_sums
from tests.support.studies.bench import Bench, bench
from tests.support.studies.texts import TAUGHT, declare

__all__ = ["bench"]

HEAD = "# Is it so?\nbase: [configs/distill/distilkobert.yaml]\nteacher: t\n"
ARMS = "arms: {a: {}, b: {model.objectives.cosine.weight: 0}}\n"
PLAIN, DISTIL = "configs/finetune/nsmc.yaml", "configs/finetune/distil.yaml"


def nsmc(task: str = "", distil: str = "", plain: str = PLAIN, over: str = DISTIL) -> str:
    """One task with a distillation on it; `task` and `distil` add keys to the two."""
    return f"then: {{nsmc: {{configs: [{plain}]{task}, distil: {{configs: [{over}]{distil}}}}}}}\n"


def runs_of(folder: Path, text: str, *options: str) -> dict[str, PlannedRun]:
    return {run.label: run for run in expand(declare(folder, text, *options)).runs}


def test_all_that_learn_from_a_fine_tuned_teacher_need_the_same_run(tmp_path: Path) -> None:
    runs = runs_of(tmp_path, HEAD + ARMS + nsmc(), "--seeds=[1,2]")
    taught = {label: run for label, run in runs.items() if "+task_distil" in label}
    assert {label: run.needs for label, run in taught.items()} == {
        f"nsmc/{arm}+task_distil_seed{seed}": (f"distil/{arm}_seed{seed}", "nsmc/teacher_seed1")
        for arm in "ab" for seed in (1, 2)
    }  # fmt: skip
    folder = f"{tmp_path}/runs/s"
    fit, test = taught["nsmc/b+task_distil_seed2"].commands
    assert fit[2:6] == ("-c", "configs/finetune/nsmc.yaml", "-c", "configs/finetune/distil.yaml")
    assert f"--model.teacher={folder}/nsmc/teacher_seed1/checkpoints/best.ckpt" in fit
    assert f"--model.init_from={folder}/exported/b_seed2" in fit
    assert test[-1] == f"--ckpt_path={folder}/nsmc/b+task_distil_seed2/checkpoints/best.ckpt"
    plain = runs["nsmc/b_seed2"].commands[0]
    assert "configs/finetune/distil.yaml" not in plain
    assert not [word for word in plain if word.startswith("--model.teacher")]


def test_a_taught_row_with_other_seeds_comes_after_the_distillation_it_needs(tmp_path: Path) -> None:
    text = HEAD + ARMS + nsmc(distil=", arms: [a]") + "seeds: [1, 2, 3]\narm_seeds: {a+task_distil: [3]}\n"
    plan = expand(declare(tmp_path, text))
    labels = [run.label for run in plan.runs]
    assert "nsmc/a+task_distil_seed3" in labels
    for run in plan.runs:
        assert all(labels.index(need) < labels.index(run.label) for need in run.needs), run
    part = plan.only(["nsmc/a+task_distil_seed3"])
    assert {run.label for run in part.runs} == {"distil/a_seed3", "nsmc/teacher_seed1", "nsmc/a+task_distil_seed3"}


def test_rows_follow_their_arms_and_all_needs_come_before(tmp_path: Path) -> None:
    text = HEAD + ARMS + nsmc(distil=", arms: [b, mlm_only], teacher_seed: 2")
    plan = expand(declare(tmp_path, text, "--seeds=[1,2]"))
    assert [arm.name for arm in plan.arms] == [
        "teacher", "a", "b", "b+task_distil", "undistilled", "mlm_only", "mlm_only+task_distil",
    ]  # fmt: skip
    assert [arm.kind for arm in plan.arms if arm.taught_from] == ["student", "control"]
    before: set[str] = set()
    for run in plan.all_runs:
        assert set(run.needs) <= before
        before.add(run.label)
    taught = [run for run in plan.runs if run.arm == "b+task_distil"]
    assert {run.needs[1] for run in taught} == {"nsmc/teacher_seed2"}
    assert plan.latency is not None
    assert not [word for word in plan.latency.commands[0] if "task_distil" in word]


def test_a_task_may_be_for_some_arms_and_a_model_starts_as_it_is(tmp_path: Path) -> None:
    text = HEAD + (
        f"{ARMS}controls: [teacher]\narm_seeds: {{multi: [3]}}\n"
        "models: {multi: {init_from: m, overrides: {data.tokenizer: m}}}\n"
        "then: {nsmc: {configs: [n.yaml], overrides: {x: 1}}, full: {configs: [n.yaml], arms: [teacher, b]}}\n"
    )
    plan = expand(declare(tmp_path, text))
    labels = [run.label for run in plan.runs]
    assert [label for label in labels if label.startswith("full/")] == ["full/teacher_seed1", "full/b_seed1"]
    assert [label for label in labels if "multi" in label] == ["nsmc/multi_seed3"]
    run = next(run for run in plan.runs if run.arm == "multi")
    assert run.needs == ()
    assert [word for word in run.commands[0] if word.startswith(("--x", "--data", "--model"))] == [
        "--x=1", "--data.tokenizer=m", "--model.init_from=m",
    ]  # fmt: skip
    assert plan.latency is not None
    assert "m" in plan.latency.commands[0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (nsmc() + "controls: []\n", r"the study does not fine-tune its teacher on nsmc, .*add `teacher` to controls"),
        (nsmc(", arms: [a]"), r"then.nsmc.distil: .*add `teacher` to then.nsmc.arms"),
        (nsmc(distil=", teacher_seed: 3"), r"teacher_seed: 3 is not a seed of the teacher on nsmc; it has 1"),
        (nsmc(distil=", arms: [c]"), r"nsmc.distil.arms: no such student 'c'; there are a, b, undistilled, mlm_only"),
        (nsmc(distil=", arms: []"), r"then.nsmc.distil.arms: is empty; name arms, or leave it out"),
        (nsmc(distil=", arms: [teacher]"), r"then.nsmc.distil.arms: no such student 'teacher'"),
        (nsmc(", arms: [d]"), r"then.nsmc.arms: no such arm 'd'; there are a, b, "),
        (nsmc(", arms: [undistiled]"), r"then.nsmc.arms: no such arm 'undistiled'; did you mean undistilled\?$"),
        (nsmc(", arms: [d]") + "controls: [teacher, undistilled]\n", r"there are a, b, undistilled, teacher$"),
        (nsmc(distil=", overrides: {model.teacher: x}"), r"nsmc.distil.overrides: .* is set by the study itself"),
        ("models: {a: {init_from: x}}\n", r"arms .*'a' is there twice"),
        (
            "models: {m: {init_from: x, overrides: {run.arm: y}}}\n",
            r"models.m.overrides: --run.arm=y is set by the study",
        ),
    ],
)
def test_what_the_study_cannot_do_is_refused(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=message):
        expand(declare(tmp_path, HEAD + ARMS + text))


def test_a_recipe_that_is_not_there_is_named(tmp_path: Path) -> None:
    declared = declare(tmp_path, HEAD + nsmc(over="configs/finetune/none.yaml"))
    with pytest.raises(FileNotFoundError, match=r"^then.nsmc.distil.configs: configs/finetune/none.yaml: no such file"):
        config_sums(declared, expand(declared))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (nsmc(plain=f"{PLAIN}, {DISTIL}"), r"then.nsmc: the recipe is a TaskDistillation, whose teacher the study"),
        (
            nsmc(over="configs/finetune/nsmc_plus.yaml"),
            r"then.nsmc.distil: model: SequenceClassification: .*expected TaskDistillation: add configs/f",
        ),
        (
            nsmc(over=f"configs/finetune/hate_speech.yaml, {DISTIL}"),
            r"the teacher is fine-tuned with data.class_path=.*NSMC.*would learn from it with .*Table",
        ),
        (
            nsmc(distil=", overrides: {data.tokenizer: other}"),
            r"then.nsmc.distil: the teacher is fine-tuned with data.tokenizer=\S+, .* with other",
        ),
    ],
)
def test_a_teacher_of_another_task_is_refused_before_the_first_run(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=message):
        check_plan(expand(declare(tmp_path, HEAD + text)), tmp_path)


def test_the_plan_is_checked_and_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = HEAD + nsmc() + "controls: [teacher]\n"
    lines = dry_run(declare(tmp_path, text, "--dry_run"))
    (taught,) = [line for line in lines if line.endswith("# nsmc/distilled+task_distil_seed1")]
    assert "-c configs/finetune/distil.yaml" in taught
    assert "model.teacher=t" in capsys.readouterr().err
    with pytest.raises(FileNotFoundError, match=r"then.nsmc: data.data_dir"):
        check(declare(tmp_path, text))


def test_the_teacher_is_fine_tuned_once_although_the_worker_is_killed(bench: Bench) -> None:
    bench.steer("hold", "4")  # the teacher, two students, the teacher's fine-tuning: then nothing moves
    worker = bench.start("--seeds=[1,2]", "--arm_seeds.teacher=[1]", text=TAUGHT)
    while sum(line.startswith("end ") for line in bench.trace()) < 4:
        assert worker.poll() is None
    worker.send_signal(signal.SIGKILL)
    worker.communicate(timeout=120)
    bench.steer("hold", "")
    bench.run("--seeds=[1,2]", "--arm_seeds.teacher=[1]", text=TAUGHT)
    labels = bench.labels()
    assert bench.ends() == dict.fromkeys(labels, 1)
    assert [label for label in labels if label.startswith("nsmc/teacher")] == ["nsmc/teacher_seed1"]
    assert sum("+task_distil" in label for label in labels) == 4
    started = [line.split()[1] for line in bench.trace() if line.startswith("start")]
    first = min(place for place, label in enumerate(started) if "+task_distil" in label)
    assert started.index("nsmc/teacher_seed1") < first


def test_what_learns_from_a_failed_teacher_is_skipped(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    bench.steer("fail", "nsmc/teacher_seed1")
    with pytest.raises(ValueError, match=r"1 runs failed \(nsmc/teacher_seed1\) and 2 were skipped"):
        bench.run(text=TAUGHT)
    assert "nsmc/copied+task_distil_seed1 is skipped, because nsmc/teacher_seed1 failed" in capsys.readouterr().out
    assert bench.ends()["nsmc/copied_seed1"] == 1


def test_a_distillation_may_be_added_to_a_study_that_has_ended(bench: Bench) -> None:
    bench.run(text=TAUGHT.replace(f", distil: {{configs: [{DISTIL}]}}", ""))
    before = bench.trace()
    bench.run(text=TAUGHT)
    added = [line.split()[1] for line in bench.trace()[len(before) :] if line.startswith("start")]
    assert sorted(added) == ["nsmc/copied+task_distil_seed1", "nsmc/random+task_distil_seed1"]
