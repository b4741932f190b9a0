"""Texts and labels out of columns of any name: what is read, and what is refused with file and line."""

import json
import math
import unicodedata
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from distilkobert.korean.decomposed import has_jamo
from distilkobert.tasks.files.tables import TableLayout, layout_of, read_table
from distilkobert.tasks.files.text_examples import TextColumns, read_examples, read_unlabelled
from distilkobert.tasks.kinds import MULTI_LABEL_CLASSIFICATION, SEQUENCE_CLASSIFICATION, SEQUENCE_REGRESSION
from distilkobert.tasks.texts.table_labels import balanced_weights, read_target
from distilkobert.tasks.texts.targets import ClassTarget, LabelsTarget, NoTarget, ScoreTarget, labels_in_order
from tests.distilkobert.tasks.files.test_tables import written

CSV = TableLayout(".csv", ",", True)
NAMES = {"긍정": "긍정", "부정": "부정"}
NFD = unicodedata.normalize("NFD", "긍정")


def rows_of(path: Path) -> Any:
    return lambda: read_table(path, layout_of(path))


def test_pairs_scores_and_ids_are_read_by_their_columns(tmp_path: Path) -> None:
    path = written(tmp_path, "번호,앞,점수,뒤\n7,가,0.5,나\n8,다,5,라\n")
    target = ScoreTarget("점수", 0.0, 5.0)
    read = list(read_examples(path, CSV, TextColumns("앞", "뒤", "번호"), target))
    assert [tuple(example) for example in read] == [("7", "가", "나", 0.5), ("8", "다", "라", 5.0)]
    grouped = list(read_examples(path, CSV, TextColumns("앞", "뒤", None, "번호"), target))
    assert [example.id for example in grouped] == ["7", "8"]
    assert [example.id for example in read_examples(path, CSV, TextColumns("앞", "뒤"), target)] == ["가\t나", "다\t라"]


def test_labels_may_be_missing_where_they_are_not_needed(tmp_path: Path) -> None:
    target = ClassTarget("라벨", NAMES)
    for content, labels in (("글\n가\n나\n", [-100, -100]), ("글,라벨\n가,\n나,부정\n", [-100, 1])):
        path = written(tmp_path, content)
        assert [e.label for e in read_unlabelled(path, CSV, TextColumns("글"), target)] == labels
    plain = written(tmp_path, "쉼표, 하나\n\n둘\n", "t.txt")
    read = list(read_unlabelled(plain, TableLayout(".txt", "\t"), TextColumns("글"), target))
    assert [(example.id, example.text) for example in read] == [("1", "쉼표, 하나"), ("2", ""), ("3", "둘")]
    assert math.isnan(ScoreTarget("라벨", None, None).unknown)


BAD: list[tuple[str, str, TextColumns, str]] = [
    ("t.csv", "글,값\n가,긍정\n", TextColumns("글"), r"t\.csv, line 1: no column '라벨'; .* '글', '값'\. Name one"),
    ("t.csv", "Text,라벨\n가,긍정\n", TextColumns("text"), "no column 'text'; .*Did you mean 'Text'"),
    ("t.csv", f"{NFD},라벨\n가,긍정\n", TextColumns("긍정"), r"U\+1100 U\+1173 .*option U\+AE0D U\+C815"),
    ("t.csv", "글,라벨\n가,긍정\n나, \n", TextColumns("글"), "line 3: the label in '라벨' is empty; fill it in"),
    ("t.csv", "글,라벨\n가,중립\n", TextColumns("글"), "unknown label '중립'; the labels are 긍정, 부정. Correct"),
    ("t.csv", "글,라벨\n가,긍정 \n", TextColumns("글"), "line 2: the label '긍정 ' differs from '긍정' by blanks"),
    ("t.csv", f"글,라벨\n가,{NFD}\n", TextColumns("글"), r"line 2: .*is U\+1100 .* not U\+AE0D U\+C815"),
    ("t.csv", "글,쌍,라벨\n가, ,긍정\n", TextColumns("글", "쌍"), "line 2: '쌍' is blank, so half of the pair"),
    ("t.csv", "번호,글,라벨\n1,가,긍정\n1,다,긍정\n", TextColumns("글", id="번호"), "line 3: the id '1' .*first in"),
    ("t.csv", "번호,글,라벨\n,가,긍정\n", TextColumns("글", id="번호"), "line 2: no id in '번호'"),
    ("t.csv", "번호,글,라벨\n1,가,긍정\n2.5,나,긍정\n", TextColumns("번호"), "'번호' contains only numbers"),
    ("t.jsonl", '{"글": 7, "라벨": "긍정"}\n', TextColumns("글"), "line 1: '글' is '7', not a string; write it in"),
    ("t.jsonl", '{"글": "가", "라벨": "긍정"}\n{"글": "나"}\n', TextColumns("글"), "line 2: no '라벨'; found 글"),
    ("t.jsonl", '{"글": "\\ud83d", "라벨": "긍정"}\n', TextColumns("글"), "line 1: '글' contains a lone surrogate"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "content", "columns", "message"), BAD)
def test_wrong_examples_are_refused(
    tmp_path: Path, name: str, content: str, columns: TextColumns, message: str
) -> None:
    path = written(tmp_path, content, name)
    layout = CSV if name == "t.csv" else TableLayout(".jsonl")
    with pytest.raises(ValueError, match=message):
        list(read_examples(path, layout, columns, ClassTarget("라벨", NAMES)))


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("NaN", r"line 2: the score in '점' is not a finite number \(found 'NaN'\)"),
        ("inf", "not a finite number"),
        ("", r"not a finite number \(empty\)"),
        ('"3,5"', "not a finite number"),
        ("5.5", "line 2: the score 5.5 in '점' is out of range; score_range is 0 to 5"),
        ("-1", "out of range"),
    ],
)
def test_wrong_scores_are_refused(tmp_path: Path, cell: str, message: str) -> None:
    path = written(tmp_path, f"글,점\n가,{cell}\n")
    with pytest.raises(ValueError, match=message):
        list(read_examples(path, CSV, TextColumns("글"), ScoreTarget("점", 0, 5)))


def test_scores_as_text_and_as_numbers_are_the_same(tmp_path: Path) -> None:
    path = written(tmp_path, '{"글": "가", "점": "3.5"}\n{"글": "나", "점": 3.5}\n', "t.jsonl")
    read = read_examples(path, TableLayout(".jsonl"), TextColumns("글"), ScoreTarget("점", 0, 5))
    assert [example.label for example in read] == [3.5, 3.5]


def test_the_order_of_labels_does_not_hang_on_the_order_of_rows(tmp_path: Path) -> None:
    for content in ("글,라벨\n가,10\n나,9\n다,-1\n", "글,라벨\n다,-1\n나,9\n가,10\n"):
        path = written(tmp_path, content)
        labels, _ = read_target(SEQUENCE_CLASSIFICATION, ["라벨"], None, ",", None, rows_of(path))
        assert labels == ["-1", "9", "10"]
    whole = [("10.0", 1), ("2.0", 2), ("1.0", 3), ("1", 4)]
    assert labels_in_order(whole) == labels_in_order(whole[::-1]) == ["1", "1.0", "2.0", "10.0"]  # type: ignore[arg-type]
    assert labels_in_order([("nan", 1), ("2", 2), ("10", 3)]) == ["10", "2", "nan"]  # type: ignore[list-item]
    assert labels_in_order([("중립", 1), ("긍정", 2), ("부정", 3)]) == ["긍정", "부정", "중립"]  # type: ignore[list-item]
    with pytest.raises(ValueError, match=r"3: the label .* looks like .* in 2; write it the same way"):
        labels_in_order([("긍정", 2), (NFD, 3)])  # type: ignore[list-item]


@pytest.mark.parametrize(("last", "warned"), [("나쁨, 김", 1), ("나쁨,그밖", 0)])
def test_a_class_that_joins_others_gives_a_hint(
    tmp_path: Path, last: str, warned: int, recwarn: pytest.WarningsRecorder
) -> None:
    path = written(tmp_path, f'글,라벨\n가,김\n나,나쁨\n다,"{last}"\n')
    labels, _ = read_target(SEQUENCE_CLASSIFICATION, ["라벨"], None, ",", None, rows_of(path))
    assert last in labels
    found = [str(one.message) for one in recwarn]
    assert len(found) == warned
    assert all(
        "beside 김 and 나쁨. If an example can have several labels, set --data.kind=multi_label" in one for one in found
    )
    read_target(SEQUENCE_CLASSIFICATION, ["라벨"], labels, ",", None, rows_of(path))  # named: no further one
    assert len(recwarn) == warned


def test_named_labels_give_order_and_names(tmp_path: Path) -> None:
    path = written(tmp_path, '{"글": "가", "라벨": 1}\n{"글": "나", "라벨": true}\n', "t.jsonl")
    labels, target = read_target(
        SEQUENCE_CLASSIFICATION, ["라벨"], {0: "다름", 1: "같음", "true": "참"}, ",", None, rows_of(path)
    )
    assert labels == ["다름", "같음", "참"]
    read = read_examples(path, TableLayout(".jsonl"), TextColumns("글"), target)
    assert [example.label for example in read] == [1, 2]


def test_any_number_of_labels_in_one_column_or_in_several(tmp_path: Path) -> None:
    one = written(tmp_path, '글,라벨\n가,"나쁨, 김"\n나,\n다,김\n')
    labels, target = read_target(MULTI_LABEL_CLASSIFICATION, ["라벨"], None, ",", None, rows_of(one))
    assert labels == ["김", "나쁨"]
    assert [e.label for e in read_examples(one, CSV, TextColumns("글"), target)] == [[1, 1], [0, 0], [1, 0]]
    lists = written(tmp_path, json.dumps({"글": "가", "라벨": ["김"]}), "t.jsonl")
    assert [e.label for e in read_examples(lists, TableLayout(".jsonl"), TextColumns("글"), target)] == [[1, 0]]
    several = written(tmp_path, "글,성별,혐오\n가,True,none\n나,False,심함\n다,0,약함\n")
    labels, target = read_target(MULTI_LABEL_CLASSIFICATION, ["성별", "혐오"], None, ",", None, rows_of(several))
    assert labels == ["성별", "혐오:심함", "혐오:약함"]
    read = read_examples(several, CSV, TextColumns("글"), target)
    assert [example.label for example in read] == [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
    assert isinstance(target, LabelsTarget)


def test_numbers_that_pandas_wrote_as_decimals_are_yes_and_no(tmp_path: Path) -> None:
    frame = pd.DataFrame({"글": ["가", "나", "다"], "스팸": [1, None, 0], "욕": [0, 1, 1]})
    path = tmp_path / "t.csv"
    frame.to_csv(path, index=False)
    assert "가,1.0,0" in path.read_text(encoding="utf-8")
    labels, target = read_target(MULTI_LABEL_CLASSIFICATION, ["스팸", "욕"], None, ",", None, rows_of(path))
    assert labels == ["스팸", "욕"]
    assert [e.label for e in read_examples(path, CSV, TextColumns("글"), target)] == [[1, 0], [0, 1], [0, 1]]


@pytest.mark.parametrize("name", ["t.jsonl", "t.json", "t.parquet"])
def test_nan_is_an_empty_cell(tmp_path: Path, name: str) -> None:
    """As pandas and polars store a value that is missing."""
    path, columns = tmp_path / name, TextColumns("글")
    rows = [{"글": text, "라벨": label} for text, label in (("가", 1.0), ("나", 0.0), ("다", math.nan))]
    if name == "t.parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)  # unlike pandas, which writes null
    else:
        path.write_text("\n".join(map(json.dumps, rows)) if name == "t.jsonl" else json.dumps(rows), encoding="utf-8")
    layout = layout_of(path)
    labels, target = read_target(SEQUENCE_CLASSIFICATION, ["라벨"], None, ",", None, rows_of(path))
    assert labels == ["0.0", "1.0"]
    with pytest.raises(ValueError, match=r"(line|row|object) 3: the label in '라벨' is empty; fill it in"):
        list(read_examples(path, layout, columns, target))
    assert [e.label for e in read_unlabelled(path, layout, columns, target)] == [1, 0, -100]
    with pytest.raises(ValueError, match=r"the score in '라벨' is not a finite number \(empty\)"):
        list(read_examples(path, layout, columns, ScoreTarget("라벨", None, None)))
    with pytest.raises(ValueError, match="3: no id in '라벨'; fill it in"):
        list(read_examples(path, layout, TextColumns("글", id="라벨"), NoTarget(None)))
    for wanted, held in (
        (["라벨"], [[0, 1], [1, 0], [0, 0]]),
        (["라벨", "글"], [[1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]),
    ):
        _, target = read_target(MULTI_LABEL_CLASSIFICATION, wanted, None, ",", None, rows_of(path))
        assert [e.label for e in read_examples(path, layout, columns, target)] == held


def test_a_row_without_the_column_of_a_label_or_group_is_named(tmp_path: Path) -> None:
    path = written(tmp_path, '{"글": "가", "욕": 1, "방": 1}\n{"글": "나"}\n', "t.jsonl")
    for columns in (["욕"], ["욕", "방"]):
        with pytest.raises(ValueError, match=r"t\.jsonl, line 2: no '욕'; found 글\. Every row needs .* null"):
            read_target(MULTI_LABEL_CLASSIFICATION, columns, None, ",", None, rows_of(path))
    with pytest.raises(ValueError, match=r"t\.jsonl, line 2: no '방'; found 글"):
        list(read_unlabelled(path, TableLayout(".jsonl"), TextColumns("글", group="방"), ScoreTarget("욕", 0, 1)))


@pytest.mark.parametrize(
    ("kind", "columns", "labels", "score_range", "message"),
    [
        (
            SEQUENCE_CLASSIFICATION,
            ["라벨"],
            None,
            None,
            r"t\.csv: the column '라벨' has one class alone, '긍정'; expected two",
        ),
        (
            SEQUENCE_CLASSIFICATION,
            ["라벨", "글"],
            None,
            None,
            "label names 2 columns.*only kind=multi_label has several",
        ),
        (SEQUENCE_CLASSIFICATION, ["라벨"], ["가", "가"], None, "labels names '가' twice"),
        (SEQUENCE_CLASSIFICATION, ["라벨"], ["가"], None, "labels has 1 name; expected two or more"),
        (SEQUENCE_CLASSIFICATION, ["라벨"], None, (0.0, 1.0), "score_range is given, but kind is not regression"),
        (SEQUENCE_REGRESSION, ["라벨"], ["가", "나"], None, "labels is given, but kind is regression"),
        (
            SEQUENCE_REGRESSION,
            ["라벨"],
            None,
            (5.0, 0.0),
            "score_range is 5 to 0; expected two numbers, the least score first",
        ),
    ],
)
def test_settings_that_do_not_fit_are_refused(
    tmp_path: Path, kind: Any, columns: list[str], labels: Any, score_range: Any, message: str
) -> None:
    path = written(tmp_path, "글,라벨\n가,긍정\n나,긍정\n")
    with pytest.raises(ValueError, match=message):
        read_target(kind, columns, labels, ",", score_range, rows_of(path))


def test_balanced_weights_make_classes_weigh_the_same() -> None:
    assert balanced_weights([0, 0, 0, 1], ["긍정", "부정"]) == [pytest.approx(2 / 3), pytest.approx(2.0)]
    assert balanced_weights([[1, 0], [1, 1], [0, 0], [0, 0]], ["긍정", "부정"]) == [1.0, 3.0]
    with pytest.raises(ValueError, match="the class '부정' has no example in the training part"):
        balanced_weights([0, 0], ["긍정", "부정"])


def test_conjoining_letters_are_seen() -> None:
    assert has_jamo(unicodedata.normalize("NFD", "한국"))
    assert not has_jamo("한국 ㅋㅋ abc")
