"""Messages of the command line: short, and naming what was probably meant."""

import pytest

from experiments.parser_errors import explain, option_names

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
