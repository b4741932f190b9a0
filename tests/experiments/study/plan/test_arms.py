"""Arms of a study: controls, axes, seeds."""

from pathlib import Path

import pytest

from experiments._shared.plan_file import plan_of
from experiments.report.provenance import counts
from experiments.report.reading.runs import planned_study
from experiments.study.plan.expand import expand
from experiments.study.plan.folder import write_study
from tests.support.studies.texts import FULL, declare

HEAD = "# Is it so?\nbase: [a.yaml]\nteacher: t\n"


def test_controls_follow_the_base_arm(tmp_path: Path) -> None:
    text = HEAD + "arms: {a: {x: 1}, b: {x: 2}}\nbase_arm: b\n"
    args = {arm.name: arm.args for arm in expand(declare(tmp_path, text)).arms}
    assert args["undistilled"] == ("--x=2", "--trainer.max_steps=0")
    assert args["mlm_only"] == ("--x=2", "-c", "configs/ablation/mlm_only.yaml")


def test_a_seed_of_the_teacher_is_its_own(tmp_path: Path) -> None:
    for part, seed in (("", 3), (", seed: 7", 7)):
        text = HEAD.replace("teacher: t", f"teacher: {{configs: [p.yaml]{part}}}") + "seeds: [3]\ncontrols: []\n"
        runs = {run.label: run for run in expand(declare(tmp_path, text)).all_runs}
        assert f"--seed_everything={seed}" in runs[f"teacher/teacher_seed{seed}"].commands[0]
        assert runs["distil/distilled_seed3"].needs == (f"teacher/teacher_seed{seed}",)


def test_axes_multiply_the_arms(tmp_path: Path) -> None:
    text = HEAD + (
        "arms: {a: {x: 1}, b: {}}\naxes: {temperature: {t1: {t: 1}, t4: {t: 4}}, depth: {d3: {}, d6: {d: 6}}}\n"
    )
    arms = [arm for arm in expand(declare(tmp_path, text)).arms if arm.kind == "student"]
    assert [arm.name for arm in arms] == [f"{a}-{t}-{d}" for a in "ab" for t in ("t1", "t4") for d in ("d3", "d6")]
    assert arms[3].args == ("--x=1", "--t=4", "--d=6")
    assert arms[3].axes == {"temperature": "t4", "depth": "d6"}
    only = expand(declare(tmp_path, HEAD + "axes: {temperature: {t1: {t: 1}, t4: {t: 4}}}\n"))
    assert [arm.name for arm in only.arms if arm.kind == "student"] == ["t1", "t4"]


def test_options_of_one_arms_fine_tunings(tmp_path: Path) -> None:
    text = HEAD + (
        "arms: {a: {}, b: {x: 1}}\ncontrols: [teacher]\nmodels: {multi: {init_from: m, overrides: {o: 1}}}\n"
        "latency: false\narm_fine_tuning: {teacher: {lr: 2}, multi: {lr: 3}, a+task_distil: {lr: 4}}\n"
        "then: {nsmc: {configs: [n.yaml], overrides: {lr: 1}, distil: {configs: [d.yaml], arms: [a]}}}\n"
    )
    plan = expand(declare(tmp_path, text))
    kept = {arm.name: arm.fine_tuning for arm in plan_of(plan.as_json(), tmp_path).arms if arm.fine_tuning}
    assert kept == {"teacher": ("--lr=2",), "multi": ("--lr=3",), "a+task_distil": ("--lr=4",)}
    runs = {run.label: run.commands[0] for run in plan.all_runs}
    own = {label: [word for word in words if word[:4] in ("--lr", "--o=")] for label, words in runs.items()}
    assert own == {
        "distil/a_seed1": [], "distil/b_seed1": [], "nsmc/a_seed1": ["--lr=1"], "nsmc/b_seed1": ["--lr=1"],
        "nsmc/teacher_seed1": ["--lr=2"], "nsmc/multi_seed1": ["--lr=3", "--o=1"],
        "nsmc/a+task_distil_seed1": ["--lr=4"],
    }  # fmt: skip


def test_options_of_one_arm_on_one_task_win(tmp_path: Path) -> None:
    text = HEAD + (
        "arms: {a: {}, b: {x: 1}}\ncontrols: [teacher]\nlatency: false\narm_fine_tuning: {teacher: {lr: 2, wd: 2}}\n"
        "then:\n"
        "  nsmc: {configs: [n.yaml], overrides: {lr: 1}, arm_fine_tuning: {teacher: {lr: 3}, b: {lr: 4}}}\n"
        "  ner: {configs: [k.yaml], overrides: {lr: 1}}\n"
    )
    runs = {run.label: run.commands[0] for run in expand(declare(tmp_path, text)).all_runs}
    own = {label: sorted(word for word in words if word[:4] in ("--lr", "--wd")) for label, words in runs.items()}
    assert own == {
        "distil/a_seed1": [], "distil/b_seed1": [], "nsmc/a_seed1": ["--lr=1"], "nsmc/b_seed1": ["--lr=4"],
        "ner/a_seed1": ["--lr=1"], "ner/b_seed1": ["--lr=1"],
        "nsmc/teacher_seed1": ["--lr=3", "--wd=2"], "ner/teacher_seed1": ["--lr=2", "--wd=2"],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("task", "message"),
    [
        (
            "arm_fine_tuning: {c: {lr: 1}}",
            r"then\.nsmc\.arm_fine_tuning\.c: no such arm on nsmc; there are a, b, te",
        ),
        ("arms: [a], arm_fine_tuning: {b: {lr: 1}}", r"then\.nsmc\.arm_fine_tuning\.b: no such arm on nsmc"),
        ("arm_fine_tuning: {a: {seed_everything: 3}}", r"then\.nsmc\.arm_fine_tuning\.a: .* is set by the study"),
        ("arm_fine_tuning: {a: [x]}", r"then\.nsmc\.arm_fine_tuning\.a: expected options"),
    ],
)
def test_options_of_one_arm_on_a_task_are_checked(task: str, message: str, tmp_path: Path) -> None:
    text = (
        HEAD + f"arms: {{a: {{}}, b: {{x: 1}}}}\ncontrols: [teacher]\nthen: {{nsmc: {{configs: [n.yaml], {task}}}}}\n"
    )
    with pytest.raises(ValueError, match=message):
        expand(declare(tmp_path, text))


def test_config_files_of_one_arm_come_after_the_options_of_the_task(tmp_path: Path) -> None:
    text = HEAD + (
        "controls: [teacher]\narm_fine_tuning: {teacher: {configs: [own.yaml], b: 2}}\n"
        "then: {nsmc: {configs: [n.yaml], overrides: {configs: [plus.yaml], lr: 1}}}\n"
    )
    runs = {run.label: run.commands[0] for run in expand(declare(tmp_path, text)).all_runs}
    words = runs["nsmc/teacher_seed1"]
    assert words.index("plus.yaml") < words.index("--lr=1") < words.index("own.yaml") < words.index("--b=2")
    assert "own.yaml" not in runs["nsmc/distilled_seed1"]


def test_seeds_of_arms_and_tasks(tmp_path: Path) -> None:
    text = HEAD + (
        "arms: {a: {}, b: {x: 1}}\nseeds: [1, 2]\narm_seeds: {b: [2], teacher: [1]}\ncontrols: [teacher]\n"
        "then: {nsmc: {configs: [n.yaml], seeds: [2, 3]}, korquad: {configs: [k.yaml]}}\nlatency: false\n"
    )
    plan = expand(declare(tmp_path, text))
    needs = {run.label: run.needs for run in plan.all_runs}
    assert needs == {
        "distil/a_seed1": (), "distil/a_seed2": (), "distil/b_seed2": (),
        "nsmc/teacher_seed2": (), "nsmc/teacher_seed3": (), "korquad/teacher_seed1": (),
        "nsmc/a_seed2": ("distil/a_seed2",), "nsmc/a_seed3": ("distil/a_seed1",),
        "korquad/a_seed1": ("distil/a_seed1",), "korquad/a_seed2": ("distil/a_seed2",),
        "nsmc/b_seed2": ("distil/b_seed2",), "nsmc/b_seed3": ("distil/b_seed2",),
        "korquad/b_seed2": ("distil/b_seed2",),
    }  # fmt: skip
    teacher = next(run for run in plan.runs if run.label == "nsmc/teacher_seed2")
    assert "--model.init_from=t" in teacher.commands[0]


@pytest.mark.parametrize(
    ("rest", "message"),
    [
        (
            "then: {nsmc: {configs: [a], arms: []}}\n",
            r"^then\.nsmc\.arms: is empty; name arms, or leave it out for all",
        ),
        ("then: {nsmc: {configs: []}}\n", r"^then\.nsmc\.configs: is empty"),
        ("then: {nsmc: {configs: [a], distil: {configs: []}}}\n", r"^then\.nsmc\.distil\.configs: is empty"),
        ("then: {nsmc: {configs: [a], distil: {configs: [b], arms: []}}}\n", r"^then\.nsmc\.distil\.arms: is empty"),
        ("corpus: {input: [], tokenizer: t}\n", r"^corpus\.input: is empty"),
    ],
)
def test_an_empty_list_is_no_default(rest: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=message):
        expand(declare(tmp_path, HEAD + rest))


@pytest.mark.parametrize(
    ("metric", "direction"), [("nsmc/best/val/accuracy", "minimize"), ("distil/val/loss", "maximize")]
)
def test_a_search_for_the_worst_is_refused(metric: str, direction: str, tmp_path: Path) -> None:
    search = f"metric: {metric}\nsearch: {{trials: 2, options: {{a: {{low: 1, high: 2}}}}, direction: {{}}}}\n"
    text = HEAD + "then: {nsmc: {configs: [a]}}\n" + search
    other = {"minimize": "maximize", "maximize": "minimize"}[direction]
    with pytest.raises(ValueError, match=rf"^search\.direction: {direction} would seek the worst {metric}; .*{other}"):
        expand(declare(tmp_path, text.replace("{}", direction)))
    expand(declare(tmp_path, text.replace("{}", other)))


def test_study_and_report_count_the_same_runs(tmp_path: Path) -> None:
    declared = declare(tmp_path, FULL)
    plan = expand(declared)
    write_study(tmp_path, declared, plan)
    study = planned_study(tmp_path, [])
    assert study is not None
    assert counts(study) == (0, len(plan.counted))
    assert len(plan.all_runs) - len(plan.counted) == 2  # corpus and latency
