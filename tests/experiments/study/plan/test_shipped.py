"""Every shipped study asks its question, expands, and has arms that the trainer's parser takes and tells apart."""

import re
from pathlib import Path

import pytest

from experiments._shared.plan_file import Plan
from experiments.study.plan.check import check_plan
from experiments.study.plan.expand import expand
from experiments.study.plan.folder import config_sums
from experiments.study.plan.parsing import parse_study

STUDIES = sorted(Path("configs/study").glob("*.yaml"))


def plan_of(path: Path, *options: str) -> Plan:
    declared = parse_study(["--config", str(path), *options])
    plan = expand(declared)
    assert config_sums(declared, plan)
    return plan


@pytest.mark.slow
@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_every_arm_parses(path: Path) -> None:
    plan = plan_of(path)
    check_plan(plan, Path("runs") / path.stem)
    assert plan.question.endswith("?")
    assert [task.replace("klue", "naver") for task in plan.tasks][:3] == ["nsmc", "naver_ner", "korquad"]


def test_the_open_ner_data_can_stand_in() -> None:
    plan = plan_of(Path("configs/study/loss_terms.yaml"), "--variables.ner=klue_ner", "--variables.data=/d")
    assert plan.tasks == ("nsmc", "klue_ner", "korquad")
    fit = next(run for run in plan.runs if run.stage == "klue_ner").commands[0]
    assert "configs/finetune/klue_ner_plus.yaml" in fit
    assert "--data.data_dir=/d/klue_ner" in fit


@pytest.mark.parametrize(
    ("name", "arms"),
    [
        ("student_init", ["layers_1_5_9", "first_three", "last_three", "random"]),
        ("loss_terms", ["all_terms", "no_soft_target", "no_masked_lm", "no_cosine"]),
        ("temperature", ["t1", "t2", "t4", "t8"]),
        ("depth", ["layers_1", "layers_3", "layers_6"]),
        ("masking", ["smoothed", "uniform"]),
        ("demo", ["distilled"]),
        ("mini", ["distilled", "init_random"]),
        (
            "evidence",
            [
                "triple_loss",
                "triple_loss+task_distil",
                "hidden_mse",
                "attention",
                "relations",
                "relations_soft",
                "random_start",
                "first_three",
                "last_three",
                "no_soft_target",
                "no_masked_lm",
                "no_masked_lm+task_distil",
                "no_cosine",
                "mlm_equal_time",
            ],
        ),
        ("evidence_settings", ["copied"]),
        ("evidence_factors", ["six_layers"]),
        (
            "mini_ablation",
            ["base", "no_soft_target", "no_masked_lm", "no_cosine", "first_three", "last_three", "random"],
        ),
    ],
)
def test_the_arms_are_these(name: str, arms: list[str]) -> None:
    plan = plan_of(Path(f"configs/study/{name}.yaml"))
    assert [arm.name for arm in plan.arms if arm.kind == "student"] == arms
    assert Path(f"configs/study/{name}.yaml") in STUDIES


def test_the_examples_of_the_page_are_studies(tmp_path: Path) -> None:
    page = Path("docs/studies.md").read_text(encoding="utf-8")
    example, _, distil, models, search, *_ = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    base = "# Is it so?\nbase: [b.yaml]\nteacher: t\narms: {all_terms: {}}\n"
    (tmp_path / "page.yaml").write_text(example, encoding="utf-8")
    assert [arm.name for arm in plan_of(tmp_path / "page.yaml").arms][1:4] == ["all_terms", "no_cosine", "random"]
    for number, part in enumerate((distil, distil + models, distil + search)):
        (tmp_path / f"{number}.yaml").write_text(base + part, encoding="utf-8")
        plan = expand(parse_study(["--config", str(tmp_path / f"{number}.yaml")]))
        labels = {run.label for run in plan.runs}
        assert {"nsmc/all_terms_seed1", "nsmc/all_terms+task_distil_seed1", "nsmc/teacher_seed1"} <= labels
        assert ("nsmc/multilingual_seed1" in labels) == (number == 1)
