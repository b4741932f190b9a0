"""`prepare augment` from the command line: tables in, tables out that data modules read, counts, and refusals."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from torch import Tensor
from transformers import PreTrainedModel

from datamodules import TableDataModule
from distilkobert import KoBertTokenizer
from distilkobert.augmentation import proposals
from distilkobert.models.heads import encode
from distilkobert.tasks.files.tables import layout_of, read_table
from tests.support.tasks.augment_tables import WORDS, Run, table
from tests.support.tasks.data import unpadded
from tests.world import read_json

pytest_plugins = ["tests.support.tasks.augment_fixtures"]


def test_a_table_with_the_rows_of_the_source_first(
    augment: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert augment() == 0
    source, found = table().astype(str), pd.read_csv(tmp_path / "more.csv", dtype=str, keep_default_na=False)
    assert list(found.columns) == list(source.columns)
    assert found[:24].to_dict() == source.to_dict()
    new = found[24:]
    others = [column for column in source.columns if column != "글"]
    known = {tuple(row) for row in source[others].itertuples(index=False)}
    assert {tuple(row) for row in new[others].itertuples(index=False)} <= known
    assert not set(new["글"]) & set(source["글"])
    assert not new["글"].duplicated().any()
    record = read_json(tmp_path / "more.csv.augment.json")
    counts = record["counts"]
    assert (counts["rows_in"], counts["rows"], counts["drawn"]) == (24, 24, 72)
    assert counts["rows_out"] == len(found) == 24 + counts["kept"]
    assert counts["kept"] + counts["unchanged"] + counts["duplicates"] == 72
    by_text = dict(zip(source["번호"], source["글"], strict=True))
    changed = sum(
        one != other
        for number, text in zip(new["번호"], new["글"], strict=True)
        for one, other in zip(text.split(), by_text[number].split(), strict=True)
    )
    assert counts["words"] == changed
    assert (record["source"]["name"], record["options"]["seed"], record["options"]["copies"]) == ("train.csv", 42, 3)
    said = capsys.readouterr().out
    assert f"72 drawn, dropped: {counts['unchanged']} unchanged" in said
    assert "how they were made: more.csv.augment.json" in said


def test_the_same_seed_gives_the_same_bytes(augment: Run, tmp_path: Path) -> None:
    for output, seed in (("a.csv", 7), ("b.csv", 7), ("c.csv", 8)):
        assert augment(f"--seed={seed}", output=output) == 0
    content = {name: (tmp_path / name).read_bytes() for name in ("a.csv", "b.csv", "c.csv")}
    assert content["a.csv"] == content["b.csv"] != content["c.csv"]
    assert (tmp_path / "a.csv.augment.json").read_bytes() == (tmp_path / "b.csv.augment.json").read_bytes()


@pytest.mark.parametrize("longest", [128, 6])
def test_inputs_of_the_model_are_as_long_as_asked(
    longest: int, augment: Run, tiny_tokenizer: KoBertTokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    lengths: list[int] = []

    def counted(model: PreTrainedModel, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        lengths.append(input_ids.shape[1])
        return encode(model, input_ids, attention_mask)

    monkeypatch.setattr(proposals, "encode", counted)
    assert augment(f"--max_length={longest}") == 0
    whole = max(len(tiny_tokenizer.tokenize(text)) + 2 for text in table()["글"])
    assert 6 < whole < 32 + longest
    assert max(lengths) == min(longest, whole)


def data_of(folder: Path, tokenizer: Path, **settings: Any) -> TableDataModule:
    given = {"train_file": "more", "dev_file": "dev.csv", "test_file": "test.csv", "text": "글", "label": "감정"}
    given |= {"data_dir": str(folder), "cache_dir": str(folder / "cache"), "unknown_limit": 1}
    return TableDataModule(str(tokenizer), **(given | settings))


KINDS: dict[str, dict[str, Any]] = {
    "classification": {},
    "regression": {"label": "점수", "kind": "regression", "text_pair": "쌍"},
    "multi_label": {"label": "주제", "kind": "multi_label", "label_separator": ";"},
}


@pytest.mark.parametrize(
    ("kind", "ending"),
    [
        ("classification", ".tsv"), ("classification", ".json"), ("classification", ".parquet"),
        ("regression", ".jsonl"), ("multi_label", ".csv"),
    ],
)  # fmt: skip
def test_data_reads_it_and_new_rows_have_their_source_s_label(
    kind: str, ending: str, augment: Run, tmp_path: Path, tiny_tokenizer_dir: Path
) -> None:
    settings = KINDS[kind]
    pair = ["--text_pair=쌍"] if "text_pair" in settings else []
    assert augment("--id=번호", *pair, output=f"more{ending}") == 0
    for name in ("dev.csv", "test.csv"):
        table().to_csv(tmp_path / name, index=False)
    data = data_of(tmp_path, tiny_tokenizer_dir, train_file=f"more{ending}", id="번호", **settings)
    data.setup("fit")
    known = [row.label for row in _examples(data, tmp_path / "dev.csv")]
    rows = _examples(data, tmp_path / f"more{ending}")
    assert [row.label for row in rows[:24]] == known
    assert len({row.id for row in rows}) == len(rows) > 24
    for row in rows[24:]:
        number, _, copy = row.id.partition("-aug")
        assert row.label == known[int(number)]
        assert 1 <= int(copy) <= 3
    trained = sum(len(unpadded(batch)) for batch in data.train_dataloader())
    assert trained == len(rows) == read_json(tmp_path / f"more{ending}.augment.json")["counts"]["rows_out"]


def _examples(data: TableDataModule, path: Path) -> list[Any]:
    from distilkobert.tasks.files.text_examples import read_examples

    return list(read_examples(path, layout_of(path), data.columns, data._target))


def test_quotes_that_are_text_stay_text(augment: Run, tmp_path: Path) -> None:
    lines = ["글\t감정", *(f'"{WORDS[n % 5]}" {n}번 "봤다\t{n % 2}' for n in range(12))]
    (tmp_path / "own.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert augment(source="own.txt", output="more.txt") == 0
    found = (tmp_path / "more.txt").read_text(encoding="utf-8").splitlines()
    assert found[: len(lines)] == lines
    assert all(line.count("\t") == 1 and line.count('"') == 3 for line in found[1:])


@pytest.mark.parametrize("ending", [".jsonl", ".json", ".parquet", ".csv"])
@pytest.mark.parametrize("source", ["own.jsonl", "own.json", "own.parquet"])
def test_columns_that_the_first_row_does_not_have_are_kept(
    source: str, ending: str, augment: Run, tmp_path: Path
) -> None:
    """Rows of JSON have what they have; in Parquet a column of objects is flattened where there is one."""
    rows: list[dict[str, Any]] = [{"글": f"{WORDS[n % 5]} {WORDS[n % 4]} {n}번 봤다."} for n in range(8)]
    for n in (2, 5):
        rows[n] |= {"memo": f"m{n}", "from": {"page": n}}
    if source.endswith(".parquet"):
        pd.DataFrame(rows).to_parquet(tmp_path / source)
    else:
        lines = [json.dumps(row, ensure_ascii=False) for row in rows]
        text = f"[{', '.join(lines)}]" if source.endswith(".json") else "\n".join(lines)
        (tmp_path / source).write_text(text, encoding="utf-8")
    assert augment(source=source, output=f"more{ending}") == 0
    path = tmp_path / f"more{ending}"
    found = [row.cells for row in read_table(path, layout_of(path))]
    assert {"글", "memo", "from.page"} <= set(found[0])
    kept = [(row["글"], row["memo"], str(row["from.page"])) for row in found if row["memo"]]
    assert kept[:2] == [(rows[n]["글"], f"m{n}", kept[place][2]) for place, n in enumerate((2, 5))]
    assert {(memo, float(page)) for _, memo, page in kept} == {("m2", 2.0), ("m5", 5.0)}
    assert len(kept) > 2


def test_only_rows_that_are_trained_on_where_shares_are_given(
    augment: Run, tmp_path: Path, tiny_tokenizer_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert augment("--dev_share=0.2", "--test_share=0.2", "--source_rows=leave_out", "--id=번호") == 0
    new = pd.read_csv(tmp_path / "more.csv", dtype=str)
    settings = {"train_file": "train.csv", "dev_file": None, "test_file": None, "unlabelled_file": "more.csv"}
    shares = {"dev_share": 0.2, "test_share": 0.2, "id": "번호"}
    data = data_of(tmp_path, tiny_tokenizer_dir, **settings, **shares)
    data.setup("fit")
    labels = [label for batch in data.train_dataloader() for label in batch["labels"].tolist()]
    train = set(map(str, data.choose_rows(data._tables("train"), "train")))
    assert {number.partition("-aug")[0] for number in new["번호"]} <= train
    assert len(train) < 24
    assert (sum(label >= 0 for label in labels), labels.count(-100)) == (len(train), len(new))
    for other in ({"dev_share": 0.1}, {"id": None}):
        with pytest.raises(ValueError, match=r"made it from rows of train.csv that are not training rows; make it"):
            data_of(tmp_path, tiny_tokenizer_dir, **settings, **(shares | other))
    assert augment("--dev_share=0.2", output="other.csv") == 2
    assert "set source_rows=leave_out" in capsys.readouterr().err


def test_a_score_on_such_rows_is_refused(augment: Run, tmp_path: Path, tiny_tokenizer_dir: Path) -> None:
    assert augment() == 0
    for name in ("dev.csv", "test.csv"):
        table().to_csv(tmp_path / name, index=False)
    cut = {"train_file": "more.csv", "dev_file": None}
    with pytest.raises(ValueError, match=r"train_file=.*more.csv: `prepare augment` wrote it.*; set dev_file"):
        data_of(tmp_path, tiny_tokenizer_dir, **cut)
    with pytest.raises(
        ValueError, match=r"test_file=.*more.csv: `prepare augment` wrote it; evaluate on original texts"
    ):
        data_of(tmp_path, tiny_tokenizer_dir, train_file="train.csv", test_file="more.csv")
    (tmp_path / "more.csv").write_bytes((tmp_path / "train.csv").read_bytes())
    with pytest.raises(ValueError, match=r"more.csv.augment.json: it belongs to another version of more.csv"):
        data_of(tmp_path, tiny_tokenizer_dir, **cut)
