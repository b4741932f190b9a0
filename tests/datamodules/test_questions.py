"""Questions of one's own: layouts of SQuAD and KLUE, own file names, questions without an answer."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from datamodules import KorQuADDataModule, QuestionAnsweringDataModule
from distilkobert.tasks.files.korquad import read_korquad
from tests.distilkobert.tasks.files.test_tables import written

Build = Callable[..., QuestionAnsweringDataModule]


def article(number: int, layout: str = "klue") -> dict[str, Any]:
    context = f"제{number}회 대회는 서울에서 열렸다. 날씨가 맑았다."
    start = context.index("서울")
    known: dict[str, Any] = {"question": "어디에서 열렸나?", "answers": [{"text": "서울", "answer_start": start}]}
    nothing: dict[str, Any] = {"question": "누가 이겼나?", "answers": [], "is_impossible": True}
    if layout == "klue":
        known |= {"guid": f"k-{number}", "question_type": 1, "is_impossible": False}
        nothing |= {"guid": f"n-{number}", "question_type": 3, "plausible_answers": []}
    elif layout == "numbers":
        known, nothing = {"id": 2 * number, **known}, {"id": 2 * number + 1, **nothing}
    else:
        known, nothing = {"id": f"k{number}", **known}, {"id": f"n{number}", **nothing}
    title = {} if layout == "numbers" else {"title": f"제{number}회"}
    return {**title, "paragraphs": [{"context": context, "qas": [known, nothing]}], "source": "x"}


def file_of(folder: Path, name: str, count: int, layout: str = "klue") -> str:
    content = {"version": "own", "data": [article(number, layout) for number in range(count)]}
    return written(folder, json.dumps(content, ensure_ascii=False), name).name


@pytest.fixture
def build(tmp_path: Path, tiny_tokenizer_dir: Path) -> Build:
    def call(**settings: Any) -> QuestionAnsweringDataModule:
        given = {"data_dir": str(tmp_path), "cache_dir": str(tmp_path / "cache"), "max_length": 48, "stride": 16}
        return QuestionAnsweringDataModule(str(tiny_tokenizer_dir), max_question=12, **(given | settings))

    return call


@pytest.mark.parametrize("layout", ["klue", "numbers", "squad"])
def test_layouts_with_questions_that_have_no_answer(build: Build, tmp_path: Path, layout: str) -> None:
    data = build(train_file=file_of(tmp_path, "our_questions.json", 60, layout))
    labels = [batch["start_positions"] for batch in data.train_dataloader()]
    starts = [int(start) for part in labels for start in part]
    assert 0 < sum(start == 0 for start in starts) < len(starts), "[CLS] where there is no answer"
    assert sum(start == 0 for start in starts) == data.facts["data/train_unanswerable"] == len(starts) // 2
    assert data.facts["data/train_answers_without_piece"] == 0
    asked = [question for batch in data.val_dataloader() for question in batch["questions"]]
    assert {question.gold for question in asked} == {("서울",), ("",)}
    assert all(question.unanswerable for question in asked)
    assert data.facts["data/split"] == "one file, our_questions.json, by MD5 of the article title modulo 10: 8 dev, " \
        "9 test, others train"  # fmt: skip


def test_left_out_they_are_counted(build: Build, tmp_path: Path) -> None:
    names = {part: file_of(tmp_path, f"{part}.json", 20) for part in ("train", "dev", "test")}
    data = build(**{f"{part}_file": name for part, name in names.items()}, unanswerable="leave_out")
    for part, loader in (("dev", data.val_dataloader()), ("test", data.test_dataloader())):
        asked = [question for batch in loader for question in batch["questions"]]
        assert {question.gold for question in asked} == {("서울",)}
        assert (
            len(asked) == data.facts[f"data/{part}_examples"] == data.facts[f"data/{part}_unanswerable_left_out"] == 20
        )
        assert not any(question.unanswerable for question in asked)
    data.train_dataloader()
    assert data.facts["data/train_unanswerable_left_out"] == 20


def test_korquad_leaves_them_out_and_still_refuses_a_question_without_a_word_on_it(
    tmp_path: Path, tiny_tokenizer_dir: Path
) -> None:
    file_of(tmp_path, "KorQuAD_v1.0_train.json", 60, "squad")
    settings: dict[str, Any] = {
        "max_length": 48,
        "stride": 16,
        "max_question": 12,
        "cache_dir": str(tmp_path / "cache"),
    }
    data = KorQuADDataModule(str(tmp_path), str(tiny_tokenizer_dir), **settings)
    data.setup("fit")
    assert data.facts["data/train_unanswerable_left_out"] == data.facts["data/train_examples"]
    item = article(1, "squad")
    del item["paragraphs"][0]["qas"][1]["is_impossible"]
    path = written(tmp_path, json.dumps({"data": [item]}), "x.json")
    with pytest.raises(ValueError, match="question 'n1': no answer; expected at least one, or is_impossible: true"):
        list(read_korquad(path))


def test_a_file_where_nothing_has_an_answer(build: Build, tmp_path: Path) -> None:
    item = article(1)
    item["paragraphs"][0]["qas"] = item["paragraphs"][0]["qas"][1:]
    name = written(tmp_path, json.dumps({"data": [item]}), "dev.json").name
    data = build(train_file=file_of(tmp_path, "train.json", 20), dev_file=name, unanswerable="leave_out")
    with pytest.raises(ValueError, match=r"dev\.json \(dev\): no question has an answer; set unanswerable: train"):
        data.setup("fit")
