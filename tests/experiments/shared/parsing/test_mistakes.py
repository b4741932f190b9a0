"""What people type by habit of other tools, and what they are answered."""

from pathlib import Path

import pytest

from experiments._shared.parsing.mistakes import OPTIONS, VALUES, misplaced_word, near_options
from experiments.train import command_line
from tests.world import Run

COMMANDS = ("fit", "validate", "test", "predict")
NSMC = ["-c", "configs/finetune/nsmc.yaml"]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("max_steps", ["trainer.max_steps"]),
        ("trainer.max_step", ["trainer.max_steps"]),
        ("lr", ["model.optimizer.lr"]),
        ("seed", ["seed_everything"]),
        ("trainer.gpus", ["trainer.devices"]),
        ("learning_rate", ["model.optimizer.lr"]),
        ("nothing_like_it", []),
    ],
)
def test_options_that_were_meant(name: str, meant: list[str]) -> None:
    known = ["model", "data", "trainer.max_steps", "trainer.devices", "seed_everything"]
    assert near_options(name, known) == meant


def test_another_command_is_not_answered_with_options_of_the_trainer() -> None:
    assert near_options("lr", ["input", "output"]) == []


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("-c a.yaml --x=1 fit", "the command comes first: train fit -c a.yaml --x=1"),
        ("fit trainer=cpu", "write -c configs/trainer/cpu.yaml"),
        ("fit -c a.yaml trainer.max_steps=3", "write --trainer.max_steps=3"),
        ("fit -c a.yaml +model.x=3", "write --model.x=3"),
        ("fit a.yaml", "write -c a.yaml"),
        ("fit -c a.yaml b.yaml", "write -c b.yaml"),
        ("fit --config a.yaml --run.arm x", ""),
        ("fit", ""),
    ],
)
def test_words_in_the_wrong_place(line: str, answer: str) -> None:
    said = misplaced_word("train", line.split(), COMMANDS)
    assert answer in said
    assert bool(answer) == bool(said)


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ([*NSMC, "--max_steps=3"], "did you mean trainer.max_steps?"),
        ([*NSMC, "--lr=3"], "did you mean model.optimizer.lr?"),
        ([*NSMC, "--model.optimizer.learning_rate=3"], "did you mean model.optimizer.lr?"),
        ([*NSMC, "--num_train_epochs=3"], "did you mean trainer.max_epochs?"),
        (
            [*NSMC, "trainer=cpu"],
            "trainer=cpu: options begin with -- and files follow -c; write -c configs/trainer/cpu",
        ),
        (["configs/finetune/nsmc.yaml"], "write -c configs/finetune/nsmc.yaml"),
        ([*NSMC, "--trainer.precision=fp16"], "got fp16; did you mean 16-mixed?"),
        (
            ["-c", "configs/demo/student.yaml", *NSMC],
            "line 6: model: its class is not set yet; put the recipe first",
        ),
        (["-c", "configs/trainer/gpu.yaml", *NSMC], "line 4: data: its class is not set yet; put the recipe first"),
        (
            ["-c", "configs/distill/distilkobert.yaml", *NSMC],
            "nsmc.yaml, line 10: a second recipe: it replaces both model and data of configs/distill/distilkobert.yaml",
        ),
        (["-c", "configs/study/loss_terms.yaml"], "run it with: python -m experiments.study --config configs/study/"),
        (
            ["-c", "configs/finetune/nmsc.yaml"],
            "-c/--config: no such file: configs/finetune/nmsc.yaml; did you mean nsmc.yaml?",
        ),
        (
            ["-c", "configs/distill/distilkobret.yaml", "--model.objectives.soft_target.weight=1"],
            "-c/--config: no such file: configs/distill/distilkobret.yaml; did you mean distilkobert.yaml?",
        ),
        ([*NSMC, "--model.optimizer.warmap=1"], "--model.optimizer.warmap=1; did you mean model.optimizer.warmup"),
        (["--model.optimizer.lr=3", *NSMC], "no class is set yet; put the recipe (-c FILE) before"),
        ([], "no recipe given; put one first, such as -c configs/distill/distilkobert.yaml"),
    ],
)
def test_lines_of_a_first_hour(words: list[str], answer: str, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        run("fit", words)
    assert end.value.code == 2
    said = capsys.readouterr().err
    assert answer in said
    assert len([line for line in said.splitlines() if line.startswith("error: ")]) == 1


def test_a_command_behind_its_files(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.argv", ["train", *NSMC, "fit"])
    with pytest.raises(SystemExit):
        command_line()
    assert "the command comes first: python -m experiments.train fit -c configs/finetune/nsmc.yaml" in (
        capsys.readouterr().err
    )


def test_every_answer_of_the_table_is_an_option(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """Options and values of the table are taken by the recipes they are meant for."""
    corpus = {"data.max_tokens", "model.teacher"}
    values = {"trainer.val_check_interval": "0.5", "trainer.gradient_clip_val": "1", "model.optimizer.warmup": "0.1",
              "model.optimizer.weight_decay": "0.1", "run.resume": "auto"}  # fmt: skip
    for meant in set(OPTIONS.values()):
        recipe = ["-c", "configs/distill/distilkobert.yaml"] if meant in corpus else NSMC
        with pytest.raises(SystemExit) as end:
            run("fit", [*recipe, f"--{meant}={values.get(meant, '3')}", "--print_config"])
        assert end.value.code == 0, meant
    for value in set(VALUES.values()):
        with pytest.raises(SystemExit) as end:
            run("fit", [*NSMC, f"--trainer.precision={value}", "--print_config"])
        assert end.value.code == 0, value
    capsys.readouterr()


def test_an_evaluation_without_a_checkpoint(run: Run, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"gone\.ckpt: no such checkpoint file"):
        run("test", [f"--ckpt_path={tmp_path / 'checkpoints' / 'gone.ckpt'}"])
    (tmp_path / "alone.ckpt").touch()
    with pytest.raises(FileNotFoundError, match=r"config\.yaml does not exist; give the settings with -c"):
        run("test", [f"--ckpt_path={tmp_path / 'alone.ckpt'}"])
    with pytest.raises(ValueError, match=r"--ckpt_path=best needs a run: give it with -c RUN/config\.yaml"):
        run("test", ["--ckpt_path", "best"])
