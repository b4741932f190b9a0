"""Empty texts, NUL characters, decomposed Hangul and inputs that are cut are counted in messages.

A text that is missing is an empty one.
"""

import json
import shutil
import unicodedata
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from datamodules import QuestionAnsweringDataModule, TableDataModule, TaggingDataModule
from distilkobert import KoBertTokenizer
from distilkobert.korean.decomposed import has_jamo
from distilkobert.tasks.files.odd_texts import OddTexts

Data = TableDataModule | TaggingDataModule | QuestionAnsweringDataModule
NUL = "\0"
NFD = unicodedata.normalize("NFD", "한국 영화")


def warned(data: Data) -> list[str]:
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        data.setup("fit")
    said = [str(one.message) for one in found if ".csv" in str(one.message) or ".txt" in str(one.message)]
    return [message for message in said if "choose the checkpoint" not in message]


def table(folder: Path, tokenizer: Path, **settings: Any) -> TableDataModule:
    rows = [f"{'' if n in (3, 9) else f'글 {n}'},{n % 2}" for n in range(1, 41)]
    rows[4] = "글\0 다섯,1"
    rows[6] = f"{NFD},1"
    (folder / "own.csv").write_text("\n".join(["text,label", *rows, '" ",0', ",1"]) + "\n", encoding="utf-8")
    return TableDataModule(
        str(tokenizer), train_file="own.csv", data_dir=str(folder), cache_dir=str(folder), unknown_limit=1, **settings
    )


def tags(folder: Path, tokenizer: Path) -> TaggingDataModule:
    sentences = [f"독감{NUL * (n == 2)} {n}\tB-병 O\n" for n in range(1, 41)]
    (folder / "own.txt").write_text("".join(sentences), encoding="utf-8")
    options = {"train_file": "own.txt", "format": "lines", "data_dir": str(folder), "cache_dir": str(folder)}
    return TaggingDataModule(str(tokenizer), unknown_limit=1, **options)  # type: ignore[arg-type]


def questions(folder: Path, tokenizer: Path, max_question: int = 8) -> QuestionAnsweringDataModule:
    articles = []
    for number in range(30):
        asked = f"어디{NUL * (number in (4, 6))}?"
        question = {"id": str(number), "question": asked, "answers": [{"text": "서해", "answer_start": 5}]}
        articles.append(
            {"title": f"{number}", "paragraphs": [{"context": f"한강은 {number % 10}서해로", "qas": [question]}]}
        )
    (folder / "own.txt").write_text(json.dumps({"data": articles}), encoding="utf-8")
    options: dict[str, Any] = {"train_file": "own.txt", "data_dir": str(folder), "cache_dir": str(folder)}
    options |= {"unknown_limit": 1, "max_question": max_question}
    return QuestionAnsweringDataModule(str(tokenizer), **options)  # type: ignore[arg-type]


CASES: list[tuple[Callable[[Path, Path], Data], list[str]]] = [
    (
        table,
        [
            "own.csv: no text in 4 rows (number 3, 9, 41, ...); the model sees only special tokens",
            "own.csv: NUL characters (U+0000) in 1 row (number 5); the file may be damaged",
            "own.csv: Hangul in conjoining letters (U+1100 to U+11FF, Unicode NFD) in 1 row (number 7)",
        ],
    ),
    (tags, ["own.txt: NUL characters (U+0000) in 1 sentence (number 2); the file may be damaged"]),
    (questions, ["own.txt: NUL characters (U+0000) in 2 paragraphs (number 5, 7); the file may be damaged"]),
]


@pytest.mark.parametrize(("make", "expected"), CASES, ids=["table", "tagging", "questions"])
def test_they_are_said_once_a_file_and_by_every_run(
    make: Callable[[Path, Path], Data], expected: list[str], tmp_path: Path, tiny_tokenizer_dir: Path
) -> None:
    for _ in range(2):  # the second one finds the features encoded
        found = warned(make(tmp_path, tiny_tokenizer_dir))
        assert len(found) == len(expected)
        for message, part in zip(found, expected, strict=True):
            assert part in message


def test_inputs_that_are_cut_are_counted_once(
    tmp_path: Path, tiny_tokenizer: KoBertTokenizer, tiny_tokenizer_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    texts = {"train": [f"글 {'가' * (n % 9)}" for n in range(40)], "dev": ["가나다라마바사"] * 3 + ["글", "나"] * 5}
    for name, own in texts.items():
        lines = ["text,label", *(f"{text},{number % 2}" for number, text in enumerate(own))]
        (tmp_path / f"{name}.csv").write_text("\n".join(lines), encoding="utf-8")
    shutil.copy(tmp_path / "dev.csv", tmp_path / "test.csv")
    files = {"train_file": "train.csv", "dev_file": "dev.csv", "test_file": "test.csv", "unknown_limit": 1}
    given = {**files, "data_dir": str(tmp_path), "cache_dir": str(tmp_path / "cache")}
    cut = {name: sum(len(tiny_tokenizer.tokenize(text)) > 4 for text in own) for name, own in texts.items()}
    assert 0 < cut["train"] < 40
    data = TableDataModule(str(tiny_tokenizer_dir), max_length=6, **given)  # type: ignore[arg-type]
    for stage in ("fit", "validate", "fit"):
        data.setup(stage)
    said = [message for message in caplog.messages if "are cut" in message]
    assert said == [
        f"note: {cut['train']} of 40 train, {cut['dev']} of 13 dev inputs are longer than data.max_length=6 tokens and "
        "are cut; a larger data.max_length keeps more, and needs more memory"
    ]
    data.setup("test")
    assert f"note: {cut['dev']} of 13 test inputs are longer" in caplog.text
    caplog.clear()
    TableDataModule(str(tiny_tokenizer_dir), max_length=30, **given).setup("fit")  # type: ignore[arg-type]
    assert "are cut" not in caplog.text


def test_questions_that_are_cut_are_counted(
    tmp_path: Path, tiny_tokenizer_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    questions(tmp_path, tiny_tokenizer_dir).setup("fit")
    assert "are cut" not in caplog.text
    data = questions(tmp_path, tiny_tokenizer_dir, max_question=1)
    data.setup("fit")
    counts = [data.facts[f"data/{part}_examples"] for part in ("train", "dev")]
    said = f"{counts[0]} of {counts[0]} train, {counts[1]} of {counts[1]} dev questions are longer than"
    assert f"note: {said} data.max_question=1 pieces and are cut; a larger data.max_question keeps" in caplog.text


def test_nothing_odd_says_nothing(tmp_path: Path, tiny_tokenizer_dir: Path) -> None:
    odd = OddTexts("row")
    rows = ["글", "가 나", "ㅋㅋ abc"]
    assert list(odd.seen(rows, lambda text: (text,))) == rows
    assert (odd.notes(), odd.table()) == ([], {})
    odd.add(4, "글", " ")
    assert odd.notes() == [
        "no text in 1 row (number 4); the model sees only special tokens. Remove them if this is not intended"
    ]
    assert has_jamo(NFD)


def test_a_missing_text_is_not_the_word_none(tmp_path: Path, tiny_tokenizer_dir: Path) -> None:
    for name, texts in (
        ("train", ["None", *(f"글 {number}" for number in range(40))]),
        ("test", [None, "글 1", "", "새 글"]),
    ):
        rows = [{"글": text, "라벨": number % 2} for number, text in enumerate(texts)]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    data = TableDataModule(
        str(tiny_tokenizer_dir), "글", "라벨", "train.jsonl", test_file="test.jsonl", data_dir=str(tmp_path),
        deduplicate=True, cache_dir=str(tmp_path / "cache"), unknown_limit=1,
    )  # fmt: skip
    assert data.texts_of(tmp_path / "test.jsonl") == {"글 1", "새 글"}
    data.setup("fit")
    assert data.facts["data/train_file_also_in_test"] == 1
