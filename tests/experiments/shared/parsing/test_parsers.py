"""Messages of the command line: short, and naming what was probably meant."""

import sys
from importlib import import_module
from typing import Literal

import pytest

from experiments._shared.parsing.class_names import class_names, option_names
from experiments._shared.parsing.explanations import explain
from experiments._shared.parsing.parsers import StrictParser
from experiments.study.plan.parsing import parse_study

LISTING = """Parser key "model":
  Does not validate against any of the Union subtypes
  Subtypes: [<class 'pytorch_lightning.core.module.LightningModule'>, <class 'NoneType'>]
  Errors:
    - Problem with given class_path 'lightning_modules.Distillation':
        {reason}
    - Expected a <class 'NoneType'>
  Given value type: <class 'jsonargparse._util.NestedArg'>
  Given value: NestedArg(key='x', val='y')"""


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (
            LISTING.format(reason="Option 'teachr' is not accepted"),
            "model: Distillation: Option 'teachr' is not accepted; did you mean teacher?",
        ),
        (
            LISTING.format(reason="Group 'student' does not accept option 'layer'"),
            "model: Distillation: Group 'student' does not accept option 'layer'; did you mean student.layers?",
        ),
        (
            LISTING.format(reason="unrecognized arguments: --student.dropot=0"),
            "model: Distillation: unrecognized arguments: --model.student.dropot=0; did you mean "
            "model.student.dropout?",
        ),
        (
            LISTING.format(reason="Parser key \"optimizer.lr\":\n   Expected a <class 'float'>. Got value: warm"),
            "model: Distillation: optimizer.lr: expected a number, got 'warm'",
        ),
        (
            LISTING.format(reason="Parser key \"student.layers\":\n   Expected a <class 'list'>. Got value: 0,4,8"),
            "model: Distillation: student.layers: expected a list, got '0,4,8'; write [0,4,8]",
        ),
        ("Expected a <class 'list'>. Got value: {'a': 1}", """expected a list, got "{'a': 1}\""""),
        (
            LISTING.format(reason="Option 'objectives+' is not accepted"),
            "model: Distillation: Option 'objectives+' is not accepted; an objective is added under a name: "
            "--model.objectives.NAME=CLASS",
        ),
        (
            "unrecognized arguments: --trainer.max_step=3",
            "unrecognized arguments: --trainer.max_step=3; did you mean trainer.max_steps or trainer.max_time?",
        ),
        (
            LISTING.format(reason="Option 'seed_compatible' is not accepted"),
            "model: Distillation: Option 'seed_compatible' is not accepted; it is now reference_decoding",
        ),
        (
            "unrecognized arguments: --data.seed_compatible=true",
            "unrecognized arguments: --data.seed_compatible=true; it is now data.reference_decoding",
        ),
        (
            LISTING.format(reason="Option 'losses' is not accepted"),
            "model: Distillation: Option 'losses' is not accepted; it is now objectives.NAME.weight",
        ),
        (
            LISTING.format(reason="Option 'unlabelled_file' is not accepted"),
            "model: Distillation: Option 'unlabelled_file' is not accepted; unlabelled texts work for classes, several "
            "labels and scores only (TableDataModule, NSMCDataModule)",
        ),
        ("unrecognized arguments: --zzz=3", "unrecognized arguments: --zzz=3"),
        ("Expected a <class 'int'>. Got value: ten", "expected an integer, got 'ten'"),
        ("File does not exist: 'a.yaml'", "File does not exist: 'a.yaml'"),
        (
            "Parser key \"config\":\n  Path is not a file: 'configs/model'",
            "-c/--config: configs/model is a folder; name one of its files: kobert.yaml, mini.yaml, tiny.yaml",
        ),
        ("Parser key \"config\":\n  File does not exist: 'no/a.yaml'", "-c/--config: no such file: no/a.yaml"),
        (
            "Subcommand 'fit' does not accept option 'trainer.max_step'",
            "Subcommand 'fit' does not accept option 'trainer.max_step'; did you mean trainer.max_steps or "
            "trainer.max_time?",
        ),
    ],
)
def test_what_is_wrong_comes_first(message: str, expected: str) -> None:
    assert explain(message, ["trainer.max_steps", "trainer.max_time", "run.arm"]) == expected


NAMES = {"model": ["Distillation", "TokenClassification"], "data": ["CorpusDataModule"]}
NO_PATH = 'Parser key "{key}":\n\n  - Expected a path but {name} either not accessible or invalid\n  - '
BARE = "Expected a dot import path string: {name}"
LISTED = "Does not validate against any of the Union subtypes\n  Subtypes: []\n  Errors:\n    - "
PROBLEM = "Problem with given class_path '{name}':\n        module 'lightning_modules' has no attribute 'Distil'\n"
NONE = "    - Expected a <class 'NoneType'>\n  Given value: x"


@pytest.mark.parametrize(
    ("message", "key", "name", "expected"),
    [
        (NO_PATH + BARE, "model", "Distilation", "expected Distillation or TokenClassification, got {}; did you mean"),
        (NO_PATH + BARE, "data", "Corpus", "expected CorpusDataModule, got {}"),
        (NO_PATH + LISTED + PROBLEM + NONE, "model", "lightning_modules.Distil", "or TokenClassification, got {}"),
        ('Parser key "{key}":\n  ' + BARE, "model", "Distilation", "or TokenClassification, got {}; did you mean Dist"),
        ('Parser key "{key}":\n  ' + BARE, "trainer.logger", "Foo", "trainer.logger: Expected a dot import path"),
    ],
)
def test_a_wrong_class_is_answered_with_the_classes(message: str, key: str, name: str, expected: str) -> None:
    said = explain(message.format(key=key, name=name), [], NAMES)
    assert expected.format(name) in said
    assert said.startswith(f"{key}: ")
    assert "path but" not in said


class Shape:
    """A base class."""


class Round(Shape):
    """Not offered by the package."""


def test_classes_are_those_that_their_package_offers(monkeypatch: pytest.MonkeyPatch) -> None:
    class Square(Shape):
        pass

    assert class_names(Shape) == []
    monkeypatch.setattr("tests.Square", Square, raising=False)
    assert class_names(Shape) == ["Square"]


def test_the_options_of_a_class_include_its_groups() -> None:
    assert {"teacher", "objectives", "student.layers"} <= set(option_names("lightning_modules.Distillation"))


def test_a_wrong_choice_is_answered_with_the_choices(capsys: pytest.CaptureFixture[str]) -> None:
    parser = StrictParser(prog="python -m experiments.some [options] command")
    parser.add_argument("name", type=Literal["nsmc", "korquad"])
    with pytest.raises(SystemExit) as end:
        parser.parse_args(["nscm"])
    assert end.value.code == 2
    assert capsys.readouterr().err == (
        "error: name: expected nsmc or korquad, got nscm; did you mean nsmc?\n"
        "All options: python -m experiments.some command --help\n"
    )


@pytest.mark.parametrize("dest", ["command", "action", "subcommand"])
def test_a_wrong_command_is_answered_with_the_commands(dest: str, capsys: pytest.CaptureFixture[str]) -> None:
    parser = StrictParser(prog="some")
    commands = parser.add_subcommands(dest=dest)
    for name in ("fit", "test"):
        commands.add_subcommand(name, StrictParser())
    with pytest.raises(SystemExit):
        parser.parse_args(["ft"])
    assert capsys.readouterr().err.startswith("error: command: expected fit or test, got ft; did you mean fit?\n")


def test_help_keeps_the_lines_it_was_written_in() -> None:
    description = "Do it:\n\n    do --this\n    do --that\n"
    assert description in StrictParser(description=description).format_help()


@pytest.mark.parametrize(
    ("words", "on"),
    [
        ([], False),
        (["--overwrite"], True),
        (["--overwrite=true"], True),
        (["--overwrite=false"], False),
        (["--overwrite", "--input", "a"], True),
        (["--input", "a", "--overwrite"], True),
    ],
)
def test_a_switch_needs_no_value_and_accepts_one(words: list[str], on: bool) -> None:
    parser = StrictParser()
    parser.add_switch("overwrite", "overwrite another corpus")
    parser.add_argument("--input", nargs="*")
    assert parser.parse_args(words).overwrite is on


def test_a_switch_refuses_other_values(capsys: pytest.CaptureFixture[str]) -> None:
    parser = StrictParser(prog="prepare")
    parser.add_switch("overwrite", "overwrite another corpus")
    with pytest.raises(SystemExit):
        parser.parse_args(["--overwrite=maybe"])
    assert capsys.readouterr().err.startswith("error: overwrite: expected true or false, got 'maybe'")


def test_a_page_of_help_for_a_class_names_the_command(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "__main__", import_module("experiments.study.__main__"))
    with pytest.raises(SystemExit):
        parse_study(["--teacher.help"])
    assert capsys.readouterr().out.startswith("usage: python -m experiments.study --teacher.configs ")
