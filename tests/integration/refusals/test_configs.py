"""What is wrong in a `-c` file is said with the file and the line; wrong class names with the names there are."""

import re
from pathlib import Path

import pytest

from tests.world import Run, World


@pytest.mark.parametrize(
    ("content", "place", "message"),
    [
        ("\ntrainer:\n  max_stepz: 3\n", ", line 3: ", "trainer.max_stepz'; did you mean trainer.max_steps"),
        ("run:\n  armm: x\n", ", line 2: ", "run.armm'; did you mean run.arm?"),
        ("trainer:\n  max_steps: many\n", ", line 2: ", "trainer.max_steps: expected an integer, got 'many'"),
        (
            "model:\n  init_args:\n    objectives:\n      kosine: {init_args: {weight: 1}}\n",
            ", line 4: ",
            "there is no objective 'kosine'; the files have soft_target, masked_lm, cosine; a new one needs class_path",
        ),
        ("model:\n  class_path: Distilation\n", ", line 2: ", "got Distilation; did you mean Distillation?"),
        (
            "\nmodel:\n  class_path: [Distillation]\n",
            ", line 2: ",
            "class_path: expected the name of one class, got a list\n",
        ),
        ("model: [\n", ", line 1: ", "not YAML"),
        ("", " is empty", "expected"),
        ("trainer: [1]\n", ", line 1: ", "trainer: expected settings below it, each with its name: `NAME: VALUE`"),
        ("\nrun: 3\n", ", line 2: ", "run: expected settings below it"),
        ("run: fast\n", ", line 1: ", "run: expected settings, each with its name, or a file of them, got 'fast'"),
        ("model:\n  init_args: [1]\n", ", line 1: ", "Distillation: expected settings, each with its name\n"),
        ("run:\n  arm: 가\n", ", line 2: ", "not UTF-8"),
    ],
)
def test_errors_in_a_file_name_it_and_the_line(
    content: str, place: str, message: str, world: World, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    overlay = tmp_path / "overlay.yaml"
    overlay.write_bytes(content.encode("cp949" if "UTF-8" in message else "utf-8"))
    later = tmp_path / "later.yaml"
    later.write_text("seed_everything: 1\n")
    with pytest.raises(SystemExit) as end:
        run("fit", world.distil(tmp_path / "runs", "-c", str(overlay), "-c", str(later)))
    assert end.value.code == 2
    said = capsys.readouterr().err
    assert f"error: {overlay}{place}" in said
    assert message in said
    assert said.endswith("All options: python -m experiments.train fit --help\n")
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        ("model:\n  init_args:\n    student: [0, 4]\n", [], r"^{}, line 3: model\.student: .*, got \[0, 4\]$"),
        ("model:\n  init_args:\n    optimizer:\n", [], r"^{}, line 3: model\.optimizer: expected .* name, got null$"),
        ("data:\n  init_args:\n    masking: 0.1\n", [], r"^{}, line 3: data\.masking: expected .*, got 0\.1$"),
        (
            "seed_everything: 1\n",
            ["--model.student=[0,4]"],
            r"^--model\.student: expected settings, each with its name",
        ),
    ],
)
def test_a_group_that_is_none(
    content: str, options: list[str], message: str, world: World, run: Run, tmp_path: Path
) -> None:
    overlay = tmp_path / "overlay.yaml"
    overlay.write_text(content)
    with pytest.raises(ValueError, match=message.format(re.escape(str(overlay)))):
        run("fit", world.distil(tmp_path / "runs", "-c", str(overlay), *options))
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("option", "names", "near"),
    [
        ("--model=Distilation", "expected Distillation, MaskedLanguageModeling, QuestionAnswering,", "Distillation"),
        ("--model.class_path=TokenClasification", "expected Distillation,", "TokenClassification"),
        ("--data=CorpusDataModul", "expected CorpusDataModule, KlueNERDataModule,", "CorpusDataModule"),
        (
            "--model.objectives.cosine=[1]",
            "expected a class below Objective, by its name or as class_path, got [1]",
            None,
        ),
        ("--data=datamodules.NSMC", "expected CorpusDataModule, KlueNERDataModule,", None),
    ],
)
def test_a_wrong_class_name_is_answered_with_those_there_are(
    option: str,
    names: str,
    near: str | None,
    world: World,
    run: Run,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        run("fit", world.distil(tmp_path, option))
    said = capsys.readouterr().err
    assert names in said
    assert f"got {option.partition('=')[2]}" in said
    assert (f"did you mean {near}?" in said) if near else ("did you mean" not in said)
