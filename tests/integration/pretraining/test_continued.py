"""Going on from an encoder with masked language modelling: its head, its first part, its end."""

import shutil
from pathlib import Path

import pytest
import torch
from transformers import AutoModel, AutoModelForMaskedLM, BertConfig, BertModel, ElectraConfig, ElectraForPreTraining

from distilkobert.models.checkpoints import load_model, read_checkpoint
from experiments.export.__main__ import export
from tests.integration.run.test_resume import PowerCutError, break_at
from tests.world import VOCABULARY, Run, World, read_json, scalars

FIRST = ("--model.train_first=embeddings_and_head", "--model.train_first_share=0.4")
HEAD = {"cls.predictions.bias", "cls.predictions.transform.dense.weight", "cls.predictions.transform.dense.bias",
        "cls.predictions.transform.LayerNorm.weight", "cls.predictions.transform.LayerNorm.bias"}  # fmt: skip


@pytest.fixture(scope="module")
def source(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bare encoder with dropout, as E5 is published: no head, no pooler."""
    folder = tmp_path_factory.mktemp("source") / "encoder"
    config = BertConfig(
        vocab_size=VOCABULARY, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=24,
        max_position_embeddings=64, pad_token_id=1,
    )  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(3)
        BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    return folder


def adapt(world: World, runs: Path, source: Path | str, *options: str) -> list[str]:
    """Ten steps from `source`; later options win."""
    return [
        "-c", "configs/pretrain/adapt.yaml", *world.data(), f"--run.root={runs}", f"--model.init_from={source}",
        "--trainer.max_epochs=-1", "--trainer.max_steps=10", "--trainer.accumulate_grad_batches=2",
        "--trainer.val_check_interval=20", "--model.optimizer.lr=0.01", "--model.optimizer.weight_decay=0.5",
        "--model.optimizer.warmup=0.1", *FIRST, *options,
    ]  # fmt: skip


def weights_at(folder: Path, step: int) -> dict[str, torch.Tensor]:
    state = read_checkpoint(folder / "checkpoints" / f"step{step:08d}.ckpt")["state_dict"]
    return {name.removeprefix("network."): value for name, value in state.items() if name.startswith("network.")}


def test_other_dropout_reaches_the_training_and_the_export(
    world: World, source: Path, run: Run, tmp_path: Path
) -> None:
    options = ["--model.dropout.hidden=0", "--model.dropout.attention=0.25", "--trainer.max_steps=2"]
    module = run("fit", adapt(world, tmp_path, source, *options)).model
    assert {part.p for part in module.network.modules() if isinstance(part, torch.nn.Dropout)} == {0.0, 0.25}
    best = tmp_path / "adapt" / "base_seed42" / "checkpoints" / "best.ckpt"
    export(str(best), str(tmp_path / "exported"))
    config = read_json(tmp_path / "exported" / "config.json")
    assert (config["hidden_dropout_prob"], config["attention_probs_dropout_prob"]) == (0, 0.25)


def test_other_dropout_needs_an_encoder_that_has_one(world: World, run: Run, tmp_path: Path) -> None:
    options = ["-c", "configs/pretrain/mlm.yaml", *world.data(), f"--run.root={tmp_path}"]
    with pytest.raises(ValueError, match=r"init_from, which is not set.*--model\.encoder\.dropout"):
        run("fit", [*options, "--model.dropout.hidden=0"])
    assert not list(tmp_path.iterdir())


def test_embeddings_and_head_learn_first_and_the_layers_keep_every_bit(
    world: World, source: Path, run: Run, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    run("fit", adapt(world, tmp_path, source, "--last_checkpoint.keep_every_n_steps=1"))
    with_head = "added a masked-LM head tied to the embeddings"
    said = [message for message in caplog.messages if with_head in message]
    assert len(said) == 1
    assert set(said[0].rpartition("new: ")[2].split(", ")) == HEAD
    folder = tmp_path / "adapt" / "base_seed42"
    start = BertModel.from_pretrained(source, add_pooling_layer=False).state_dict()
    layers = [name for name in start if name.startswith("encoder.")]
    others = [name for name in start if name.startswith("embeddings.")]
    assert len(layers) == 32
    states = {step: weights_at(folder, step) for step in range(1, 11)}
    for step in (1, 2, 3, 4):
        for name in layers:
            assert torch.equal(states[step][f"bert.{name}"], start[name]), (step, name)
    # Step 1 has a rate of 0, and so has step 5, with which the layers join.
    assert all(torch.equal(states[5][f"bert.{name}"], start[name]) for name in layers)
    assert not any(torch.equal(states[6][f"bert.{name}"], start[name]) for name in layers)
    assert not any(torch.equal(states[2][f"bert.{name}"], start[name]) for name in others)
    assert not any(torch.equal(states[2][name], states[1][name]) for name in HEAD)
    end = states[10]
    assert torch.equal(end["cls.predictions.decoder.weight"], end["bert.embeddings.word_embeddings.weight"])
    curves = scalars(folder)
    assert list(curves["train/lr"].values()) == pytest.approx(
        [0.0, 0.01, 0.01 * 8 / 9, 0.01 * 7 / 9, 0.0, 0.01 * 5 / 9, *(0.01 * left / 9 for left in (4, 3, 2, 1))]
    )


def test_without_a_first_part_the_layers_move_at_once(world: World, source: Path, run: Run, tmp_path: Path) -> None:
    off = ["--model.train_first=null", "--model.train_first_share=0.1", "--trainer.max_steps=2"]
    run("fit", adapt(world, tmp_path, source, *off))
    start = BertModel.from_pretrained(source, add_pooling_layer=False).state_dict()
    end = read_checkpoint(tmp_path / "adapt" / "base_seed42" / "checkpoints" / "last.ckpt")["state_dict"]
    assert not any(torch.equal(end[f"network.bert.{name}"], start[name]) for name in start)


@pytest.mark.parametrize("cut", [3, 7])
def test_a_broken_run_resumes_to_the_same_weights_although_its_source_is_gone(
    cut: int, world: World, source: Path, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = shutil.copytree(source, tmp_path / "moved")
    often = "--last_checkpoint.every_n_steps=1"
    run("fit", adapt(world, tmp_path / "whole", moved, often))
    with monkeypatch.context() as patch:
        break_at(cut, patch)
        with pytest.raises(PowerCutError):
            run("fit", adapt(world, tmp_path / "broken", moved, often))
    shutil.rmtree(moved)
    folders = [tmp_path / name / "adapt" / "base_seed42" for name in ("whole", "broken")]
    last = folders[1] / "checkpoints" / "last.ckpt"
    assert read_checkpoint(last)["global_step"] == cut
    run("fit", ["-c", str(folders[1] / "config.yaml"), f"--ckpt_path={last}"])
    ends = [read_checkpoint(folder / "checkpoints" / "last.ckpt") for folder in folders]
    assert ends[0]["global_step"] == ends[1]["global_step"] == 10
    for name, value in ends[0]["state_dict"].items():
        if name.startswith("network."):
            assert torch.equal(ends[1]["state_dict"][name], value), name
    metrics = [read_json(folder / "metrics.json") for folder in folders]
    assert metrics[0]["val/loss"] == metrics[1]["val/loss"]


def test_a_run_that_gets_longer_does_not_freeze_its_layers_again(
    world: World, source: Path, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They join after 4 of 10 steps; of 40 it would be 16. Stopped on the way, the longer run continues as it was."""
    often = ("--last_checkpoint.every_n_steps=1", "--last_checkpoint.keep_every_n_steps=1")
    run("fit", adapt(world, tmp_path, source, *often, "--trainer.val_check_interval=40"))
    folder = tmp_path / "adapt" / "base_seed42"
    longer = ["-c", str(folder / "config.yaml"), "--ckpt_path=last", "--trainer.max_steps=40"]
    for cut in (13, 18):
        with monkeypatch.context() as patch:
            break_at(cut, patch)
            with pytest.raises(PowerCutError):
                run("fit", longer)
    run("fit", longer)
    rates = scalars(folder)["train/lr"]
    name = "bert.encoder.layer.0.output.dense.weight"
    for step in (11, 12, 17):
        assert not torch.equal(weights_at(folder, step)[name], weights_at(folder, step + 1)[name])
    # Warm-up of a tenth, then straight to 0 at the new end.
    assert [rates[step] for step in (12, 18, 30)] == pytest.approx([0.01 * (41 - step) / 36 for step in (12, 18, 30)])


def test_the_result_is_exported_and_evaluated_without_its_source(
    world: World, source: Path, run: Run, tmp_path: Path
) -> None:
    moved = shutil.copytree(source, tmp_path / "moved")
    run("fit", adapt(world, tmp_path, moved))
    shutil.rmtree(moved)
    folder = tmp_path / "adapt" / "base_seed42"
    last = folder / "checkpoints" / "last.ckpt"
    before = read_json(folder / "metrics.json")
    run("validate", ["-c", str(folder / "config.yaml"), f"--ckpt_path={last}"])
    assert read_json(folder / "metrics.json")["val/loss"] == pytest.approx(before["val/loss"], abs=1e-6)
    exported = export(str(last), str(tmp_path / "exported"))
    trained, _ = load_model(last, "masked_lm")
    ids = torch.arange(5, 35).view(2, 15)
    with torch.inference_mode():
        assert torch.equal(AutoModelForMaskedLM.from_pretrained(exported)(ids).logits, trained(ids).logits)
        hidden = AutoModel.from_pretrained(exported, add_pooling_layer=False)(ids).last_hidden_state
        assert torch.equal(hidden, trained.base_model(ids).last_hidden_state)


def test_a_head_that_is_there_is_measured_at_once(world: World, run: Run, tmp_path: Path) -> None:
    run("validate", adapt(world, tmp_path, world.teacher))
    assert "val/loss" in read_json(tmp_path / "adapt" / "base_seed42" / "metrics.json")


def test_a_new_head_predicts_nothing(world: World, source: Path, run: Run, tmp_path: Path) -> None:
    (tmp_path / "lines.txt").write_text("[MASK] 친구와 영화를 봤다.\n", encoding="utf-8")
    with pytest.raises(ValueError, match="the masked-LM head has random weights, so there is nothing to predict; name"):
        run("predict", adapt(world, tmp_path, source, f"--data.predict_file={tmp_path}/lines.txt"))


def test_a_discriminator_becomes_a_masked_lm(world: World, run: Run, tmp_path: Path) -> None:
    config = ElectraConfig(
        vocab_size=VOCABULARY, embedding_size=8, hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=24, max_position_embeddings=64, pad_token_id=1,
    )  # fmt: skip
    ElectraForPreTraining(config).save_pretrained(tmp_path / "electra")
    run("fit", adapt(world, tmp_path, tmp_path / "electra"))
    exported = export(str(tmp_path / "adapt/base_seed42/checkpoints/last.ckpt"), str(tmp_path / "exported"))
    assert type(AutoModelForMaskedLM.from_pretrained(exported)).__name__ == "ElectraForMaskedLM"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--model.encoder.layers=2",), r"init_from=\S+encoder has its own shape; remove --model\.encoder"),
        (("--model.train_first=null",), r"train_first_share=0\.4, but train_first is not set; set --model\.train_f"),
        (("--model.train_first_share=1.0",), r"train_first_share=1\.0: .* must be between 0 and 1"),
        (("--model.init_from=nowhere/at/all",), r"--model\.init_from=nowhere/at/all: there is no folder"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(
    options: tuple[str, ...], message: str, world: World, source: Path, run: Run, tmp_path: Path
) -> None:
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        run("fit", adapt(world, tmp_path, source, *options))
    assert not any(tmp_path.rglob("config.yaml"))


def test_an_encoder_of_another_vocabulary_is_refused(world: World, run: Run, tmp_path: Path) -> None:
    config = BertConfig(
        vocab_size=VOCABULARY - 1, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=24,
        max_position_embeddings=64, pad_token_id=1,
    )  # fmt: skip
    BertModel(config).save_pretrained(tmp_path / "other")
    with pytest.raises(ValueError, match=rf"other: its vocabulary has {VOCABULARY - 1} pieces, the data's tokenizer"):
        run("fit", adapt(world, tmp_path, tmp_path / "other"))
