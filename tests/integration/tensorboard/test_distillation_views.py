"""What a distillation measures at validation beside its losses, and what TensorBoard gets of its settings."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from distilkobert.corpus.frequency import BUCKETS, frequency_buckets
from distilkobert.models.heads import encode
from experiments._shared.trainer_cli import TrainerCLI
from tests.integration.tensorboard.event_files import custom_charts, hparams
from tests.world import Run, World, read_json, scalars


@pytest.fixture(scope="module")
def finished(world: World, run: Run, tmp_path_factory: pytest.TempPathFactory) -> tuple[TrainerCLI, Path]:
    """A distillation of six steps with two validations."""
    runs = tmp_path_factory.mktemp("runs")
    cli = run("fit", world.distil(runs, "--trainer.val_check_interval=3"))
    return cli, runs / "distilkobert" / "base_seed42"


def test_agreement_by_frequency_adds_up_to_agreement(finished: tuple[TrainerCLI, Path], world: World) -> None:
    cli, folder = finished
    metrics = read_json(folder / "metrics.json")
    places = frequency_buckets(np.load(world.corpus / "token_counts.npy"))
    labels = torch.cat([batch["labels"][batch["labels"] >= 0] for batch in cli.datamodule.val_dataloader()])
    sizes = torch.bincount(places[labels], minlength=3)
    assert bool((sizes > 0).all()), "the example must have tokens of every group"
    total = sum(int(size) * metrics[f"val/agreement/{name}"] for size, name in zip(sizes, BUCKETS, strict=True))
    assert total / int(sizes.sum()) == pytest.approx(metrics["val/agreement"], abs=1e-6)


def test_layers_are_measured_at_every_validation(finished: tuple[TrainerCLI, Path]) -> None:
    curves = scalars(finished[1])
    for name in [f"val/{measure}/layer{place}" for measure in ("similarity", "cka") for place in range(3)]:
        assert sorted(curves[name]) == [3, 6]
        assert all(-1 <= value <= 1 + 1e-6 for value in curves[name].values())
    assert sorted(curves["val/loss"]) == [3, 6]
    assert curves["val/cka/layer0"][6] > 0.9, "layer 0 is copied, and its input nearly so"
    assert curves["train/tokens_seen"][6] == read_json(finished[1] / "metrics.json")["tokens_seen"]


def test_a_random_student_is_compared_with_its_mapped_layers(world: World, run: Run, tmp_path: Path) -> None:
    run("validate", world.distil(tmp_path, "--model.student.init=random", "--model.student.layers=[2, 11]"))
    metrics = read_json(tmp_path / "distilkobert" / "base_seed42" / "metrics.json")
    measured = sorted(name for name in metrics if name.startswith(("val/similarity", "val/cka")))
    assert measured == ["val/cka/layer0", "val/cka/layer1", "val/similarity/layer0", "val/similarity/layer1"]
    assert abs(metrics["val/similarity/layer1"]) < 0.6
    # The last student layer is compared with the last teacher layer here, as in the cosine loss.
    assert 1 - metrics["val/similarity/layer1"] == pytest.approx(metrics["val/loss/cosine"], abs=1e-5)


def test_validating_again_places_the_figures_at_the_checkpoints_step(
    finished: tuple[TrainerCLI, Path], run: Run, tmp_path: Path
) -> None:
    folder = finished[1]
    options = [f"--ckpt_path={folder}/checkpoints/last.ckpt", f"--run.root={tmp_path}"]
    run("validate", ["-c", str(folder / "config.yaml"), *options])
    again, before = scalars(tmp_path / "distilkobert" / "base_seed42"), scalars(folder)
    names = [name for name in again if name.startswith("val/")]
    assert len(names) >= 16
    for name in names:
        assert again[name] == {6: before[name][6]}, name


def test_settings_have_short_names(finished: tuple[TrainerCLI, Path]) -> None:
    settings = hparams(finished[1])
    expected = {
        "recipe": "distilkobert", "arm": "base", "seed": 42, "lr": 5e-4, "soft_target.weight": 0.33,
        "soft_target.temperature": 2.0, "soft_target.on": "real_tokens", "masked_lm.weight": 0.33,
        "cosine.weight": 0.33, "layers": "[0, 4, 8]", "init": "teacher", "copy_head": True, "smoothing": 0.7,
        "max_tokens": 512, "max_steps": 6,
    }  # fmt: skip
    assert {name: settings[name] for name in expected} == pytest.approx(expected)


def test_objectives_share_one_page_of_charts(finished: tuple[TrainerCLI, Path]) -> None:
    charts, curves = custom_charts(finished[1]), scalars(finished[1])
    names = ("soft_target", "masked_lm", "cosine")
    assert charts == {
        "objectives/value": [f"train/loss/{name}" for name in names],
        "objectives/value times weight": [f"train/weighted/{name}" for name in names],
        "objectives/held-out value": [f"val/objective/{name}" for name in names],
    }
    for tags in charts.values():
        assert set(tags) <= curves.keys()
    for name in names:
        value, weighted = curves[f"train/loss/{name}"], curves[f"train/weighted/{name}"]
        assert sorted(weighted) == [1, 2, 3, 4, 5, 6]
        assert weighted == pytest.approx({step: 0.33 * number for step, number in value.items()}, rel=1e-6)


def test_the_measures_run_no_network_twice(finished: tuple[TrainerCLI, Path]) -> None:
    cli, _ = finished
    batch = next(iter(cli.datamodule.val_dataloader()))
    ids, mask = batch["input_ids"], batch["attention_mask"]
    with FlopCounterMode(display=False) as both, torch.no_grad():
        cli.model.network.base_model(input_ids=ids, attention_mask=mask)
        encode(cli.model.teacher_run.model, ids, mask)
    cli.model.log = lambda *args, **kwargs: None
    with FlopCounterMode(display=False) as step, torch.no_grad():
        cli.model.validation_step(batch, 0)
    heads = 2 * int(mask.sum()) * 2 * 16 * (16 + 600)
    assert step.get_total_flops() < 1.1 * (both.get_total_flops() + heads)
