"""Tables of texts that `experiments.predict --input` reads as its options say."""

import json
from pathlib import Path

import pytest
from transformers import DistilBertForTokenClassification

from experiments.predict.__main__ import predict
from tests.integration.predict.hand_set import config, folder_of, set_by_token
from tests.world import World

ROWS = '1;"부산" 사람;나\n2;"부산 사람;나\n'
"""Without a header; quotes are text, and the second row's is never closed."""


@pytest.fixture
def tagger(world: World, tmp_path: Path) -> Path:
    model = set_by_token(DistilBertForTokenClassification(config(["O", "PER-B", "PER-I"])), "classifier", {}, other=2)
    return folder_of(model, world.tokenizer, tmp_path / "tagger")


def test_delimiter_quotes_and_header_are_those_of_the_options(tagger: Path, tmp_path: Path) -> None:
    table, output = tmp_path / "rows.csv", tmp_path / "said.jsonl"
    table.write_text(ROWS, encoding="utf-8")
    predict(
        str(tagger),
        input=str(table),
        output=str(output),
        columns=["문장"],
        delimiter=";",
        quotes="text",
        header=["번호", "문장", "기타"],
    )
    assert [json.loads(line)["text"] for line in output.read_text(encoding="utf-8").splitlines()] == [
        '"부산" 사람',
        '"부산 사람',
    ]


def test_quotes_that_enclose_are_removed_from_a_tsv(tagger: Path, tmp_path: Path) -> None:
    table, output = tmp_path / "rows.tsv", tmp_path / "said.jsonl"
    table.write_text('"부산\t사람"\n"둘"\n', encoding="utf-8")
    predict(str(tagger), input=str(table), output=str(output), quotes="enclose", header=["text"])
    assert [json.loads(line)["text"] for line in output.read_text(encoding="utf-8").splitlines()] == [
        "부산\t사람",
        "둘",
    ]


def test_a_table_without_a_header_says_which_options_help(tagger: Path, tmp_path: Path) -> None:
    table = tmp_path / "rows.csv"
    table.write_text("1,부산 사람\n2,서울 사람\n", encoding="utf-8")
    with pytest.raises(
        ValueError, match="no text in 'text'; the columns are '1', '부산 사람'; set --columns, or --header"
    ):
        predict(str(tagger), input=str(table))


@pytest.mark.parametrize(
    "option", [{"columns": ["text"]}, {"delimiter": ";"}, {"quotes": "text"}, {"header": ["text"]}]
)
def test_options_of_a_table_need_one(option: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="--columns, --delimiter, --quotes and --header need --input"):
        predict("model", "하나", **option)  # type: ignore[arg-type]
