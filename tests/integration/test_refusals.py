"""What the trainer refuses, and in which words."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from distilkobert.checkpoints import read_checkpoint
from distilkobert.synthetic import generate_sentences
from distilkobert.tokenizer_training import train_tokenizer
from experiments.cli import TrainerCLI
from tests.world import World

Run = Callable[..., TrainerCLI]


@pytest.fixture(scope="module")
def checkpoint(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkpoint of a short distillation."""
    from experiments.train import main

    runs = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["train"])
        main(["fit", *world.distil(runs, "--trainer.max_steps=2")])
    return runs / "distilkobert" / "base_seed42" / "checkpoints" / "last.ckpt"


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("--trainer.max_epoch=3", "max_epoch"),
        ("--trainer.max_epo=3", "max_epo"),
        ("--model.losse.cosine=0", "losse"),
        ("--model.losses.cosin=0", "cosin"),
        ("--model.losses.temperature=warm", "temperature"),
        ("--model.student.init=teach", "teach"),
        ("--model.student.layers=[0,x]", "layers"),
        ("--run.armm=x", "armm"),
        ("--data.max_token=3", "max_token"),
        ("--best_checkpoint.monitr=x", "monitr"),
    ],
)
def test_misspelt_abbreviated_and_ill_typed_options_are_refused(
    option: str, words: str, world: World, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        run("fit", world.distil(tmp_path, option))
    assert caught.value.code == 2
    assert words in capsys.readouterr().err
    assert not any(tmp_path.iterdir())


def test_an_unknown_key_in_a_file_is_refused(
    world: World, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    overlay = tmp_path / "overlay.yaml"
    overlay.write_text("model:\n  init_args:\n    losses:\n      kosine: 1.0\n")
    with pytest.raises(SystemExit):
        run("fit", world.distil(tmp_path / "runs", "-c", str(overlay)))
    assert "kosine" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--model.student.layers=[0,4,12]"], "layers 0 to 11, there is no 12"),
        (["--model.student.layers=[4,4]"], "named twice"),
        (["--model.teacher=nowhere/at-all"], "could not be fetched"),
        (["--run.arm=a/b"], "cannot be a folder name"),
        (["--trainer.logger=false"], "runs always log to TensorBoard"),
        (["--data.data_dir=nowhere"], "nowhere"),
    ],
)
def test_settings_that_cannot_work_are_refused(
    options: list[str], message: str, world: World, run: Run, tmp_path: Path
) -> None:
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        run("fit", world.distil(tmp_path, *options))


def test_a_teacher_of_another_vocabulary_is_refused(world: World, run: Run, tmp_path: Path) -> None:
    from distilkobert.teachers import EncoderSpec, build_encoder

    spec = EncoderSpec(layers=12, hidden_size=8, heads=1, intermediate_size=8, max_positions=64)
    build_encoder(spec, vocab_size=599, pad_token_id=1).save_pretrained(tmp_path / "teacher")
    with pytest.raises(ValueError, match="vocabulary has 599 pieces, the tokenizer 600"):
        run("fit", world.distil(tmp_path, f"--model.teacher={tmp_path / 'teacher'}"))


def test_a_corpus_of_another_tokenizer_is_refused(world: World, run: Run, tmp_path: Path) -> None:
    train_tokenizer(generate_sentences(700, seed=6), tmp_path / "other", vocab_size=600, seed=6)
    with pytest.raises(ValueError, match="fingerprint"):
        run("fit", world.distil(tmp_path, f"--data.tokenizer={tmp_path / 'other'}"))


def test_a_module_override_on_resume_is_refused(checkpoint: Path, world: World, run: Run, tmp_path: Path) -> None:
    options = [f"--ckpt_path={checkpoint}", "--model.losses.temperature=4.0", "--run.arm=other"]
    with pytest.raises(ValueError, match=r"model\.losses\.temperature: checkpoint 2\.0, now 4\.0"):
        run("fit", world.distil(tmp_path, *options))


def test_a_checkpoint_of_another_module_is_refused(checkpoint: Path, world: World, run: Run, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="written by Distillation, this command configures MaskedLanguageModeling"):
        run("fit", world.pretrain(tmp_path, f"--ckpt_path={checkpoint}"))
    with pytest.raises(ValueError, match="written by Distillation"):
        run("validate", world.pretrain(tmp_path, f"--ckpt_path={checkpoint}"))


def test_a_missing_checkpoint_is_named(world: World, run: Run, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no-such\.ckpt: no such checkpoint file"):
        run("fit", world.distil(tmp_path, f"--ckpt_path={tmp_path}/no-such.ckpt"))


def test_a_loss_that_is_not_finite_stops_before_the_step(world: World, run: Run, tmp_path: Path) -> None:
    options = ["--model.optimizer.lr=1e30", "--model.optimizer.warmup=0.5", "--last_checkpoint.every_n_steps=1"]
    with pytest.raises(FloatingPointError, match=r"not finite at optimizer step \d+ .*last\.ckpt"):
        run("fit", world.distil(tmp_path, *options))
    last = read_checkpoint(tmp_path / "distilkobert" / "base_seed42" / "checkpoints" / "last.ckpt")
    assert all(torch.isfinite(value).all() for value in last["state_dict"].values() if value.is_floating_point())
