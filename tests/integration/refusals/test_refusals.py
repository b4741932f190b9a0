"""What the trainer refuses, and what it says."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from datamodules import CorpusDataModule
from distilkobert.models.teachers import EncoderSpec, build_encoder
from distilkobert.synthetic.generation import generate_sentences
from distilkobert.tokenizers.training import train_tokenizer
from experiments.train import command_line
from tests.world import Run, World, read_json


@pytest.fixture(scope="module")
def checkpoint(world: World, run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkpoint of a short distillation."""
    runs = tmp_path_factory.mktemp("runs")
    run("fit", world.distil(runs, "--trainer.max_steps=2"))
    return runs / "distilkobert" / "base_seed42" / "checkpoints" / "last.ckpt"


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--trainer.max_epoch=3", "max_epoch"),
        ("--trainer.max_epo=3", "max_epo"),
        ("--model.objective.cosine.weight=0", "objective"),
        ("--model.objectives.cosin.weight=0", "there is no objective 'cosin'; the files have soft_target, masked_lm"),
        ("--model.objectives.cosine.weigt=0", "weigt"),
        ("--model.losses.cosine=0", "--model.losses.cosine=0; it is now model.objectives.NAME.weight"),
        ("--model.objectives.soft_target.temperature=warm", "temperature"),
        ("--model.student.init=teach", "teach"),
        ("--model.student.layers=[0,x]", "layers"),
        ("--run.armm=x", "armm"),
        ("--data.max_token=3", "max_token"),
        ("--best_checkpoint.monitr=x", "monitr"),
    ],
)
def test_misspelt_abbreviated_and_ill_typed_options_are_refused(
    option: str, message: str, world: World, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        run("fit", world.distil(tmp_path, option))
    assert caught.value.code == 2
    assert message in capsys.readouterr().err
    assert not any(tmp_path.iterdir())


def test_what_a_constructor_refuses_is_said_alone(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = f"--data.data_dir={tmp_path / 'missing'}"
    monkeypatch.setattr("sys.argv", ["train", "fit", *world.distil(tmp_path / "runs", missing)])
    assert command_line() == 2
    (error,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert error.startswith(f"error: {tmp_path / 'missing'}")
    assert "jsonargparse" not in error


def test_an_unknown_key_in_a_file_is_refused(
    world: World, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    overlay = tmp_path / "overlay.yaml"
    overlay.write_text("model:\n  init_args:\n    objectives:\n      kosine: {init_args: {weight: 1.0}}\n")
    with pytest.raises(SystemExit):
        run("fit", world.distil(tmp_path / "runs", "-c", str(overlay)))
    assert "kosine" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--model.student.layers=[0,4,12]"], "layers 0 to 11, not 12"),
        (["--model.student.layers=[4,4]"], "named twice"),
        (["--model.teacher=nowhere/at-all"], "could not be fetched"),
        (["--run.arm=a/b"], "cannot be a folder name"),
        (["--trainer.logger=false"], "runs always log to TensorBoard"),
        (["--data.data_dir=nowhere"], "nowhere"),
        (["--seed_everything=-1"], "--seed_everything=-1: expected 0 to"),
        (["--trainer.accumulate_grad_batches=0"], "--trainer.accumulate_grad_batches=0: expected 1 or more"),
        (["--trainer.log_every_n_steps=0"], "--trainer.log_every_n_steps=0: expected 1 or more"),
        (["--trainer.val_check_interval=0"], "--trainer.val_check_interval=0: expected a number of batches, 1 or more"),
        (["--trainer.val_check_interval=1.5"], "--trainer.val_check_interval=1.5: expected .* or a share of the epoch"),
        (["--trainer.check_val_every_n_epoch=0"], "--trainer.check_val_every_n_epoch=0: expected 1 or more"),
        (["--trainer.num_sanity_val_steps=-2"], "--trainer.num_sanity_val_steps=-2: expected 0 or more, or -1"),
        (["--best_checkpoint.mode=low"], "--best_checkpoint.mode=low: expected min or max"),
        (["--data.seed=3"], "--data.seed=3: a run has one seed for data, model and training; set --seed_everything"),
        (["--model.init_args.seed=3"], "--model.init_args.seed=3: a run has one seed"),
        (["--best_checkpoint.dirpath=elsewhere"], "--best_checkpoint.dirpath=elsewhere: a run's best checkpoint is"),
        (["--best_checkpoint.dirpath=best"], "--best_checkpoint.dirpath=best: a run's best checkpoint is"),
        (["--best_checkpoint.filename=other"], "--best_checkpoint.filename=other: a run's best checkpoint is"),
        (["--best_checkpoint.save_weights_only=true"], "--best_checkpoint.save_weights_only=True: a run's best"),
        (["--model.vocab_size=100"], "--model.vocab_size=100: it comes from the data .*has 600"),
        (["--model.pad_token_id=0"], "--model.pad_token_id=0: it comes from the data .*has 1;"),
    ],
)
def test_settings_that_cannot_work_are_refused(
    options: list[str], message: str, world: World, run: Run, tmp_path: Path
) -> None:
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        run("fit", world.distil(tmp_path, *options))
    assert not list(tmp_path.rglob("config.yaml"))


class WithoutLength(CorpusDataModule):
    """A data module in which `max_length` has been renamed."""

    def __init__(self, data_dir: str, tokenizer: str, max_tokens: int = 8192, seed: int = 42) -> None:
        super().__init__(data_dir, tokenizer, max_tokens=max_tokens, seed=seed)
        self.longest = self.__dict__.pop("max_length")


@pytest.mark.parametrize("arguments", [World.distil, World.pretrain])
def test_what_the_module_takes_and_the_data_lacks_is_refused(
    arguments: Callable[..., list[str]], world: World, run: Run, tmp_path: Path
) -> None:
    options = [option for option in arguments(world, tmp_path) if not option.startswith("--data.")]
    data = ["--data=tests.integration.refusals.test_refusals.WithoutLength", f"--data.data_dir={world.corpus}"]
    with pytest.raises(ValueError, match="takes max_length from the data, and WithoutLength has no attribute of that"):
        run("fit", [*options, *data, f"--data.tokenizer={world.tokenizer}", "--data.max_tokens=512"])
    assert not list(tmp_path.rglob("config.yaml"))


def test_a_teacher_of_another_vocabulary_is_refused(world: World, run: Run, tmp_path: Path) -> None:
    spec = EncoderSpec(layers=12, hidden_size=8, heads=1, intermediate_size=8, max_positions=64)
    build_encoder(spec, vocab_size=599, pad_token_id=1).save_pretrained(tmp_path / "teacher")
    with pytest.raises(ValueError, match="vocabulary has 599 pieces, the data's tokenizer 600"):
        run("fit", world.distil(tmp_path, f"--model.teacher={tmp_path / 'teacher'}"))


def test_a_corpus_of_another_tokenizer_is_refused(world: World, run: Run, tmp_path: Path) -> None:
    train_tokenizer(generate_sentences(700, seed=6), tmp_path / "other", vocab_size=600, seed=6)
    with pytest.raises(ValueError, match="fingerprint"):
        run("fit", world.distil(tmp_path, f"--data.tokenizer={tmp_path / 'other'}"))


def test_a_module_override_on_resume_is_refused(checkpoint: Path, world: World, run: Run, tmp_path: Path) -> None:
    options = [f"--ckpt_path={checkpoint}", "--model.objectives.soft_target.temperature=4.0", "--run.arm=other"]
    with pytest.raises(ValueError, match=r"objectives\.soft_target\.temperature: checkpoint 2\.0, now 4\.0"):
        run("fit", world.distil(tmp_path, *options))


def test_a_checkpoint_of_another_module_is_refused(checkpoint: Path, world: World, run: Run, tmp_path: Path) -> None:
    message = "written by Distillation, this command configures MaskedLanguageModeling.*other weights use --model.init_"
    for command in ("fit", "validate"):
        with pytest.raises(ValueError, match=message) as caught:
            run(command, world.pretrain(tmp_path, f"--ckpt_path={checkpoint}"))
        assert "--model.teacher" not in str(caught.value)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--model.student.layers=[0,1]", r"model\.student\.layers: checkpoint '\[0, 4, 8\]', now '\[0, 1\]'"),
        ("--model.student.layers=[1,2,3]", r"model\.student\.layers: checkpoint '\[0, 4, 8\]', now '\[1, 2, 3\]'"),
        ("--model.objectives.soft_target.temperature=4.0", r"soft_target\.temperature: checkpoint 2\.0, now 4\.0"),
    ],
)
def test_an_override_that_changes_what_is_measured_is_refused_in_evaluation(
    option: str, message: str, checkpoint: Path, world: World, run: Run, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=rf"--ckpt_path evaluates a model as it was trained.*{message}.*Drop the over"):
        run("validate", world.distil(tmp_path, f"--ckpt_path={checkpoint}", option))
    assert not any(tmp_path.iterdir())


def test_evaluation_leaves_the_teacher_free_where_its_shape_is_the_same(
    checkpoint: Path, world: World, run: Run, tmp_path: Path
) -> None:
    moved = shutil.copytree(world.teacher, tmp_path / "moved")
    options = [f"--ckpt_path={checkpoint}", "--model.optimizer.lr=1", f"--run.root={tmp_path / 'runs'}"]
    run("validate", world.distil(tmp_path, *options, f"--model.teacher={moved}"))
    spec = EncoderSpec(layers=12, hidden_size=8, heads=1, intermediate_size=8, max_positions=64)
    build_encoder(spec, vocab_size=600, pad_token_id=1).save_pretrained(tmp_path / "narrow")
    with pytest.raises(ValueError, match=r"last\.ckpt: \d+ of its weights do not fit .*a teacher of the same shape"):
        run("validate", world.distil(tmp_path, *options, f"--model.teacher={tmp_path / 'narrow'}"))


def test_the_start_is_not_measured_over_a_trained_run(checkpoint: Path, world: World, run: Run, tmp_path: Path) -> None:
    folder = checkpoint.parent.parent
    runs, before = folder.parent.parent, (folder / "metrics.json").read_bytes()
    with pytest.raises(ValueError, match=r"without --ckpt_path validate .*best\.ckpt or \S+last\.ckpt"):
        run("validate", ["-c", str(folder / "config.yaml")])
    assert (folder / "metrics.json").read_bytes() == before
    run("validate", world.distil(runs, "--run.arm=start"))
    run("validate", world.distil(runs, "--run.arm=start"))
    assert read_json(runs / "distilkobert" / "start_seed42" / "metrics.json")["val/step"] == 0


def test_a_missing_checkpoint_is_named(world: World, run: Run, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no-such\.ckpt: no such checkpoint file"):
        run("fit", world.distil(tmp_path, f"--ckpt_path={tmp_path}/no-such.ckpt"))
