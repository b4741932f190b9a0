"""TableDataModule: parts, labels, weights, and what it says of the files."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from datamodules import TableDataModule
from distilkobert import KoBertTokenizer
from distilkobert.tasks.splits import number_of
from tests.support.tasks.data import loaders, unpadded

Build = Callable[..., TableDataModule]
WORDS = ["영화", "음식", "날씨", "여행", "책"]
LABELS = ["긍정", "부정", "중립"]


def frame(count: int, start: int = 0) -> pd.DataFrame:
    rows = [
        (f"r{n}", f"{WORDS[n % 5]} 이야기 {n}", f"{WORDS[n % 4]} 말 {n}", LABELS[n * n % 3])
        for n in range(start, start + count)
    ]
    return pd.DataFrame(rows, columns=["번호", "글", "쌍", "감정"])


@pytest.fixture
def build(tmp_path: Path, tiny_tokenizer_dir: Path) -> Build:
    frame(200).to_csv(tmp_path / "train.csv", index=False)
    frame(40, 1000).to_csv(tmp_path / "dev.csv", index=False)
    frame(50, 190).to_csv(tmp_path / "test.csv.gz", index=False)

    def call(**settings: Any) -> TableDataModule:
        given = {"train_file": "train.csv", "text": "글", "label": "감정", "data_dir": str(tmp_path)}
        return TableDataModule(str(tiny_tokenizer_dir), cache_dir=str(tmp_path / "cache"), **(given | settings))

    return call


def seen(data: TableDataModule) -> list[dict[int, tuple[list[int], Any]]]:
    parts = []
    for loader in loaders(data):
        rows = {}
        for batch in loader:
            for row, ids, label in zip(batch["rows"], unpadded(batch), batch["labels"].tolist(), strict=True):
                rows[row] = (ids, label)
        parts.append(rows)
    return parts


def test_one_file_is_cut_by_a_hash_of_the_text(build: Build, tiny_tokenizer: KoBertTokenizer) -> None:
    data = build()
    assert data.labels == ["긍정", "부정"]  # squares leave 0 and 1
    table = frame(200)
    remainders = [number_of(text) % 10 for text in table["글"]]
    for found, allowed in zip(seen(data), ([0, 1, 2, 3, 4, 5, 6, 7], [8], [9]), strict=True):
        expected = table[[remainder in allowed for remainder in remainders]]
        assert len(found) == len(expected)
        for row, (text, label) in enumerate(zip(expected["글"], expected["감정"], strict=True)):
            pieces = tiny_tokenizer.convert_tokens_to_ids(tiny_tokenizer.tokenize(text))
            assert found[row] == (
                [tiny_tokenizer.cls_token_id, *pieces, tiny_tokenizer.sep_token_id],
                LABELS.index(label),
            )
    assert data.facts["data/split"] == "one file, train.csv, by MD5 of the text modulo 10: 8 dev, 9 test, others train"
    assert data.facts["data/table"] == "train.csv: commas between fields, quotes enclose fields"


def test_three_files_are_three_parts_and_overlap_is_counted(build: Build) -> None:
    data = build(dev_file="dev.csv", test_file="test.csv", text_pair="쌍", id="번호")
    assert [len(part) for part in seen(data)] == [200, 40, 50]
    assert data.facts["data/split"] == "train: all of train.csv; dev: all of dev.csv; test: all of test.csv.gz"
    assert data.facts["data/test_also_in_train"] == 10
    assert data.input_settings.pair
    less = build(dev_file="dev.csv", test_file="test.csv", text_pair="쌍", deduplicate=True)
    assert [len(part) for part in seen(less)] == [190, 40, 50]
    assert less.facts["data/train_file_also_in_test"] == 10
    assert less.facts["data/test_also_in_train"] == 0


def test_the_overlap_is_announced_where_it_is_trained_on(build: Build, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    note = "10 of 50 test examples have a text that is in train.csv too"
    build(test_file="test.csv", deduplicate=True).setup("test")
    assert note not in caplog.text
    build(test_file="test.csv").setup("test")
    assert note in caplog.text


def test_fit_reads_the_test_file_for_its_errors_alone(build: Build, tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text("글,감정\n새 글,모름\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"own\.csv, line 2: unknown label '모름'"):
        build(test_file="own.csv").prepare_data()
    data = build(test_file="test.csv.gz")
    data.prepare_data()
    data.setup("fit")
    assert {name for name in data.facts if "/test_" in name} == {"data/test_sha256"}


def test_few_dev_examples_give_a_warning(build: Build, tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    build(dev_file="dev.csv").setup("fit")
    assert not [one for one in recwarn if "choose the checkpoint" in str(one.message)]
    frame(9).to_csv(tmp_path / "few.csv", index=False)
    with pytest.warns(UserWarning, match=r"few\.csv \(dev\): 9 examples choose the checkpoint"):
        build(dev_file="few.csv").setup("fit")


def test_rows_of_one_group_stay_together(build: Build, tmp_path: Path) -> None:
    table = frame(120).assign(묶음=[f"g{n // 6}" for n in range(120)])
    table.to_csv(tmp_path / "train.csv", index=False)
    data = build(split_by="묶음", dev_share=0.2, test_share=0.3)
    groups = [number_of(f"g{n}") % 10 for n in range(20)]
    expected = [6 * sum(g < 5 for g in groups), 6 * sum(g in (5, 6) for g in groups), 6 * sum(g > 6 for g in groups)]
    assert [len(part) for part in seen(data)] == expected
    assert "of the column '묶음' modulo 10: 5, 6 dev, 7, 8, 9 test" in str(data.facts["data/split"])


def test_scores_and_several_labels_reach_the_batches(build: Build, tmp_path: Path) -> None:
    frame(60).assign(점수=[n % 6 for n in range(60)]).to_csv(tmp_path / "train.csv", index=False)
    data = build(kind="regression", label="점수", score_range=(0, 5))
    (batch, *_) = data.train_dataloader()
    assert batch["labels"].is_floating_point()
    assert data.labels == ["score"]
    assert not data.multi_label
    frame(60).assign(주제=[f"{'가' if n % 2 else ''}|{'나' if n % 3 else ''}" for n in range(60)]).to_csv(
        tmp_path / "train.csv", index=False
    )
    several = build(kind="multi_label", label="주제", label_separator="|", class_weights="balanced")
    (batch, *_) = several.train_dataloader()
    assert batch["labels"].shape[1] == 2
    assert several.multi_label
    train = seen(several)[0].values()
    present = [sum(label[place] for _, label in train) for place in (0, 1)]
    assert several.class_weights == pytest.approx([(len(train) - count) / count for count in present])


def test_balanced_weights_come_from_the_training_part_alone(build: Build) -> None:
    data = build(class_weights="balanced")
    counts = Counter(label for _, label in seen(data)[0].values())
    assert data.class_weights == pytest.approx([sum(counts.values()) / (2 * counts[number]) for number in (0, 1)])
    less = build(class_weights="balanced", test_file="test.csv", deduplicate=True, id="번호")
    kept = Counter(label for _, label in seen(less)[0].values())
    assert less.class_weights == pytest.approx([sum(kept.values()) / (2 * kept[number]) for number in (0, 1)])
    given, none = build(class_weights=[1.0, 2.0]), build()
    assert (given.class_weights, none.class_weights) == ([1.0, 2.0], None)
    # What a distillation on the task gets.
    assert (given.task_facts.class_weights, none.task_facts.class_weights) == ((1.0, 2.0), None)


def test_a_label_of_the_test_file_alone_is_refused(build: Build, tmp_path: Path) -> None:
    frame(10).assign(감정="중립").to_csv(tmp_path / "test.csv", index=False)
    (tmp_path / "test.csv.gz").unlink()
    data = build(test_file="test.csv")
    data.setup("fit")
    with pytest.raises(ValueError, match=r"test\.csv, line 2: unknown label '중립'; the labels are 긍정, 부정"):
        data.setup("test")
    assert build(test_file="test.csv", labels=LABELS).labels == LABELS


def test_the_cache_knows_labels_and_columns(build: Build) -> None:
    first = seen(build(labels=["긍정", "부정"]))
    turned = seen(build(labels={"부정": "b", "긍정": "a"}))
    assert [label for _, label in first[0].values()] == [1 - label for _, label in turned[0].values()]
    other = seen(build(text="쌍"))
    assert [ids for ids, _ in other[0].values()] != [ids for ids, _ in first[0].values()]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"train_file": "nothing.csv"},
            r"nothing\.csv does not exist, plain or compressed; .* contains dev\.csv, test",
        ),
        ({"data_dir": "/nowhere"}, "the folder /nowhere does not exist; set data_dir"),
        ({"train_file": None}, "no train_file; give the training table"),
        ({"dev_share": 0.7, "test_share": 0.5}, "dev_share=0.7 and test_share=0.5 leave nothing to train on"),
        ({"dev_share": 0.0}, "dev_share is 0 and there is no dev_file"),
        ({"dev_share": -0.1}, "dev_share=-0.1: must be 0 or more"),
        ({"hub": "owner/name"}, "hub and file names are both given"),
        (
            {"class_weights": "balanced", "kind": "regression", "label": "번호"},
            "class_weights is balanced, but",
        ),
        (
            {"class_weights": [2.0], "kind": "regression", "label": "번호"},
            r"class_weights is \[2\.0\], but kind is regression, which has no classes; leave it out",
        ),
        ({"deduplicate": True}, "deduplicate is true, but there is no test file to compare with; name one"),
        ({"test_file": "train.csv"}, r"test_file is train_file as well \(.*train\.csv\), so test scores would be"),
        ({"dev_file": "./train.csv"}, r"dev_file is train_file as well .*; name another one, or none: dev is then cut"),
        ({"hub_splits": {"test": "test"}}, r"hub_splits=\{'test': 'test'\}, but hub is not set; set hub: owner/name"),
        ({"hub_config": "ynat"}, "hub_config=ynat, but hub is not set; set hub: owner/name, or leave hub_config out"),
    ],
)
def test_settings_that_do_not_fit_are_refused(build: Build, settings: dict[str, Any], message: str) -> None:
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        build(**settings)


def test_without_a_test_part_there_is_nothing_to_test(build: Build) -> None:
    data = build(test_share=0.0)
    data.setup("fit")
    with pytest.raises(ValueError, match="there is no test part: name a file with test_file"):
        data.setup("test")


def test_a_data_set_of_the_hub_is_read_by_its_splits(build: Build, tmp_path: Path) -> None:
    """A folder stands in for the hub: `datasets` takes both by the same name."""
    folder = tmp_path / "hub"
    folder.mkdir()
    for split, count in (("train", 60), ("validation", 20), ("test", 30)):
        frame(count).drop(columns="쌍").to_csv(folder / f"{split}.csv", index=False)
    (folder / "README.md").write_text(
        "---\ndataset_info:\n  features:\n  - name: 번호\n    dtype: string\n  - name: 글\n    dtype: string\n"
        "  - name: 감정\n    dtype: string\n---\n",
        encoding="utf-8",
    )
    splits = {"train": "train", "dev": "validation", "test": "test"}
    data = build(train_file=None, hub=str(folder), hub_splits=splits)
    assert [len(part) for part in seen(data)] == [60, 20, 30]
    assert data.labels == ["긍정", "부정"]
    with pytest.raises(ValueError, match=r"split 'nothing'.* could not be loaded: .*Check hub, hub_config"):
        build(train_file=None, hub=str(folder), hub_splits={"train": "nothing"})
    with pytest.raises(ValueError, match="hub_splits names one split for train and test"):
        build(train_file=None, hub=str(folder), hub_splits={"train": "train", "test": "train"})
    with pytest.raises(ValueError, match="hub_splits has valid; expected train, and dev and test"):
        build(train_file=None, hub=str(folder), hub_splits={"valid": "validation"})


def test_code_of_a_data_set_is_not_run(build: Build, tmp_path: Path) -> None:
    folder = tmp_path / "coded"
    folder.mkdir()
    (folder / "coded.py").write_text(f"open({json.dumps(str(tmp_path / 'run'))}, 'w')\n", encoding="utf-8")
    with pytest.raises(ValueError, match="could not be loaded"):
        build(train_file=None, hub=str(folder))
    assert not (tmp_path / "run").exists()


def test_classes_of_the_hub_are_read_by_their_names(build: Build, tmp_path: Path) -> None:
    from datasets import ClassLabel, Dataset, Features, Value

    features = Features({"글": Value("string"), "감정": ClassLabel(names=["나쁨", "좋음"])})
    rows = {"글": [f"글 {n}" for n in range(40)], "감정": [n % 2 for n in range(40)]}
    Dataset.from_dict(rows, features=features).to_parquet(str(tmp_path / "hub2" / "train.parquet"))
    data = build(train_file=None, hub=str(tmp_path / "hub2"))
    assert data.labels == ["나쁨", "좋음"]
