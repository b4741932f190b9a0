"""Objectives through the trainer: every shipped family, and weights that none reaches."""

from pathlib import Path
from typing import Any

import pytest
import torch

from distilkobert.seeds import derived_seed
from tests.world import Run, World, read_json, scalars


@pytest.mark.parametrize(
    ("recipe", "terms"),
    [("tinybert", ["attention", "hidden_mse"]), ("minilm_v2", ["relations"]), ("attention", ["attention"])],
)
def test_every_family_trains_and_is_measured(
    recipe: str, terms: list[str], world: World, run: Run, tmp_path: Path
) -> None:
    heads = ["--model.objectives.relations.heads=2"] if recipe == "minilm_v2" else []
    options = [
        "-c",
        f"configs/distill/{recipe}.yaml",
        *heads,
        "--trainer.max_steps=20",
        "--trainer.val_check_interval=20",
    ]
    run("fit", world.distil(tmp_path, *options))
    folder = tmp_path / "distilkobert" / "base_seed42"
    curves, metrics = scalars(folder), read_json(folder / "metrics.json")
    assert sorted(name for name in curves if name.startswith("train/weighted/")) == [
        f"train/weighted/{term}" for term in terms
    ]
    total = curves["train/loss/total"]
    assert total[20] < total[1]
    assert "val/loss" in metrics  # measured, but not trained
    assert "best/val/loss" not in metrics
    assert metrics["best/val/objective/total"] == metrics["val/objective/total"]
    assert metrics["val/objective/total"] == pytest.approx(
        sum(metrics[f"val/objective/{term}"] for term in terms), rel=1e-5
    )


def test_weights_that_nothing_reaches_keep_their_start(world: World, run: Run, tmp_path: Path) -> None:
    options = ["-c", "configs/distill/minilm_v2.yaml", "--model.objectives.relations.heads=2"]
    layer = ["--model.objectives.relations.student_layer=1", "--trainer.max_steps=4"]
    before = run("fit", world.distil(tmp_path / "start", *options, *layer, "--trainer.max_steps=0"))
    after = run("fit", world.distil(tmp_path / "end", *options, *layer))
    start, end = before.model.network.state_dict(), after.model.network.state_dict()
    moved = {name for name, value in start.items() if not torch.equal(value, end[name])}
    assert any("layer.0." in name for name in moved)
    tied = "vocab_projector.weight"  # is the embedding, which learns
    assert not any("layer.2." in name or name.startswith("vocab_") for name in moved - {tied})
    frozen = {name for name, parameter in after.model.network.named_parameters() if not parameter.requires_grad}
    assert {name for name in frozen if "layer.2." in name}


def test_the_projection_of_an_objective_starts_from_the_seed_of_the_run(world: World, run: Run, tmp_path: Path) -> None:
    weights = []
    for seed in (1, 2):
        options = (f"--seed_everything={seed}", "--model.student.hidden_size=8", "--trainer.max_steps=0")
        cli: Any = run("fit", world.distil(tmp_path, *options))
        weights.append(cli.model.objectives.active["cosine"].projection.weight.detach())
        with torch.random.fork_rng():
            torch.manual_seed(derived_seed("objective", seed, "cosine"))
            assert torch.equal(weights[-1], torch.nn.Linear(8, 16, bias=False).weight)
    assert not torch.equal(*weights)


def test_the_projection_of_an_objective_learns(world: World, run: Run, tmp_path: Path) -> None:
    """AdamW's first step moves every weight by the learning rate."""
    settings = ("lr=0.01", "eps=1.0e-12", "warmup=0", "schedule=constant", "weight_decay=0")
    options = ["--model.student.hidden_size=8", *(f"--model.optimizer.{setting}" for setting in settings)]
    weights = []
    for steps in (0, 1):
        here = (f"--trainer.max_steps={steps}", "--trainer.gradient_clip_val=null")
        cli: Any = run("fit", world.distil(tmp_path / str(steps), *options, *here))
        weights.append(cli.model.objectives.active["cosine"].projection.weight.detach())
    torch.testing.assert_close((weights[1] - weights[0]).abs(), torch.full((16, 8), 0.01), rtol=1e-3, atol=0.0)
