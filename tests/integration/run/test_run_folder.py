"""A run's folder and TensorBoard: what is there after `fit`, `validate` and a second `fit` from the saved config."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from distilkobert.models.checkpoints import load_model, read_checkpoint
from lightning_modules.callbacks import LastCheckpoint
from tests.world import Run, World, read_json, scalars


@pytest.fixture(scope="module")
def folder(world: World, run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One finished distillation."""
    runs = tmp_path_factory.mktemp("runs")
    run("fit", world.distil(runs, "--last_checkpoint.keep_every_n_steps=3"))
    return runs / "distilkobert" / "base_seed42"


def test_the_folder_is_complete(folder: Path) -> None:
    assert sorted(path.name for path in (folder / "checkpoints").iterdir()) == [
        "best.ckpt",
        "last.ckpt",
        "step00000003.ckpt",
        "step00000006.ckpt",
    ]
    assert {path.name for path in (folder / "tokenizer").iterdir()} >= {"vocab.txt"}
    assert read_json(folder / "corpus_manifest.json")["sequences"]["train"] > 0
    assert list(folder.glob("events.out.tfevents.*"))


def test_metrics_tell_the_run(folder: Path) -> None:
    metrics = read_json(folder / "metrics.json")
    assert metrics["seed"] == 42
    assert metrics["recipe"] == "distilkobert"
    assert metrics["arm"] == "base"
    assert metrics["steps"] == 6
    assert metrics["tokens_seen"] > 6 * 200
    assert metrics["parameters"] > 0
    assert 0 < metrics["wall_time_s"] < 300
    assert {"git_revision", "hardware", "version/torch", "val/agreement", "val/teacher_loss"} <= metrics.keys()
    assert math.isfinite(metrics["val/loss"])
    assert all(isinstance(value, (str, int, float)) for value in metrics.values())


def test_scalars_have_the_promised_names_and_agree_with_one_another(folder: Path) -> None:
    curves = scalars(folder)
    terms = ("total", "soft_target", "masked_lm", "cosine")
    expected = {*(f"train/loss/{term}" for term in terms), "train/tokens_per_s", "train/grad_norm", "train/lr"}
    assert expected | {"train/padding", "val/loss", "val/agreement", "val/loss/cosine"} <= curves.keys()
    for name in expected:
        assert sorted(curves[name]) == [1, 2, 3, 4, 5, 6], name
    for step, total in curves["train/loss/total"].items():
        parts = sum(0.33 * curves[f"train/loss/{term}"][step] for term in terms[1:])
        assert total == pytest.approx(parts, rel=1e-5)
    assert curves["train/lr"][1] == 0.0  # the warm-up starts at 0
    assert curves["train/lr"][2] == pytest.approx(5e-4)
    assert all(0 <= padding < 0.5 for padding in curves["train/padding"].values())


def test_the_saved_config_runs_again_to_the_same_figures(folder: Path, run: Run, tmp_path: Path) -> None:
    run("fit", ["-c", str(folder / "config.yaml"), f"--run.root={tmp_path}"])
    again = read_json(tmp_path / "distilkobert" / "base_seed42" / "metrics.json")
    first = read_json(folder / "metrics.json")
    for name in ("train/loss/total", "val/loss", "val/agreement", "tokens_seen"):
        assert again[name] == first[name], name


def test_validating_the_last_checkpoint_repeats_the_last_validation(folder: Path, run: Run, tmp_path: Path) -> None:
    options = [f"--ckpt_path={folder}/checkpoints/last.ckpt", f"--run.root={tmp_path}"]
    run("validate", ["-c", str(folder / "config.yaml"), *options])
    validated = read_json(tmp_path / "distilkobert" / "base_seed42" / "metrics.json")
    trained = read_json(folder / "metrics.json")
    assert validated["val/loss"] == trained["val/loss"]
    assert validated["val/agreement"] == trained["val/agreement"]


def test_the_checkpoint_holds_the_student_only_and_plain_types(folder: Path) -> None:
    content = read_checkpoint(folder / "checkpoints" / "last.ckpt")
    assert all(name.startswith(("network.distilbert", "network.vocab", "means.")) for name in content["state_dict"])
    assert content["module"]["class"] == "Distillation"
    assert content["transformers"]["config"]["n_layers"] == 3


def test_frozen_positions_did_not_move_and_the_rest_did(folder: Path, world: World) -> None:
    from transformers import BertForMaskedLM

    weights = read_checkpoint(folder / "checkpoints" / "last.ckpt")["state_dict"]
    teacher = BertForMaskedLM.from_pretrained(world.teacher).bert.embeddings
    prefix = "network.distilbert.embeddings"
    assert torch.equal(weights[f"{prefix}.position_embeddings.weight"], teacher.position_embeddings.weight)
    assert not torch.equal(weights[f"{prefix}.word_embeddings.weight"], teacher.word_embeddings.weight)


def test_the_config_is_complete_and_in_tensorboard(folder: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    config = yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8"))
    assert config["model"]["init_args"]["student"]["layers"] == [0, 4, 8]
    assert config["trainer"]["gradient_clip_val"] == 5.0
    events = EventAccumulator(str(folder))
    events.Reload()
    (shown,) = (event.tensor_proto.string_val[0].decode() for event in events.Tensors("config/text_summary"))
    assert yaml.safe_load(shown.removeprefix("```yaml\n").removesuffix("```")) == config


def test_a_used_folder_is_refused(folder: Path, run: Run) -> None:
    before = (folder / "metrics.json").read_bytes()
    with pytest.raises(ValueError, match=r"already contains a run\. Resume it with"):
        run("fit", ["-c", str(folder / "config.yaml")])
    assert (folder / "metrics.json").read_bytes() == before


@pytest.mark.slow
def test_a_pretraining_run_becomes_a_teacher(world: World, run: Run, tmp_path: Path) -> None:
    run("fit", world.pretrain(tmp_path))
    metrics = read_json(tmp_path / "pretrain" / "base_seed42" / "metrics.json")
    assert metrics["val/loss"] == pytest.approx(math.log(600), abs=0.7)
    checkpoint = tmp_path / "pretrain" / "base_seed42" / "checkpoints" / "last.ckpt"
    options = [f"--model.teacher={checkpoint}", "--model.student.layers=[1]", "--model.student.freeze_positions=false"]
    run("validate", world.distil(tmp_path, *options))
    distilled = read_json(tmp_path / "distilkobert" / "base_seed42" / "metrics.json")
    assert distilled["val/teacher_loss"] == pytest.approx(math.log(600), abs=0.7)


@pytest.mark.slow
def test_a_run_of_no_steps_keeps_and_measures_the_start(world: World, run: Run, tmp_path: Path) -> None:
    run("fit", world.distil(tmp_path, "--run.arm=undistilled", "--trainer.max_steps=0"))
    untrained = tmp_path / "distilkobert" / "undistilled_seed42"
    saved = read_checkpoint(untrained / "checkpoints" / "last.ckpt")
    teacher = load_model(world.teacher, "masked_lm")[0].state_dict()
    for student_layer, teacher_layer in enumerate((0, 4, 8)):
        copied = saved["state_dict"][f"network.distilbert.transformer.layer.{student_layer}.ffn.lin1.weight"]
        assert torch.equal(copied, teacher[f"bert.encoder.layer.{teacher_layer}.intermediate.dense.weight"])
    metrics = read_json(untrained / "metrics.json")
    assert (metrics["steps"], metrics["tokens_seen"]) == (0, 0)
    run("fit", world.distil(tmp_path, "--run.arm=trained"))
    trained = read_json(tmp_path / "distilkobert" / "trained_seed42" / "metrics.json")
    assert metrics["val/teacher_loss"] == trained["val/teacher_loss"]
    assert metrics["val/loss"] != trained["val/loss"]


def test_training_ends_with_a_validation_of_its_last_step(world: World, run: Run, tmp_path: Path) -> None:
    run("fit", world.distil(tmp_path, "--trainer.max_steps=5", "--trainer.val_check_interval=4"))
    metrics = read_json(tmp_path / "distilkobert" / "base_seed42" / "metrics.json")
    assert (metrics["steps"], metrics["val/step"]) == (5, 5)
    assert list(scalars(tmp_path / "distilkobert" / "base_seed42")["val/loss"]) == [4, 5]


@pytest.mark.parametrize(("minutes", "written"), [("1e-9", [1, 2, 3]), ("60", [2, 3])])
def test_the_last_checkpoint_follows_steps_or_minutes_whichever_comes_first(
    minutes: str,
    written: list[int],
    world: World,
    run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    steps, save = [], LastCheckpoint.save

    def noted(self: LastCheckpoint, trainer: Any) -> None:
        steps.append(trainer.global_step)
        save(self, trainer)

    monkeypatch.setattr(LastCheckpoint, "save", noted)
    options = [
        "--trainer.max_steps=3",
        "--last_checkpoint.every_n_steps=2",
        f"--last_checkpoint.every_minutes={minutes}",
    ]
    run("fit", world.pretrain(tmp_path, *options))
    assert list(dict.fromkeys(steps)) == written
    last = tmp_path / "pretrain" / "base_seed42" / "checkpoints" / "last.ckpt"
    said = f"checkpoint every 2 steps or {float(minutes):g} min, whichever comes first: {last}"
    assert said in caplog.text
