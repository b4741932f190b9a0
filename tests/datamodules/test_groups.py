"""Which test examples belong together, as reports draw them: those that a split would not separate."""

from pathlib import Path

from tests.datamodules.test_table import Build, build, frame

__all__ = ["build"]


def test_rows_of_one_value_of_split_by(build: Build, tmp_path: Path) -> None:
    values = ["가", "나", "가", "다", "나", "라", "가", "마"]
    frame(8, 1000).assign(묶음=values).to_csv(tmp_path / "own.csv", index=False)
    frame(200).assign(묶음="x").to_csv(tmp_path / "train.csv", index=False)
    frame(40, 2000).assign(묶음="y").to_csv(tmp_path / "dev.csv", index=False)
    data = build(split_by="묶음", dev_file="dev.csv", test_file="own.csv")
    assert data.groups("test") is None  # not loaded yet
    data.setup("test")
    assert data.groups("test") == data.groups("predict") == [0, 1, 0, 3, 1, 5, 0, 7]


def test_places_are_those_in_the_part(build: Build, tmp_path: Path) -> None:
    table = frame(120).assign(묶음=[f"g{n % 20}" for n in range(120)])
    table.to_csv(tmp_path / "train.csv", index=False)
    data = build(split_by="묶음", dev_share=0.2, test_share=0.3)
    data.setup("test")
    groups = data.groups("test")
    assert groups is not None
    assert len(groups) == data.facts["data/test_examples"] == 6 * len(set(groups))
    assert groups[: len(set(groups))] == sorted(set(groups))  # the first of each group comes before any second one


def test_rows_that_stand_alone_have_none(build: Build) -> None:
    data = build(test_file="test.csv.gz", id="번호")
    data.setup("test")
    assert data.groups("test") is None


def test_equal_texts_belong_together_but_not_in_a_file_to_predict(build: Build, tmp_path: Path) -> None:
    frame(5, 1000).iloc[[0, 1, 0, 2, 3, 4]].to_csv(tmp_path / "twice.csv", index=False)
    data = build(test_file="twice.csv", predict_file=str(tmp_path / "twice.csv"))
    data.setup("test")
    data.setup("predict")
    assert data.groups("test") == [0, 1, 0, 3, 4, 5]
    assert data.groups("predict") is None
