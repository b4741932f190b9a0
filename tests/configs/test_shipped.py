"""Every shipped YAML parses and builds: modules, data and trainer are made, training is not started."""

import functools
from collections.abc import Callable
from pathlib import Path

import pytest
import pytorch_lightning as pl
import yaml

from distilkobert.objectives import HiddenCosine, MaskedLM, SoftTargets
from distilkobert.tasks.data_sets import DATASETS
from experiments._shared.trainer_cli import TrainerCLI
from tests.world import World

CONFIGS = Path("configs")
DISTIL, PRETRAIN = ["configs/distill/distilkobert.yaml"], ["configs/pretrain/mlm.yaml"]

# What each file is stacked on; a recipe stands alone.
STACKS: dict[str, list[str]] = {
    "distill/distilkobert.yaml": [],
    "distill/plus.yaml": DISTIL,
    "distill/hidden_mse.yaml": DISTIL,
    "distill/tinybert.yaml": DISTIL,
    "distill/minilm_v2.yaml": DISTIL,
    "distill/attention.yaml": DISTIL,
    "pretrain/adapt.yaml": [],
    "pretrain/mlm.yaml": [],
    "model/kobert.yaml": PRETRAIN,
    "model/mini.yaml": PRETRAIN,
    "model/tiny.yaml": PRETRAIN,
    "demo/teacher.yaml": PRETRAIN,
    "demo/student.yaml": [*DISTIL, "configs/distill/plus.yaml"],
    "ablation/init_random.yaml": DISTIL,
    "ablation/mlm_only.yaml": DISTIL,
    "ablation/probe.yaml": DISTIL,
    "trainer/cpu.yaml": DISTIL,
    "trainer/cpu_bf16.yaml": DISTIL,
    "trainer/ddp_cpu.yaml": DISTIL,
    "trainer/gpu.yaml": DISTIL,
    "trainer/ddp.yaml": DISTIL,
    "logger/csv.yaml": DISTIL,
    "logger/mlflow.yaml": DISTIL,
    "logger/wandb.yaml": DISTIL,
    "trainer/one_gpu.yaml": DISTIL,
    "trainer/eight_gpus.yaml": DISTIL,
    "debug/fast.yaml": DISTIL,
    "debug/limit.yaml": DISTIL,
    "debug/profile.yaml": DISTIL,
}
SHIPPED = sorted(
    str(path.relative_to(CONFIGS))
    for path in CONFIGS.rglob("*.yaml")
    if path.relative_to(CONFIGS).parts[0] not in ("finetune", "study")
)


def test_every_file_is_listed() -> None:
    assert sorted(STACKS) == SHIPPED


@pytest.fixture
def build(monkeypatch: pytest.MonkeyPatch) -> Callable[[list[str]], TrainerCLI]:
    """Run the command line with a trainer that does nothing."""

    def nothing(method: Callable[..., object]) -> Callable[..., None]:
        @functools.wraps(method)
        def call(*args: object, **kwargs: object) -> None:
            return None

        return call

    def call(arguments: list[str]) -> TrainerCLI:
        from experiments.train import main

        monkeypatch.setattr(pl.Trainer, "fit", nothing(pl.Trainer.fit))
        monkeypatch.setattr(TrainerCLI, "after_fit", lambda self: None)
        monkeypatch.setattr("sys.argv", ["train"])
        # Packages of loggers are no dependencies; they are made when there is something to log.
        monkeypatch.setattr("experiments._shared.training.loggers.find_spec", lambda package: package)
        return main(["fit", *arguments])

    return call


@pytest.mark.parametrize("name", SHIPPED)
def test_it_parses_and_builds(
    name: str, build: Callable[[list[str]], TrainerCLI], world: World, tmp_path: Path
) -> None:
    stack = [option for file in [*STACKS[name], f"configs/{name}"] for option in ("-c", file)]
    # GPU overlays are parsed whole; their trainer is then built on the CPU, because this machine may have no GPU.
    devices = ["--trainer.accelerator=cpu", "--trainer.devices=1", "--trainer.strategy=auto"]
    devices.append("--run.allow_slow_precision=true")  # whatever this CPU has
    cli = build([*stack, *world.data(), *devices, f"--run.root={tmp_path}"])
    content = yaml.safe_load((CONFIGS / name).read_text(encoding="utf-8"))
    for key, value in content.get("run", {}).items():
        assert cli.config.fit.run[key] == value
    assert cli.model.vocab_size == cli.datamodule.vocab_size == 600
    assert cli.datamodule.seed == cli.config.fit.seed_everything


def test_overlays_win_key_by_key(build: Callable[[list[str]], TrainerCLI], world: World, tmp_path: Path) -> None:
    recipe = ["-c", "configs/distill/distilkobert.yaml"]
    base = build([*recipe, *world.data(), f"--run.root={tmp_path}"])
    changed = build([*recipe, "-c", "configs/ablation/mlm_only.yaml", *world.data(), f"--run.root={tmp_path}"])
    assert base.model.objectives.weights_at(0.0) == {"soft_target": 0.33, "masked_lm": 0.33, "cosine": 0.33}
    assert changed.model.objectives.weights_at(0.0) == {"masked_lm": 1.0}
    assert not changed.model.objectives.needs_teacher
    assert (base.run_folder.name, changed.run_folder.name) == ("base_seed42", "mlm_only_seed42")


def test_the_published_recipe_has_the_published_numbers(
    build: Callable[[list[str]], TrainerCLI], world: World, tmp_path: Path
) -> None:
    cli = build(["-c", "configs/distill/distilkobert.yaml", *world.data(), f"--run.root={tmp_path}"])
    model, trainer = cli.model, cli.config.fit.trainer
    assert model.student.layers == (0, 4, 8)
    objectives = dict(model.objectives.items())
    assert {name: (type(one), one.weight) for name, one in objectives.items()} == {
        "soft_target": (SoftTargets, 0.33), "masked_lm": (MaskedLM, 0.33), "cosine": (HiddenCosine, 0.33),
    }  # fmt: skip
    assert (objectives["soft_target"].temperature, objectives["soft_target"].on) == (2.0, "real_tokens")
    optimizer = model.optimizer_spec
    assert (optimizer.lr, optimizer.betas, optimizer.eps, optimizer.warmup) == (5e-4, (0.9, 0.98), 1e-6, 0.05)
    assert (trainer.max_epochs, trainer.gradient_clip_val, trainer.accumulate_grad_batches) == (3, 5.0, 8)
    masking = cli.datamodule.masking
    assert (masking.probability, masking.mask, masking.keep, masking.random) == (0.15, 0.8, 0.1, 0.1)
    assert masking.smoothing == 0.7


def test_every_file_of_a_task_is_a_recipe_or_an_overlay_that_a_test_runs() -> None:
    """`tests/integration` runs the recipes and their overlays."""
    names = {path.stem for path in (CONFIGS / "finetune").glob("*.yaml")}
    plus = {"nsmc_plus", "naver_ner_plus", "klue_ner_plus", "korquad_plus"}
    assert names == {*(known.name for known in DATASETS), *plus, "early_stopping", "distil", "distil_scores"}
    assert [path.name for path in (CONFIGS / "finetune" / "shared").iterdir()] == ["optimizer.yaml"]
