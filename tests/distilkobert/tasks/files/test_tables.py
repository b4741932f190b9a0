"""Tables as they are written by people and programs: what is read, and what is refused with file and line."""

import csv
import gzip
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distilkobert.tasks.files.tables import TableLayout, column_names, layout_of, read_table

HEAD = "문장,라벨\n"


def written(folder: Path, content: str | bytes, name: str = "t.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def cells(path: Path, layout: TableLayout | None = None) -> list[dict[str, object]]:
    return [dict(row.cells) for row in read_table(path, layout or layout_of(path))]


ROWS = [{"문장": '그는 "좋다", 했다', "라벨": "긍정"}, {"문장": "두 줄\n이다; 탭\t도", "라벨": "부정"}]


def test_every_format_gives_the_same_rows(tmp_path: Path) -> None:
    frame = pd.DataFrame(ROWS)
    frame.to_csv(tmp_path / "a.csv", index=False)
    frame.to_csv(tmp_path / "b.tsv", index=False, sep="\t")
    frame.to_csv(tmp_path / "c.csv", index=False, sep=";")
    frame.to_csv(tmp_path / "d.csv.gz", index=False, encoding="utf-8-sig", lineterminator="\r\n")
    frame.to_json(tmp_path / "e.jsonl", orient="records", lines=True, force_ascii=False)
    frame.to_json(tmp_path / "f.json", orient="records", force_ascii=False, indent=1)
    frame.to_parquet(tmp_path / "g.parquet")
    (tmp_path / "h.parquet.gz").write_bytes(gzip.compress((tmp_path / "g.parquet").read_bytes()))
    for path in sorted(tmp_path.iterdir()):
        assert cells(path) == ROWS, path.name
        assert column_names(path, layout_of(path)) == ["문장", "라벨"], path.name


@settings(max_examples=60)
@given(
    rows=st.lists(
        st.tuples(
            st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=9), st.sampled_from(["긍정", '"', ""])
        ),
        min_size=1,
        max_size=6,
    ),
    delimiter=st.sampled_from([",", "\t", ";", "|"]),
)
def test_what_csv_writes_is_read_back(
    rows: list[tuple[str, str]], delimiter: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("t") / "t.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, delimiter=delimiter).writerows([("글", "말"), ("하나", ""), *rows])
    read = cells(path, TableLayout(".csv", delimiter, True))
    assert [tuple(row.values()) for row in read] == [("하나", ""), *(row for row in rows if any(row))]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("korsts.tsv", 'a\tb\n"그는" 갔다\t1\n왔다"고\t2\n', "tabs between fields, quotes are text"),
        ("pandas.tsv", 'a\tb\n"탭\t안"\t1\n', "tabs between fields, quotes enclose fields"),
        ("both.csv", 'a,b\n"그",1\n', "commas between fields, quotes enclose fields"),
        ("both.tsv", 'a\tb\n"그"\t1\n', "tabs between fields, quotes are text"),
        ("neither.csv", 'a,b\n"그,1\n', "commas between fields, quotes are text"),
        ("semi.csv", "a;b\n1,5;x\n", "semicolons between fields, quotes enclose fields"),
        ("any.txt", "a\tb\n그\t1\n", "tabs between fields, quotes are text"),
    ],
)
def test_delimiter_and_quotes_are_detected_and_said(tmp_path: Path, name: str, content: str, said: str) -> None:
    assert str(layout_of(written(tmp_path, content, name))) == said


@pytest.mark.parametrize("ending", ["jsonl", "json.gz", "parquet"])
@pytest.mark.parametrize("option", [{"delimiter": ","}, {"quotes": "text"}, {"quotes": "enclose"}, {"header": ["글"]}])
def test_options_of_lines_are_refused_for_other_formats(ending: str, option: dict[str, Any], tmp_path: Path) -> None:
    (name,) = option
    path = tmp_path / f"t.{ending}"
    with pytest.raises(ValueError, match=rf"^{name} is .*t\.{ending} is .*\.csv.* Leave it out, or set {name}: "):
        layout_of(path, **option)
    assert layout_of(path, None, "auto", None).header == ()


def test_declared_quotes_and_names_are_taken(tmp_path: Path) -> None:
    path = written(tmp_path, '"그",1\n', "t.tsv")
    layout = layout_of(path, delimiter=",", quotes="enclose", header=["글", "값"])
    assert cells(path, layout) == [{"글": "그", "값": "1"}]
    assert cells(path, layout_of(path, delimiter=",", quotes="text", header=["글", "값"])) == [
        {"글": '"그"', "값": "1"}
    ]


def test_objects_inside_objects_are_taken_apart(tmp_path: Path) -> None:
    item = {"s": "글", "labels": {"label": 3.7, "more": {"x": [1]}}}
    expected = [{"s": "글", "labels.label": 3.7, "labels.more.x": [1]}]
    assert cells(written(tmp_path, json.dumps(item), "t.jsonl")) == expected
    assert cells(written(tmp_path, json.dumps([item]), "t.json")) == expected
    pd.DataFrame([item]).to_parquet(tmp_path / "t.parquet")
    assert cells(tmp_path / "t.parquet")[0]["labels.label"] == 3.7


BAD: list[tuple[str, str | bytes, str]] = [
    ("t.csv", HEAD + "좋다,긍정\n나쁘다\n", r"line 3: 1 field, but the header has 2 \(문장, 라벨\); found '나쁘다'"),
    ("t.csv", HEAD + "좋다, 정말,긍정\n", "line 2: 3 fields, .*Look for a delimiter inside a text"),
    ("t.csv", HEAD + "좋다\t긍정\n", "line 2: 1 field.* This line has tabs between them, the header commas; use one"),
    ("t.csv", HEAD + "좋다,긍정\r나쁘다,부정\r", "carriage return inside the line; expected lines that end in LF"),
    ("t.csv", "문장,라벨\r좋다,긍정\r".encode(), "carriage return|no row"),
    ("t.csv", HEAD, "no row in it; expected a header and at least one example"),
    ("t.csv", "", r"t\.csv is empty"),
    ("t.csv", "문장,문장\n좋다,긍정\n", "line 1: the column '문장' occurs twice"),
    (
        "t.csv",
        (HEAD + "좋다,긍정\n").encode("utf-16"),
        "line 1: not UTF-8 .*probably UTF-16.* iconv -f UTF-16 -t UTF-8",
    ),
    ("t.csv", (HEAD + "좋다,긍정\n").encode("cp949"), "line 1: not UTF-8 .* iconv -f CP949"),
    ("t.csv", HEAD + "가" * 10_000_000 + ",긍정\n", "line 2: a line of 10,000,003 characters .* expected 1,000,000"),
    ("t.jsonl", '{"문장": "글"}\n{"문장": \n', "line 2: not JSON .*; expected one object per line"),
    ("t.jsonl", '["글", "긍정"]\n', "line 1: found .*; expected an object"),
    ("t.json", '{"data": []}', "found dict; expected a list of objects"),
    ("t.json", '[{"문장": "글"},\n 7]', "line 2, object 2: found '7'; expected an object"),
    ("t.parquet", b"PAR1 and nothing else", "not a complete Parquet file"),
    ("t.csv.gz", gzip.compress((HEAD + "좋다,긍정\n").encode(), mtime=0)[:-9], "cut off or damaged"),
    ("t.xlsx", b"PK", r"unknown table format '\.xlsx'; expected a name that ends in \.csv, \.tsv"),
]


@pytest.mark.parametrize(("name", "content", "message"), BAD)
def test_damaged_tables_are_refused_with_file_and_line(
    tmp_path: Path, name: str, content: str | bytes, message: str
) -> None:
    path = written(tmp_path, content, name)
    with pytest.raises(ValueError, match=rf"{name}.*{message}" if not message.startswith("t") else message) as caught:
        cells(path)
    assert len(str(caught.value)) < 600, "a message must not repeat the file"


def test_a_quote_that_does_not_close_is_named_where_it_opens(tmp_path: Path) -> None:
    path = written(tmp_path, HEAD + '좋다,긍정\n"나쁘다,부정\n그,부정\n')
    with pytest.raises(ValueError, match=r"line 3: a quote that opens here is not closed; .*quotes: text"):
        cells(path, TableLayout(".csv", ",", True))
    path = written(tmp_path, HEAD + '"나쁘다,부정\n그,부정\n"왔다",긍정\n')
    with pytest.raises(ValueError, match=r"line 2: the quote that opens in line 2 continues to line 4; close it, or"):
        cells(path, TableLayout(".csv", ",", True))
    path = written(tmp_path, HEAD + '"그는" 갔다,긍정\n')
    with pytest.raises(ValueError, match=r"line 2: a quote inside a field .*; double it as CSV does"):
        cells(path, TableLayout(".csv", ",", True))
