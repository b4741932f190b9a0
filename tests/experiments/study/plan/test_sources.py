"""What runs read has to be there before the first of them starts; what may be on the hub is only noted."""

from pathlib import Path
from typing import Any

import pytest

from experiments.study.__main__ import check
from experiments.study.plan.lack import Lack
from tests.support.studies.texts import declare


def lack_of(made: Path, probe: str | None = None, teacher: str | None = None, **data: str) -> Lack:
    model: dict[str, Any] = {} if teacher is None else {"init_args": {"teacher": teacher, "init_from": teacher}}
    lack = Lack()
    lack.add("arm a", {"data": {"init_args": data}, "model": model, "probe": {"data_dir": probe}}, made)
    return lack


@pytest.mark.parametrize("name", ["monologg/kobert-lm", "exported/mini", "bert-base"])
def test_what_may_be_a_hub_id_is_noted(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    lack = lack_of(tmp_path / "study", teacher=name, tokenizer=name)
    options = ("model.teacher", "model.init_from", "data.tokenizer")
    assert lack.asked == [f"arm a: {option}={name}" for option in options]
    assert lack.missing == []


def test_a_name_below_a_local_folder_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data" / "nsmc").mkdir(parents=True)
    lack = lack_of(tmp_path / "study", teacher="exported/mini", tokenizer="data/kobert")
    assert lack.missing == ["arm a: data.tokenizer=data/kobert"]
    assert lack.asked == ["arm a: model.teacher=exported/mini", "arm a: model.init_from=exported/mini"]


@pytest.mark.parametrize("name", ["/gone", "./gone", "../gone", "~/gone", "a/b/c", "gone/", "runs/last.ckpt", "", " "])
def test_what_is_no_hub_id_is_missing(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    lack = lack_of(tmp_path / "study", teacher=name, tokenizer=name)
    shown = name or "''"
    assert lack.asked == []
    options = ("model.teacher", "model.init_from", "data.tokenizer")
    assert lack.missing == [f"arm a: {option}={shown}" for option in options]


def test_data_are_never_on_the_hub(tmp_path: Path) -> None:
    assert lack_of(tmp_path, probe="data/none", data_dir="data/none").missing == [
        "arm a: data.data_dir=data/none",
        "arm a: probe.data_dir=data/none",
    ]


def test_what_is_there_or_made_is_no_lack(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    checkpoint = tmp_path / "last.ckpt"
    checkpoint.touch()
    there, made = str(tmp_path / "there"), str(tmp_path / "study" / "exported" / "t")
    for lack in (
        lack_of(tmp_path / "study", there, there, data_dir=there, tokenizer=there),
        lack_of(tmp_path / "study", teacher=made, data_dir=made, tokenizer=made),
        lack_of(tmp_path / "study", teacher=str(checkpoint)),
    ):
        assert (lack.missing, lack.asked) == ([], [])
    assert lack_of(tmp_path / "study", tokenizer=str(checkpoint)).missing  # a tokenizer is a folder


def test_a_study_tells_all_that_is_missing_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    head = "# Is it so?\nbase: [configs/distill/distilkobert.yaml]\n"
    options = f"data.data_dir: {tmp_path}, data.tokenizer: /none/pieces, probe.data_dir: data/none"
    text = f"{head}teacher: /none/teacher\noverrides: {{{options}}}\n"
    with pytest.raises(FileNotFoundError, match=r"model.teacher=/none/teacher; .*=/none/pieces; .*=data/none\. Name"):
        check(declare(tmp_path, text))
    text = text.replace("/none/teacher", "monologg/kobert-lm").replace("/none/pieces", "some/pieces")
    check(declare(tmp_path, text.replace("data/none", str(tmp_path))))
    noted = "note: no local folder, will be requested from the hub: arm distilled: model.teacher=monologg/kobert-lm; "
    assert capsys.readouterr().err == f"{noted}arm distilled: data.tokenizer=some/pieces\n"
