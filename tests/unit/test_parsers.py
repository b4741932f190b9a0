"""Messages of the command line: short, and naming what was probably meant."""

from typing import Literal

import pytest

from experiments.parsers import StrictParser, explain, option_names

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
            LISTING.format(reason="unrecognized arguments: --losses.cosin=0"),
            "model: Distillation: unrecognized arguments: --losses.cosin=0; did you mean losses.cosine?",
        ),
        (
            LISTING.format(reason="Parser key \"losses.temperature\":\n   Expected a <class 'float'>. Got value: warm"),
            "model: Distillation: losses.temperature: Expected a <class 'float'>. Got value: warm",
        ),
        (
            "unrecognized arguments: --trainer.max_step=3",
            "unrecognized arguments: --trainer.max_step=3; did you mean trainer.max_steps or trainer.max_time?",
        ),
        ("unrecognized arguments: --zzz=3", "unrecognized arguments: --zzz=3"),
        ("File does not exist: 'a.yaml'", "File does not exist: 'a.yaml'"),
    ],
)
def test_what_is_wrong_comes_first(message: str, expected: str) -> None:
    assert explain(message, ["trainer.max_steps", "trainer.max_time", "run.arm"]) == expected


def test_the_options_of_a_class_include_its_groups() -> None:
    assert {"teacher", "losses.cosine", "student.layers"} <= set(option_names("lightning_modules.Distillation"))


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


def test_help_keeps_the_lines_it_was_written_in() -> None:
    description = "Do it:\n\n    do --this\n    do --that\n"
    assert description in StrictParser(description=description).format_help()
