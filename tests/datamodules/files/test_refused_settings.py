"""Settings of tables and tagged files that would be ignored, or would train on something else than asked for."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from datamodules import KlueNERDataModule, NSMCDataModule, TableDataModule, TaggingDataModule
from distilkobert.tasks.splits import shares

Build = Callable[..., Any]


@pytest.fixture
def table(tmp_path: Path, tiny_tokenizer_dir: Path) -> Build:
    rows = [f"영화 {n},{'긍정' if n % 2 else '부정'},{n % 5}" for n in range(60)]
    for name in ("train", "dev"):
        (tmp_path / f"{name}.csv").write_text("\n".join(["글,감정,점수", *rows]) + "\n", encoding="utf-8")

    def call(**settings: Any) -> TableDataModule:
        given = {"train_file": "train.csv", "text": "글", "label": "감정", "data_dir": str(tmp_path)}
        return TableDataModule(str(tiny_tokenizer_dir), cache_dir=str(tmp_path / "cache"), **(given | settings))

    return call


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"dev_file": "dev.csv", "test_file": "dev.csv"}, r"test_file is dev_file as well .*select the checkpoint"),
        ({"label": "글"}, "label and text are both '글'; expected two columns"),
        ({"label": "점수", "text_pair": "점수"}, "label and text are both '점수'"),
        ({"label": []}, "label names no column"),
        ({"delimiter": ""}, "delimiter is ''; expected one character"),
        ({"delimiter": ";;"}, "delimiter is ';;'; expected one character"),
        ({"header": []}, r"header is \[\]; expected the names of all columns"),
        ({"header": ["글", "감정", "감정"]}, "header is .*; expected the names of all columns, each once"),
        ({"kind": "regression", "label": "점수", "score_range": (math.nan, 5.0)}, "score_range is nan to 5; expected"),
        ({"kind": "regression", "label": "점수", "score_range": (0.0, math.nan)}, "score_range is 0 to nan; expected"),
        ({"label_separator": ";"}, "label_separator is ';', but is for kind=multi_label"),
        ({"label_separator": "", "kind": "multi_label"}, "label_separator is empty"),
        ({"labels": []}, "labels has 0 names; expected two or more"),
        ({"hub": "owner/name", "hub_splits": {}, "train_file": None}, "hub_splits has nothing; expected train"),
        ({"test_share": 0.0004}, r"test_share=0\.0004: expected 0, or 0\.001 or more"),
    ],
)  # fmt: skip
def test_settings_of_tables_are_refused(table: Build, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        table(**settings)
    assert table().labels == ["긍정", "부정"]


def test_shares_that_are_rounded_leave_something_to_train_on() -> None:
    with pytest.raises(ValueError, match="leave nothing to train on"):
        shares(0.9996, 0.0)
    assert shares(0.001, 0.0).dev == {0}


def test_an_empty_list_of_labels_is_not_the_default(tmp_path: Path, tiny_tokenizer_dir: Path) -> None:
    for name in ("ratings_train.txt", "ratings_test.txt"):
        (tmp_path / name).write_text("id\tdocument\tlabel\n1\t좋다\t1\n2\t싫다\t0\n", encoding="utf-8")
    with pytest.raises(ValueError, match="labels has 0 names"):
        NSMCDataModule(str(tmp_path), str(tiny_tokenizer_dir), labels=[])


@pytest.fixture
def tagged(tmp_path: Path, tiny_tokenizer_dir: Path) -> Build:
    sentences = (f"김 B-PER\n씨{n} O\n\n" for n in range(30))
    (tmp_path / "train.txt").write_text("".join(sentences), encoding="utf-8")

    def call(**settings: Any) -> TaggingDataModule:
        given = {"train_file": "train.txt", "data_dir": str(tmp_path), "format": "conll", "units": "words"}
        return TaggingDataModule(str(tiny_tokenizer_dir), cache_dir=str(tmp_path / "cache"), **(given | settings))

    return call


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"types": []}, r"types is \[\]; expected entity types"),
        ({"types": ["PER", "LOC", "PER"]}, "types is .*; expected entity types, each once"),
        ({"particles": "split"}, "particles is 'split', but tags of whole words"),
        ({"text": "sentence"}, "text is set, but is for format=spans only"),
        ({"entities": "labels"}, "entities is set, but is for format=spans only"),
        ({"format": "spans", "word_column": 1}, "word_column is set, but is for format=conll only"),
        ({"format": "lines", "tag_column": 2}, "tag_column is set, but is for format=conll only"),
    ],
)
def test_settings_of_tagged_files_are_refused(tagged: Build, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tagged(**settings)
    assert tagged().types == ("PER",)


def test_types_that_look_alike_are_refused(tagged: Build, tmp_path: Path) -> None:
    path = tmp_path / "train.txt"
    path.write_text(path.read_text(encoding="utf-8") + "이 B-PER\u200b\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"line 91: the label 'PER\\u200b' differs from 'PER' by invisible characters"):
        tagged()


def test_an_empty_list_of_types_is_not_the_default(tmp_path: Path, tiny_tokenizer_dir: Path) -> None:
    (tmp_path / "klue-ner-v1.1_train.tsv").write_text("## a\t김\n김\tB-PS\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"types is \[\]"):
        KlueNERDataModule(str(tmp_path), str(tiny_tokenizer_dir), types=[])


@pytest.mark.parametrize(("mark", "name"), [("\u200b", "U\\+200B"), ("\ufeff", "U\\+FEFF")])
def test_labels_that_differ_by_invisible_characters_are_refused(
    table: Build, tmp_path: Path, mark: str, name: str
) -> None:
    path = tmp_path / "train.csv"
    whole = path.read_text(encoding="utf-8")
    path.write_text(f"{whole}영화 60,{mark}긍정,1\n", encoding="utf-8")
    expected = rf"train\.csv, line 62: .* differs from '긍정' by invisible characters \({name}\) in .*line 3; write it"
    with pytest.raises(ValueError, match=expected):
        table()
    path.write_text(f"{whole}영화 60,{mark},1\n", encoding="utf-8")
    with pytest.raises(ValueError, match="line 62: the label in '감정' is empty"):
        table().prepare_data()


def test_a_label_of_the_test_file_with_an_invisible_character_is_refused(table: Build, tmp_path: Path) -> None:
    test = "글,감정,점수\n음식 이야기,긍정\u200b,1\n"
    (tmp_path / "test.csv").write_text(test, encoding="utf-8")
    with pytest.raises(ValueError, match=r"test\.csv, line 2: the label .* differs from '긍정' by invisible"):
        table(test_file="test.csv").prepare_data()
