"""Which tokenizer a command takes that names none."""

from pathlib import Path

import pytest
from jsonargparse import Namespace

from experiments._shared.training.data_tokenizer import AUTO, fill_tokenizer


def taken(init_from: str, data_dir: str = "none") -> str:
    data, model = Namespace(tokenizer=AUTO, data_dir=data_dir), Namespace(init_from=init_from)
    config = Namespace(data=Namespace(init_args=data), model=Namespace(init_args=model), ckpt_path=None)
    fill_tokenizer(config)
    return str(data.tokenizer)


def test_a_name_that_is_no_folder_is_announced_as_one_of_the_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert taken("nowhere") == "nowhere"
    assert capsys.readouterr().err == "tokenizer: nowhere (model.init_from: no such folder, the hub is asked)\n"


def test_a_mistyped_folder_is_refused_before_anything_is_announced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "exported" / "mini").mkdir(parents=True)
    with pytest.raises(FileNotFoundError, match=r"^--model\.init_from=exported/minl: .*did you mean exported/mini\?"):
        taken("exported/minl")
    assert capsys.readouterr().err == ""
