"""Files to predict may lack the labels; the texts come out as from the same file with labels."""

import json
from collections.abc import Callable, Iterator
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
import torch

from datamodules import KlueNERDataModule, KorQuADDataModule, NaverNERDataModule, NSMCDataModule
from distilkobert.tasks.files.korquad import read_korquad
from distilkobert.tasks.files.ner import read_klue_ner, read_naver_ner
from distilkobert.tasks.files.nsmc import NSMC_NAMES, read_nsmc
from distilkobert.tasks.files.tables import TableLayout
from distilkobert.tasks.files.text_examples import TextColumns, TextExample, read_unlabelled
from distilkobert.tasks.files.unlabelled import read_characters, read_words
from distilkobert.tasks.texts.targets import ClassTarget
from lightning_modules import QuestionAnswering, SequenceClassification, TokenClassification
from tests.lightning_modules.test_task_loading import configured
from tests.support.networks.tiny import tiny_teacher
from tests.support.tasks.data import WRITERS, Make, unpadded

pytest_plugins = ["tests.support.tasks.fixtures"]


def read_reviews(path: Path) -> Iterator[TextExample]:
    """As `NSMCDataModule` does."""
    target = ClassTarget("label", NSMC_NAMES)
    return read_unlabelled(path, TableLayout(".txt", "\t"), TextColumns("document", id="id"), target)


READERS: dict[type, tuple[Callable[[Path], Iterator[Any]], Callable[[Path], Iterator[Any]]]] = {
    NSMCDataModule: (read_nsmc, read_reviews),
    NaverNERDataModule: (read_naver_ner, read_words),
    KlueNERDataModule: (read_klue_ner, read_characters),
    KorQuADDataModule: (read_korquad, lambda path: read_korquad(path, answered=False)),
}


def known_file(folders: dict[type, Path], module: type) -> Path:
    (path,) = [path for name in ("*_test.txt", "test.tsv", "*_dev.*") for path in folders[module].glob(name)]
    return path


def without_labels(module: type, path: Path, column: bool = False) -> str:
    """The content of a task file, labels left out."""
    if module is KorQuADDataModule:
        content = json.loads(path.read_text(encoding="utf-8"))
        for article in content["data"]:
            for paragraph in article["paragraphs"]:
                for question in paragraph["qas"]:
                    del question["answers"]
        return json.dumps(content)
    if module is NSMCDataModule:
        rows = [line.split("\t")[:2] for line in path.read_text(encoding="utf-8").splitlines()]
        return "".join("\t".join(row) + "\n" for row in rows) if column else "".join(f"{r[1]}\n" for r in rows[1:])
    joint = " " if module is NaverNERDataModule else ""
    return "".join(joint.join(sentence.units) + "\n" for sentence in READERS[module][0](path))


TITLES = {
    NSMCDataModule: "NSMC",
    NaverNERDataModule: "Naver NER",
    KlueNERDataModule: "KLUE-NER",
    KorQuADDataModule: "KorQuAD",
}
CASES = [*((module, False) for module in WRITERS), (NSMCDataModule, True)]


@pytest.mark.parametrize(("module", "column"), CASES)
def test_predict_takes_the_file_without_labels_and_training_does_not(
    make: Make, folders: dict[type, Path], tmp_path: Path, module: type, column: bool
) -> None:
    known = known_file(folders, module)
    bare = tmp_path / "bare"
    bare.mkdir()
    for path in folders[module].iterdir():
        (bare / path.name).write_text(without_labels(module, known, column), encoding="utf-8")
    data = make(module, predict_file=str(bare / known.name))
    data.setup("predict")
    batches = list(data.predict_dataloader())
    expected = [row for batch in make(module, predict_file=str(known)).predict_dataloader() for row in unpadded(batch)]
    assert [row for batch in batches for row in unpadded(batch)] == expected
    # The table made for `predict` is in the cache by now, and must not be taken for one to train on.
    with pytest.raises(ValueError, match=r"train.*, line \d"):
        make(module, data_dir=bare).setup("fit")


@pytest.mark.parametrize("module", WRITERS)
def test_predictions_tell_no_truth_that_is_not_known(
    make: Make, folders: dict[type, Path], tmp_path: Path, module: type
) -> None:
    encoder = tiny_teacher(vocab_size=350, layers=1)
    encoder.save_pretrained(tmp_path / "encoder")
    known = known_file(folders, module)
    (tmp_path / "bare").write_text(without_labels(module, known), encoding="utf-8")
    stored = {}
    network = None
    for path in (known, tmp_path / "bare"):
        settings = {"max_question": 8, "stride": 8} if module is KorQuADDataModule else {}
        data = make(module, predict_file=str(path), max_length=32, **settings)
        source = str(tmp_path / "encoder")
        if module is NSMCDataModule:
            task: Any = SequenceClassification(source, labels=data.labels)
        elif module is KorQuADDataModule:
            task = QuestionAnswering(source)
        else:
            task = TokenClassification(source, labels=data.labels, suffix_tags=data.suffix_tags)
        network = network or configured(task).network.eval()
        task.network = network
        with torch.inference_mode():
            said = [task.predict_step(batch, number) for number, batch in enumerate(data.predict_dataloader())]
        stored[path.name] = [record for step in said for record in step["records"]]
    before, after = stored[known.name], stored["bare"]
    assert len(before) == 31
    assert {str(record.pop("gold")) for record in after} == {"None" if module is NSMCDataModule else "[]"}
    assert all(record.pop("gold") for record in before)
    assert after == before


def written(folder: Path, content: str) -> Path:
    path = folder / "file.txt"
    path.write_text(content, encoding="utf-8")
    return path


def test_plain_text_keeps_empty_lines_and_odd_words(tmp_path: Path) -> None:
    path = written(tmp_path, "재미있다\n\n [추천]  둘\n")
    assert [tuple(review) for review in read_reviews(path)] == [
        ("1", "재미있다", None, -100), ("2", "", None, -100), ("3", " [추천]  둘", None, -100),
    ]  # fmt: skip
    assert [sentence.units for sentence in read_words(path)] == [("재미있다",), (), ("[추천]", "둘")]
    assert [sentence.units for sentence in read_characters(path)][1:] == [(), tuple(" [추천]  둘")]


@pytest.mark.parametrize("first", ["[속보] 오늘", "[[공지]] 오늘", "{가} 나", "## 제목", "##제목", "[1] 오늘", "{ 가"])
@pytest.mark.parametrize("module", [NSMCDataModule, NaverNERDataModule, KlueNERDataModule])
def test_brackets_and_hash_signs_begin_plain_text_too(tmp_path: Path, first: str, module: type) -> None:
    path = written(tmp_path, f"{first}\n둘째 줄\n")
    texts = [one.text if isinstance(one, TextExample) else one.units for one in READERS[module][1](path)]
    expected = {
        NSMCDataModule: [first, "둘째 줄"],
        NaverNERDataModule: [tuple(first.split()), ("둘째", "줄")],
        KlueNERDataModule: [tuple(first), tuple("둘째 줄")],
    }
    assert texts == expected[module]


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ('{"data": []}', "KorQuAD"),
        ("{\n", "KorQuAD"),
        (' [ {"data": []}]', "KorQuAD"),
        ("[]", "KorQuAD"),
        ("## s-1\t가\n가\tO\n", "KLUE-NER"),
        ("## 예시\n## 하나\n가\tO\n", "KLUE-NER"),
    ],
)
def test_the_beginning_of_a_file_of_another_task_is_named(tmp_path: Path, content: str, named: str) -> None:
    for module in (NSMCDataModule, NaverNERDataModule):
        with pytest.raises(ValueError, match=rf"file\.txt, line 1[,:].*begins like {named}: take its data module"):
            list(READERS[module][1](written(tmp_path, content)))


@pytest.mark.parametrize("module", [NSMCDataModule, NaverNERDataModule, KlueNERDataModule])
def test_empty_sentences_go_through_the_network(make: Make, tmp_path: Path, module: type) -> None:
    data = make(module, predict_file=str(written(tmp_path, "\n.\n")))
    (batch,) = data.predict_dataloader()
    assert len(batch["input_ids"]) == 2


def test_a_question_without_answers_has_none(tmp_path: Path) -> None:
    asked = [{"id": "1", "question": "어디?"}, {"id": "2", "question": "어디?", "answers": []}]
    content = {"data": [{"title": "서울", "paragraphs": [{"context": "서울", "qas": asked}]}]}
    path = written(tmp_path, json.dumps(content))
    (paragraph,) = read_korquad(path, answered=False)
    assert [question.answers for question in paragraph.questions] == [()] * 2
    content["data"][0]["paragraphs"][0]["qas"][0]["answers"] = [{"text": "부산", "answer_start": 0}]  # type: ignore
    with pytest.raises(ValueError, match="answer_start is 0, where the context has '서울'"):
        list(read_korquad(written(tmp_path, json.dumps(content)), answered=False))


@pytest.mark.parametrize(
    ("reader", "content", "line", "message"),
    [
        (
            read_reviews,
            "재미있다\n둘\t1\n",
            2,
            "a tab in '둘\\\\t1'; expected plain text, one per line, or a table",
        ),
        (read_reviews, "id\tdocument\n1\t좋다\t1\n", 2, "3 fields, but the header has 2"),
        (read_reviews, "id\tdocument\tlabel\n1\t좋다\t3\n", 2, "unknown label '3'"),
        (read_words, "그는 갔다\n그는 갔다\tO O\n", 2, "a tab in"),
        (read_words, "그는 갔다\tO\n", 1, "2 words and 1 tags"),
        (read_characters, "## 예시\n그는\tO\n", 2, "expected one character"),
    ],
)
def test_lines_that_fit_neither_are_named(tmp_path: Path, reader: Any, content: str, line: int, message: str) -> None:
    with pytest.raises(ValueError, match=f"file.txt, line {line}: .*{message}"):
        list(reader(written(tmp_path, content)))


def test_a_header_alone_is_no_file_of_reviews(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"file\.txt: no row in it"):
        list(read_reviews(written(tmp_path, "id\tdocument\n")))


@pytest.mark.parametrize(("given", "module"), permutations(WRITERS, 2))
def test_the_file_of_another_task_is_not_taken_for_plain_text(tmp_path: Path, given: type, module: type) -> None:
    path, _ = WRITERS[given](tmp_path, train=5, test=2)
    with pytest.raises(ValueError, match=rf"{path.name}, line 1[,:].*begins like {TITLES[given]}: take its"):
        list(READERS[module][1](path))
