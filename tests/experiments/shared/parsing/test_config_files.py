"""Configuration files that cannot be read are refused by file and line, and keys are found in them."""

from pathlib import Path

import pytest

from experiments._shared.parsing.config_files import read_config, settings_sum


def write(folder: Path, content: bytes) -> Path:
    path = folder / "a.yaml"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"a\.yaml is empty"),
        (b"\n \n", r"a\.yaml is empty"),
        (b"# nothing\n", r"a\.yaml: found comments only; expected settings"),
        (b"- run\n", r"a\.yaml: found a sequence; expected settings"),
        (b"run:\n  arm: 'a\n", r"a\.yaml, line 2: not YAML \(found unexpected end of stream\); check"),
        (b"run:\n  arm: a\n arm: b\n", r"a\.yaml, line 3: not YAML"),
        (b"run:\n  arm: a\n\tarm: b\n", r"a\.yaml, line 3: not YAML"),
        (b"run:\n  arm: \x01\n", r"a\.yaml, line 2: U\+0001 is not allowed in YAML"),
        ("run:\n  arm: 가".encode("cp949"), r"a\.yaml, line 2: not UTF-8"),
    ],
)
def test_what_is_no_configuration(content: bytes, message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=message):
        read_config(write(tmp_path, content))


@pytest.mark.parametrize(
    "text", ["data: {}\ntrainer:\n  # max_steps: 3\n", "data: {}\ntrainer: null\n", "data: {}\ntrainer: ~"]
)
def test_a_section_that_holds_nothing_is_named(text: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"a\.yaml, line 2: trainer: is empty; write settings below it, or remove"):
        read_config(write(tmp_path, text.encode()))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("run: {arm: a}\ndata: {}\nrun: {arm: b}\n", r"line 3: run occurs twice, first in line 1; remove one"),
        ("model:\n  init_args: {a: 1}\n  a: 2\n", r"line 3: model.a occurs twice, first in line 2"),
        (
            "trainer:\n  callbacks:\n  - {a: 1}\n  - {b: 1, a: 2,\n     b: 3}\n",
            r"line 5: trainer.callbacks.1.b occurs",
        ),
    ],
)
def test_a_key_that_is_there_twice_is_named(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=rf"a\.yaml, {message}"):
        read_config(write(tmp_path, text.encode()))


def test_keys_are_found_by_their_names_on_the_command_line(tmp_path: Path) -> None:
    content = (
        "# 설명\nmodel:\n  class_path: Distillation\n  init_args:\n    losses:\n      cosine: 1.0\n    1: {a: b}\n"
    )
    path = write(tmp_path, content.encode())
    file = read_config(path)
    assert file.lines == {
        "model": 2, "model.class_path": 3, "model.losses": 5, "model.losses.cosine": 6, "model.1": 7, "model.1.a": 7,
    }  # fmt: skip
    assert file.place("model.losses.cosine") == f"{path}, line 6"
    assert file.place("model.losses.kosine") == f"{path}, line 5"
    assert file.place("trainer.max_steps") == str(path)
    assert file.classes == {"model": "Distillation"}
    path.write_text("trainer:\n  max_steps: 1\n  callbacks+:\n  - class_path: EarlyStopping\n", encoding="utf-8")
    assert read_config(path).place("trainer.callbacks") == f"{path}, line 3"


@pytest.mark.parametrize("study", sorted(Path("configs/study").rglob("*.yaml")), ids=lambda path: path.stem)
def test_a_study_is_not_a_recipe(study: Path) -> None:
    with pytest.raises(ValueError, match=rf"a study, not a recipe; .* experiments\.study --config {study}"):
        read_config(study)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("trainer: {max_steps: 4, precision: bf16}  # why\ndata: [1, 2]\n", True),
        ("data:\n- 1\n- 2\ntrainer:\n  precision: 'bf16'\n  max_steps: 4\n", True),
        ("data: [1, 2]\ntrainer: {max_steps: 5, precision: bf16}\n", False),
        ("data: [2, 1]\ntrainer: {max_steps: 4, precision: bf16}\n", False),
        ("data: [1, '2']\ntrainer: {max_steps: 4, precision: bf16}\n", False),
    ],
    ids=["comment", "layout", "value", "order of a list", "type"],
)
def test_a_sum_is_of_settings_alone(text: str, same: bool, tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text("data: [1, 2]\ntrainer: {max_steps: 4, precision: bf16}\n", encoding="utf-8")
    (tmp_path / "two.yaml").write_text(text, encoding="utf-8")
    assert (settings_sum(tmp_path / "one.yaml") == settings_sum(tmp_path / "two.yaml")) is same


def test_a_shared_file_counts_by_what_is_in_it(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    for name, lr in (("one", "1.0"), ("two", "2.0"), ("three", "1.0")):
        (tmp_path / "shared" / "optimizer.yaml").write_text(f"lr: {lr} # {name}\n", encoding="utf-8")
        (tmp_path / f"{name}.yaml").write_text("model: {optimizer: shared/optimizer.yaml}\n", encoding="utf-8")
        (tmp_path / f"{name}.sum").write_text(settings_sum(tmp_path / f"{name}.yaml"), encoding="utf-8")
    one, two, three = ((tmp_path / f"{name}.sum").read_text() for name in ("one", "two", "three"))
    assert one == three != two
    (tmp_path / "whole.yaml").write_text("model: {optimizer: {lr: 1.0}}\n", encoding="utf-8")
    assert settings_sum(tmp_path / "whole.yaml") == one
