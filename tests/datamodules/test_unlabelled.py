"""Texts without labels in training: which rows reach the batches, what they carry, and what is counted."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from datamodules import NSMCDataModule, TableDataModule
from distilkobert import KoBertTokenizer
from tests.support.tasks.data import unpadded

Build = Callable[..., TableDataModule]


def table(count: int, start: int = 0) -> pd.DataFrame:
    rows = [(f"r{n}", f"영화 이야기 {n}", f"다른 말 {n}", n % 2, n % 6, n % 3) for n in range(start, start + count)]
    frame = pd.DataFrame(rows, columns=["번호", "글", "쌍", "감정", "점수", "n"])
    return frame.assign(주제=[";".join(["가", "나"][: n % 3]) for n in frame["n"]]).drop(columns="n")


@pytest.fixture
def build(tmp_path: Path, tiny_tokenizer_dir: Path) -> Build:
    for name, frame in (("train", table(60)), ("dev", table(10, 100)), ("test", table(20, 55))):
        frame.to_csv(tmp_path / f"{name}.csv", index=False)
    table(25, 70)[["글", "쌍"]].to_csv(tmp_path / "more.csv", index=False)
    (tmp_path / "more.txt").write_text("".join(f"새로운 글 {n}\n" for n in range(7)), encoding="utf-8")

    def call(**settings: Any) -> TableDataModule:
        given = {
            "train_file": "train.csv",
            "dev_file": "dev.csv",
            "test_file": "test.csv",
            "text": "글",
            "label": "감정",
        }
        given |= {"data_dir": str(tmp_path), "cache_dir": str(tmp_path / "cache"), "batch_size": 8}
        return TableDataModule(str(tiny_tokenizer_dir), **(given | settings))

    return call


def trained(data: TableDataModule) -> dict[int, tuple[list[int], Any]]:
    rows = {}
    for batch in data.train_dataloader():
        for row, ids, label in zip(batch["rows"], unpadded(batch), batch["labels"].tolist(), strict=True):
            assert row not in rows
            rows[row] = (ids, label)
    return rows


def framed(tokenizer: KoBertTokenizer, text: str) -> list[int]:
    pieces = tokenizer.convert_tokens_to_ids(tokenizer.tokenize(text))
    return [tokenizer.cls_token_id, *pieces, tokenizer.sep_token_id]


def test_names_of_columns_are_for_the_files_without_them(build: Build, tmp_path: Path) -> None:
    """The other files are in a format that has names."""
    table(60).to_csv(tmp_path / "bare.tsv", index=False, header=False, sep="\t")
    names = list(table(1).columns)
    for name, frame in (("dev", table(10, 100)), ("more", table(25, 70))):
        frame.to_json(tmp_path / f"{name}.jsonl", orient="records", lines=True, force_ascii=False)
    files = {"train_file": "bare.tsv", "dev_file": "dev.jsonl", "unlabelled_file": "more.jsonl"}
    data = build(header=names, **files)
    data.setup("fit")
    assert len(data._part("dev").lengths) == 10
    assert len(data._part("unlabelled").lengths) == 25
    with pytest.raises(ValueError, match=r"^header is \['번호', .*dev\.jsonl is jsonl: .* set header: null$"):
        build(train_file="dev.jsonl", dev_file="train.csv", header=names)


@pytest.mark.parametrize("file", ["more.csv", "more.txt"])
def test_both_are_trained_on_and_the_labels_of_one_are_not_known(
    file: str, build: Build, tiny_tokenizer: KoBertTokenizer
) -> None:
    data = build(unlabelled_file=file, id="번호")
    data.setup("fit")
    rows = trained(data)
    more = list(table(25, 70)["글"]) if file == "more.csv" else [f"새로운 글 {n}" for n in range(7)]
    texts, labels = [*table(60)["글"], *more], [*(n % 2 for n in range(60)), *[-100] * len(more)]
    assert [rows[number] for number in range(len(texts))] == [
        (framed(tiny_tokenizer, text), label) for text, label in zip(texts, labels, strict=True)
    ]
    assert len(rows) == len(texts)
    assert (data.facts["data/train_examples"], data.facts["data/unlabelled_examples"]) == (60, len(more))
    mixed = [{label >= 0 for label in batch["labels"].tolist()} for batch in data.train_dataloader()]
    assert {True, False} in mixed
    assert all((batch["labels"] >= 0).all() for batch in [*data.val_dataloader(), *data.test_dataloader()])


def test_labels_that_are_there_are_not_read_and_texts_of_the_test_file_are_counted(
    build: Build, tmp_path: Path
) -> None:
    strange = table(25, 70).assign(감정="아무 말")
    strange.to_csv(tmp_path / "more.csv", index=False)
    data = build(unlabelled_file="more.csv")
    assert {label for _, label in list(trained(data).values())[60:]} <= {-100, 0, 1}
    assert sum(label == -100 for _, label in trained(data).values()) == 25
    data.setup("test")
    assert (data.facts["data/test_also_in_train"], data.facts["data/test_also_in_unlabelled"]) == (5, 5)
    less = build(unlabelled_file="more.csv", deduplicate=True)
    assert len(trained(less)) == 55 + 20
    assert (less.facts["data/train_file_also_in_test"], less.facts["data/unlabelled_also_in_test"]) == (5, 5)
    less.setup("test")
    assert (less.facts["data/test_also_in_train"], less.facts["data/test_also_in_unlabelled"]) == (0, 0)


@pytest.mark.parametrize(
    ("settings", "unknown"),
    [
        ({"kind": "regression", "label": "점수"}, "nan"),
        ({"kind": "multi_label", "label": "주제", "label_separator": ";"}, "[-100, -100]"),
        ({"text_pair": "쌍"}, "-100"),
    ],
)
def test_other_kinds_and_pairs(settings: dict[str, Any], unknown: str, build: Build) -> None:
    rows = trained(build(unlabelled_file="more.csv", **settings))
    labels = [str(rows[number][1]) for number in range(85)]
    assert labels[60:] == [unknown] * 25
    assert not any("-100" in label or label == "nan" for label in labels[:60])


def test_a_resume_knows_which_texts_there_were(build: Build, tmp_path: Path) -> None:
    loader = build(unlabelled_file="more.txt").training_batches()
    (tmp_path / "more.txt").write_text("다른 글\n" * 7, encoding="utf-8")
    assert loader.fingerprint != build(unlabelled_file="more.txt").training_batches().fingerprint
    assert build().training_batches().fingerprint not in (loader.fingerprint, "")


def test_missing_files_and_columns_are_named(build: Build, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"nothing\.csv does not exist"):
        build(unlabelled_file="nothing.csv")
    table(5)[["쌍"]].to_csv(tmp_path / "other.csv", index=False)
    with pytest.raises(ValueError, match=r"other\.csv, line 1: no column '글'; the columns are '쌍'"):
        build(unlabelled_file="other.csv").setup("fit")


def test_nsmc_takes_them_too(tmp_path: Path, tiny_tokenizer_dir: Path) -> None:
    lines = ["id\tdocument\tlabel", *(f"{n}\t좋은 영화 {n}\t{n % 2}" for n in range(40))]
    for name in ("ratings_train.txt", "ratings_test.txt"):
        (tmp_path / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    (tmp_path / "more.txt").write_text("나쁜 영화\n좋은 배우\n", encoding="utf-8")
    cache = str(tmp_path / "cache")
    data = NSMCDataModule(str(tmp_path), str(tiny_tokenizer_dir), cache_dir=cache, unlabelled_file="more.txt")
    labels = [label for _, label in trained(data).values()]
    assert labels.count(-100) == data.facts["data/unlabelled_examples"] == 2


@pytest.mark.parametrize("name", ["train", "dev", "test"])
def test_a_file_of_labelled_texts_is_not_unlabelled_as_well(name: str, build: Build) -> None:
    with pytest.raises(ValueError, match=rf"is {name}_file as well, so dev or test texts would be trained on"):
        build(unlabelled_file=f"{name}.csv")


def test_a_text_is_no_pair_of_itself(build: Build) -> None:
    with pytest.raises(ValueError, match="text and text_pair are both '글'; expected two columns"):
        build(text_pair="글")
