"""`~/` in paths that no shell expands."""

from pathlib import Path

import pytest

from experiments._shared.commandline import call_with_options
from experiments._shared.parsing.parsers import StrictParser
from experiments._shared.training.own_config import with_own_config


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
