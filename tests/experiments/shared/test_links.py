"""What data tells the module: passed on, refused where it is missing or another is given."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from distilkobert.tasks.input_settings import InputSettings
from experiments._shared.links import LINKS, LinkError, linked, parameters_of


class Module:
    def __init__(self, labels: list[str], vocab_size: int = 8002, token_counts: list[int] | None = None) -> None:
        pass


class Passing(Module):
    def __init__(self, own: int, **more: Any) -> None:
        super().__init__(**more)


class Closed(Module):
    def __init__(self, own: int) -> None:
        super().__init__([])


HERE = f"{__name__}.Module"
DATA = SimpleNamespace(vocab_size=600, labels=("a", "b"), token_counts=np.array([1, 2]), suffix_tags=True)


def test_what_the_data_provides_reaches_the_module_in_plain_types() -> None:
    assert linked("vocab_size", HERE, {}, DATA) == 600
    counts = linked("token_counts", HERE, {}, DATA)
    assert counts == [1, 2]
    assert {type(count) for count in counts} == {int}
    assert linked("suffix_tags", HERE, {}, DATA) is None, "the module does not take it"
    settings = linked(
        "input_settings", "lightning_modules.QuestionAnswering", {}, SimpleNamespace(input_settings=InputSettings(64))
    )
    assert InputSettings(**settings) == InputSettings(64)


@pytest.mark.parametrize("name", ["vocab_size", "labels", "token_counts"])
def test_what_the_module_takes_and_the_data_lacks_is_refused(name: str) -> None:
    without = SimpleNamespace(**{key: value for key, value in vars(DATA).items() if key != name})
    with pytest.raises(LinkError, match=f"^Module takes {name} from the data, and SimpleNamespace has no attribute"):
        linked(name, HERE, {"vocab_size": 8002, "token_counts": None}, without)


def test_a_given_value_takes_the_place_of_one_that_the_data_lacks() -> None:
    assert linked("vocab_size", HERE, {"vocab_size": 100}, SimpleNamespace()) == 100


@pytest.mark.parametrize(("name", "value"), [("vocab_size", 100), ("labels", ["b", "a"]), ("token_counts", [1, 3])])
def test_a_given_value_that_the_data_contradicts_is_refused_by_name(name: str, value: object) -> None:
    with pytest.raises(LinkError, match=rf"--model\.{name}=.*: it comes from the data .*; leave it out"):
        linked(name, HERE, {name: value}, DATA)


@pytest.mark.parametrize(("name", "value"), [("vocab_size", 8002), ("vocab_size", 600), ("labels", ["a", "b"])])
def test_defaults_and_equal_values_pass(name: str, value: object) -> None:
    linked(name, HERE, {name: value}, DATA)


def test_parameters_of_bases_count_where_they_are_passed_on() -> None:
    assert set(LINKS) & set(parameters_of(f"{__name__}.Passing")) == {"labels", "vocab_size", "token_counts"}
    assert not set(LINKS) & set(parameters_of(f"{__name__}.Closed"))


def test_every_name_is_taken_by_a_module_of_ours_and_provided_by_data() -> None:
    """A link that nobody needs would be a typing mistake."""
    modules = (
        "MaskedLanguageModeling",
        "Distillation",
        "SequenceClassification",
        "TokenClassification",
        "QuestionAnswering",
        "TaskDistillation",
    )
    taken = {name for module in modules for name in parameters_of(f"lightning_modules.{module}")}
    assert set(LINKS) <= taken
