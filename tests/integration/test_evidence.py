"""Every arm of configs/study/evidence.yaml trains 20 steps on the small world, on the objectives of its name."""

from collections.abc import Callable
from pathlib import Path

import pytest

from experiments._shared.trainer_cli import TrainerCLI
from experiments.study.plan.expand import expand
from experiments.study.plan.parsing import parse_study
from tests.world import World, read_json, scalars

TERMS = {
    "triple_loss": {"soft_target", "masked_lm", "cosine"},
    "hidden_mse": {"hidden_mse"},
    "attention": {"attention"},
    "relations": {"relations"},
    "relations_soft": {"relations", "soft_target"},
    "random_start": {"soft_target", "masked_lm", "cosine"},
    "first_three": {"soft_target", "masked_lm", "cosine"},
    "mlm_only": {"masked_lm"},
}


def words_of(arm: str) -> list[str]:
    """The trainer's words for the first distillation of an arm."""
    plan = expand(parse_study(["--config", "configs/study/evidence.yaml"]))
    assert {one.name for one in plan.arms} == {*TERMS, "teacher", "undistilled"}
    return list(next(run for run in plan.runs if (run.stage, run.arm) == ("distil", arm)).commands[0][2:])


@pytest.mark.slow
@pytest.mark.parametrize("arm", TERMS)
def test_an_arm_trains(arm: str, world: World, run: Callable[..., TrainerCLI], tmp_path: Path) -> None:
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
    assert cli.model.objectives.needs_teacher == (arm != "mlm_only")
    assert cli.model.student.layers == ((0, 1, 2) if arm == "first_three" else (0, 4, 8))
    assert (cli.model.student.init == "random") == (arm == "random_start")
