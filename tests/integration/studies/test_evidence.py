"""Every arm of configs/study/evidence.yaml trains 20 steps on the small world, on the objectives of its name."""

from pathlib import Path

import pytest

from experiments._shared.plan_file import Plan
from experiments.study.plan.expand import expand
from experiments.study.plan.parsing import parse_study
from tests.world import Run, World, read_json, scalars

TERMS = {
    "triple_loss": {"soft_target", "masked_lm", "cosine"},
    "hidden_mse": {"hidden_mse"},
    "attention": {"attention"},
    "relations": {"relations"},
    "relations_soft": {"relations", "soft_target"},
    "random_start": {"soft_target", "masked_lm", "cosine"},
    "first_three": {"soft_target", "masked_lm", "cosine"},
    "last_three": {"soft_target", "masked_lm", "cosine"},
    "no_soft_target": {"masked_lm", "cosine"},
    "no_masked_lm": {"soft_target", "cosine"},
    "no_cosine": {"soft_target", "masked_lm"},
    "mlm_equal_time": {"masked_lm"},
    "mlm_only": {"masked_lm"},
}
TASKS = ["nsmc", "klue_ner", "korquad", "korsts", "kornli", "question_pair", "nsmc_whole"]


def evidence() -> Plan:
    return expand(parse_study(["--config", "configs/study/evidence.yaml"]))


def test_the_main_student_is_distilled_on_all_tasks_and_some_tasks_are_for_some() -> None:
    plan = evidence()
    assert list(plan.tasks) == TASKS
    stages: dict[str, set[str]] = {}
    for run in plan.runs:
        stages.setdefault(run.arm, set()).add(run.stage)
    assert stages["triple_loss+task_distil"] == set(TASKS)
    main = {"teacher", "triple_loss", "triple_loss+task_distil", "multilingual"}
    left_out = {arm: set[str]() for arm in main} | {
        "undistilled": {"nsmc_whole"},
        "mlm_only": {"nsmc_whole", "korquad"},
    }
    for arm, found in stages.items():
        assert found - {"distil"} == {*TASKS} - left_out.get(arm, {"nsmc_whole", "korquad", "korsts", "kornli"}), arm
    for run in plan.runs:
        if run.stage == "kornli":
            rate = "2.0e-5" if run.arm in ("teacher", "multilingual") else "5.0e-5"
            assert [word for word in run.commands[0] if ".lr=" in word] == [f"--model.optimizer.lr={rate}"]
    taught = [run for run in plan.runs if run.arm == "triple_loss+task_distil"]
    assert {run.needs for run in taught} == {
        (f"distil/triple_loss_seed{seed}", f"{task}/teacher_seed1") for task in TASKS for seed in (1, 2)
    }
    scores = {run.stage for run in taught if "configs/finetune/distil_scores.yaml" in run.commands[0]}
    assert scores == {"korsts"}
    for run in plan.runs:  # equal for models with dropout of their own and without
        attention = "0.0" if run.stage == "korquad" else "0.1"
        dropout = {"--model.dropout.hidden=0.1", f"--model.dropout.attention={attention}"}
        assert run.stage == "distil" or dropout <= {*run.commands[0]}, run
    own = [run.commands[0] for run in plan.runs if run.arm == "multilingual"]
    assert len(own) == len(TASKS)
    for words in own:
        tokenizers = [word for word in words if word.startswith("--data.tokenizer=")]
        assert tokenizers[-1] == "--data.tokenizer=exported/multilingual"
        assert "--model.init_from=exported/multilingual" in words


def words_of(arm: str) -> list[str]:
    """The trainer's words for the first distillation of an arm."""
    plan = evidence()
    assert {one.name for one in plan.arms if one.is_distilled} == {*TERMS, "undistilled"}
    return list(next(run for run in plan.runs if (run.stage, run.arm) == ("distil", arm)).commands[0][2:])


@pytest.mark.slow
@pytest.mark.parametrize("arm", TERMS)
def test_an_arm_trains(arm: str, world: World, run: Run, tmp_path: Path) -> None:
    words = words_of(arm)
    small = [*world.data(), f"--model.teacher={world.teacher}", f"--run.root={tmp_path}", "--trainer.devices=1"]
    small += ["--trainer.max_steps=20", "--trainer.val_check_interval=20", "--model.student.dropout=0.0"]
    small += ["--model.objectives.relations.heads=2"] if "relations" in TERMS[arm] else []
    cli = run("fit", [*words, *small])
    folder = tmp_path / "distil" / f"{arm}_seed1"
    curves, metrics = scalars(folder), read_json(folder / "metrics.json")
    assert metrics["steps"] == 20
    assert {name.rpartition("/")[2] for name in curves if name.startswith("train/weighted/")} == TERMS[arm]
    total = curves["train/loss/total"]
    assert sum(list(total.values())[-5:]) < sum(list(total.values())[:5])
    assert cli.model.objectives.needs_teacher == (not arm.startswith("mlm_"))
    assert cli.model.student.layers == {"first_three": (0, 1, 2), "last_three": (9, 10, 11)}.get(arm, (0, 4, 8))
    assert (cli.model.student.init == "random") == (arm == "random_start")
