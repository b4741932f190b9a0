"""Short names of settings for the hparams tab."""

from hypothesis import given
from hypothesis import strategies as st

from experiments._shared.settings import comparable_settings, flatten, short_names

COSINE = {"class_path": "HiddenCosine", "init_args": {"weight": 0.5, "on": "real_tokens"}}
STUDENT = {"layers": (0, 4), "dropout": None}
MLM = {"class_path": "MaskedLM", "init_args": {"weight": 1.0}}


def test_names_are_short_where_they_can_be_and_longer_where_they_clash() -> None:
    names = ["seed", "model.losses.cosine", "model.optimizer.lr", "model.head.lr", "data.seed", "data.max_length"]
    assert short_names(names) == {
        "seed": "seed",
        "model.losses.cosine": "cosine",
        "model.optimizer.lr": "optimizer.lr",
        "model.head.lr": "head.lr",
        "data.seed": "data.seed",
        "data.max_length": "max_length",
    }


def test_settings_of_objectives_carry_its_name_also_where_there_is_but_one() -> None:
    names = ["model.objectives.cosine.weight", "model.objectives.cosine.weight.start", "model.student.layers"]
    assert list(short_names(names).values()) == ["cosine.weight", "cosine.weight.start", "layers"]


DOTTED = st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=4).map(".".join), unique=True, max_size=12)


@given(DOTTED)
def test_short_names_are_endings_and_never_equal(names: list[str]) -> None:
    short = short_names(names)
    assert list(short) == names
    assert len(set(short.values())) == len(names)
    assert all(name == ending or name.endswith(f".{ending}") for name, ending in short.items())


def test_lists_become_text_and_nothing_is_lost() -> None:
    assert flatten({"a": {"b": (0, 4), "c": {"d": None}}, "e": 1}) == {"a.b": "[0, 4]", "a.c.d": None, "e": 1}


def test_settings_that_cannot_matter_or_have_no_value_are_left_out() -> None:
    config = {
        "model": {
            "class_path": "X",
            "init_args": {
                "teacher": "t",
                "max_length": 5,
                "student": {"layers": (0, 4), "dropout": None},
                "objectives": {"cosine": COSINE, "mlm": MLM},
            },
        },
        "data": {
            "init_args": {
                "data_dir": "/d",
                "tokenizer": "/t",
                "seed": 1,
                "num_workers": 2,
                "max_length": 50,
                "masking": {"mask": 0.8},
            }
        },
        "trainer": {"max_steps": 10, "precision": None, "devices": 2},
        "run": {"root": "runs"},
    }
    found = comparable_settings(config, {"recipe": "r", "arm": "a", "seed": 1}, ["max_length"])
    assert found == {
        "recipe": "r", "arm": "a", "seed": 1, "teacher": "t", "layers": "[0, 4]", "mask": 0.8, "max_length": 50,
        "max_steps": 10, "cosine.weight": 0.5, "mlm.weight": 1.0, "cosine.on": "real_tokens",
    }  # fmt: skip
