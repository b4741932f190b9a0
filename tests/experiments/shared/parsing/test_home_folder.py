"""`~/` in paths that no shell expands."""

from pathlib import Path

import pytest

from experiments._shared.commandline import call_with_options
from experiments._shared.parsing.parsers import StrictParser
from experiments._shared.training.own_config import with_own_config
from experiments.study.plan.folder import planned
from experiments.study.plan.parsing import parse_study


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def test_paths_of_options_and_files_begin_in_the_home_folder(home: Path) -> None:
    parser = StrictParser()
    parser.add_argument("-c", "--config", action="config")
    parser.add_argument("--files.data_dir", type=str | dict[str, float])
    parser.add_argument("--files.several", type=list[str])
    parser.add_argument("--files.tokenizer", type=str)
    parser.add_argument("--files.delimiter", type=str)
    (home / "x.yaml").write_text("files:\n  tokenizer: ~/kobert\n  data_dir: {~/a: 1.0, b: 2.0}\n")
    found = parser.parse_args([f"-c={home}/x.yaml", "--files.several=[~/x,a~/y]", "--files.delimiter=~"]).files
    assert found.tokenizer == f"{home}/kobert"
    assert found.data_dir == {f"{home}/a": 1.0, "b": 2.0}
    assert found.several == [f"{home}/x", "a~/y"]
    assert found.delimiter == "~"


def test_a_text_stays_as_it_is(home: Path) -> None:
    def predict(model: str, text: str) -> tuple[str, str]:
        return model, text

    found = call_with_options(predict, "x", None, ["--model=~/run", "--text=~/ 라는 말"])
    assert found == (f"{home}/run", "~/ 라는 말")


def test_a_checkpoint_in_the_home_folder_has_its_own_settings(home: Path) -> None:
    (home / "run" / "checkpoints").mkdir(parents=True)
    (home / "run" / "config.yaml").write_text("x: 1")
    (home / "run" / "checkpoints" / "best.ckpt").write_text("x")
    words = ["test", "--ckpt_path=~/run/checkpoints/best.ckpt"]
    assert with_own_config(words) == ["test", "-c", f"{home}/run/config.yaml", words[1]]


def test_a_configuration_behind_an_equals_sign_is_found(home: Path) -> None:
    (home / "x.yaml").write_text("lr: 0.5\n")
    parser = StrictParser()
    parser.add_argument("-c", "--config", action="config")
    parser.add_argument("--lr", type=float)
    for option in ("-c", "--config"):
        assert parser.parse_args([f"{option}=~/x.yaml"]).lr == 0.5


def test_every_path_of_a_study_begins_in_the_home_folder(home: Path) -> None:
    for name in ("base", "task", "arm", "distil"):
        (home / f"{name}.yaml").write_text("x: 1\n")
    (home / "shared.yaml").write_text("# Shared?\nteacher: ~/teacher\nvariables: {data: ~/data}\n")
    (home / "s.yaml").write_text(
        "# Is it so?\nshared: ~/shared.yaml\nbase: [~/base.yaml]\narms: {one: {configs: [~/arm.yaml]}}\n"
        "then:\n"
        "  nsmc:\n"
        "    configs: [~/task.yaml]\n"
        "    overrides: {data.data_dir: $data/nsmc}\n"
        "    distil: {configs: [~/distil.yaml]}\n"
        "models: {other: {init_from: ~/other}}\ncontrols: [teacher]\n"
    )
    plan = planned(parse_study(["--config=~/s.yaml"]))
    words = {word for run in plan.all_runs for command in run.commands for word in command}
    assert {f"{home}/{name}.yaml" for name in ("base", "task", "arm", "distil")} <= words
    starts = {f"--model.teacher={home}/teacher", f"--model.init_from={home}/other", f"--data.data_dir={home}/data/nsmc"}
    assert starts <= words
    assert not any("~" in word for word in words)
