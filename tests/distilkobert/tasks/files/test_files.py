"""Readers of the task files: what they give, and one clear error with file and line for everything that is wrong."""

import gzip
import json
import lzma
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from distilkobert.synthetic.tasks import write_nsmc
from distilkobert.tasks.files.common import NSMC_TRAIN, find_file, missing_files
from distilkobert.tasks.files.korquad import read_korquad
from distilkobert.tasks.files.ner import read_klue_ner, read_naver_ner
from distilkobert.tasks.files.nsmc import read_nsmc
from distilkobert.tasks.files.text_examples import TextExample
from distilkobert.tasks.tags.labels import KLUE_NER_LABELS, NAVER_NER_LABELS
from tests.support.tasks.synthetic import write_klue_ner, write_korquad, write_naver_ner

NSMC = "id\tdocument\tlabel\n"
KLUE = "## 예시\n## sentence-1\t<서울:LC>에\n서\tB-LC\n울\tI-LC\n에\tO\n\n"
Reader = Callable[[Path], Iterator[Any]]


def written(folder: Path, content: str | bytes, name: str = "file.txt") -> Path:
    path = folder / name
    path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    return path


def korquad(context: str = "서울은 한국의 수도이다.", **changes: Any) -> dict[str, Any]:
    question = {"id": "q-1", "question": "수도는?", "answers": [{"text": "서울", "answer_start": 0}]} | changes
    paragraph = {"context": context, "qas": [question]}
    return {"version": "KorQuAD_v1.0_dev", "data": [{"title": "서울", "paragraphs": [paragraph]}]}


def test_nsmc_keeps_quotes_empty_documents_emoji_and_jamo(tmp_path: Path) -> None:
    path = written(tmp_path, NSMC + '1\t""좋다"" "정말\t1\n2\t\t0\n3\tㅋㅋㅠㅠ 👍🏽 ᄒᆞᆫ글\t1\n4\t줄\u2028안 \t0\n')
    assert list(read_nsmc(path)) == [
        TextExample("1", '""좋다"" "정말', None, 1),
        TextExample("2", "", None, 0),
        TextExample("3", "ㅋㅋㅠㅠ 👍🏽 ᄒᆞᆫ글", None, 1),
        TextExample("4", "줄\u2028안 ", None, 0),
    ]


@pytest.mark.parametrize("pack", [None, gzip.compress, lzma.compress])
def test_byte_order_mark_windows_and_mixed_line_ends_and_compression(tmp_path: Path, pack: Any) -> None:
    content = b"\xef\xbb\xbfid\tdocument\tlabel\r\n1\t" + "첫".encode() + b"\t1\n2\t" + "둘".encode() + b"\t0\r\n"
    suffix = {None: "", gzip.compress: ".gz", lzma.compress: ".xz"}[pack]
    path = written(tmp_path, pack(content) if pack else content, f"file.txt{suffix}")
    assert list(read_nsmc(path)) == [TextExample("1", "첫", None, 1), TextExample("2", "둘", None, 0)]


def test_both_naver_formats_give_the_same_sentences(tmp_path: Path) -> None:
    lines = written(tmp_path, "김민수는 오늘 10시 갔다 .\tPER-B O TIM-B O O\n아 ㅠㅠ 👍\tO O O\n", "train.tsv")
    words = "1\t김민수는\tPER_B\n2\t오늘\t-\n3\t10시\tTIM_B\n4\t갔다\t-\n5\t.\t-\n\n1\t아\t-\n2\tㅠㅠ\t-\n3\t👍\t-\n"
    challenge = written(tmp_path, words, "train_data")
    expected = list(read_naver_ner(lines))
    assert [(sentence.units, sentence.tags) for sentence in expected] == [
        (("김민수는", "오늘", "10시", "갔다", "."), ("PER-B", "O", "TIM-B", "O", "O")),
        (("아", "ㅠㅠ", "👍"), ("O", "O", "O")),
    ]
    assert list(read_naver_ner(challenge)) == expected


def test_a_dash_in_a_sentence_a_line_is_no_entity_either(tmp_path: Path) -> None:
    mixed = written(tmp_path, "김민수는 오늘 10시 갔다\tPER_B - TIM-B O\n- _\t- O\n")
    assert [(sentence.units, sentence.tags) for sentence in read_naver_ner(mixed)] == [
        (("김민수는", "오늘", "10시", "갔다"), ("PER-B", "O", "TIM-B", "O")),
        (("-", "_"), ("O", "O")),
    ]


def test_klue_characters_with_and_without_a_blank_line_at_the_end(tmp_path: Path) -> None:
    for content in (KLUE, KLUE.rstrip("\n"), KLUE + "\n\n"):
        (sentence,) = read_klue_ner(written(tmp_path, content))
        assert sentence == ("sentence-1", ("서", "울", "에"), ("B-LC", "I-LC", "O"))


def test_korquad_with_several_answers_and_the_same_text_twice(tmp_path: Path) -> None:
    answers = [{"text": "서울", "answer_start": 8}, {"text": "서울", "answer_start": 0}]
    path = written(tmp_path, json.dumps(korquad("서울 그리고 👍서울", answers=answers)))
    (paragraph,) = read_korquad(path)
    assert [answer.start for answer in paragraph.questions[0].answers] == [8, 0]


WRONG_LINES: list[tuple[Reader, str | bytes, int, str]] = [
    (read_nsmc, NSMC + "1\t좋다\t1\n2\t나쁘다\n", 3, "2 fields, but the header has 3"),
    (read_nsmc, NSMC + "1\t좋다\t정말\t1\n", 2, "4 fields, but the header has 3"),
    (read_nsmc, NSMC + "1\t좋다\t2\n", 2, "unknown label '2'; the labels are 0, 1"),
    (read_nsmc, NSMC + "\t좋다\t1\n", 2, "no id"),
    (
        read_nsmc,
        "1\t좋다\t1\n",
        1,
        "no column 'document'; the columns are '1', '좋다', '1'. .* id<TAB>document<TAB>label",
    ),
    (read_nsmc, NSMC + "1\t좋다\t1\r2\t나쁘다\t0\n", 2, "carriage return inside the line"),
    (read_nsmc, NSMC.encode() + "1\t좋다\t1\n".encode("cp949"), 2, "not UTF-8 .* iconv -f CP949"),
    (read_naver_ner, "김민수는 갔다\tPER-B O\n그는 갔다\tO\n", 2, "2 words and 1 tags"),
    (read_naver_ner, "김민수는 갔다\tPER-B O\n\t\n", 2, "0 words and 0 tags"),
    (read_naver_ner, "김민수는 갔다\tPER-B O\n그는\tO\tO\n", 2, "3 columns"),
    (read_naver_ner, "김민수는 갔다\tPER-B X-B\n", 1, "unknown tag 'X-B' \\(word 2\\); expected one of UNK, O, PER-B"),
    (read_naver_ner, "김민수는 갔다\tPER-B --\n", 1, "unknown tag '--' \\(word 2\\).* \\(or - for O\\)"),
    (read_naver_ner, "김민수는 갔다\tB-PER O\n", 1, "unknown tag 'B-PER'"),
    (read_naver_ner, "1\t김민수는\tPER_B\n2\t갔다\tPER_X\n", 2, "unknown tag 'PER_X'"),
    (read_naver_ner, "1\t김민수는\tPER_B\n3\t갔다\t-\n", 2, "word number '3'; expected 2"),
    (read_naver_ner, "1\t김민수는\tPER_B\n2\t갔다\n", 2, "2 columns"),
    (read_naver_ner, "김민수는 갔다\n", 1, "expected Naver NER"),
    (read_naver_ner, "김민수는 갔다\tPER-B O\n".encode("cp949"), 1, "not UTF-8"),
    (read_klue_ner, KLUE.replace("I-LC", "I-XX"), 4, "unknown tag 'I-XX'; expected one of B-PS"),
    (read_klue_ner, KLUE.replace("울\tI-LC", "울이\tI-LC"), 4, "expected one character"),
    (read_klue_ner, KLUE.replace("울\tI-LC", "울"), 4, "expected one character"),
    (read_klue_ner, KLUE.replace("## sentence-1\t<서울:LC>에\n", ""), 2, "a sentence without an id"),
    (read_klue_ner, KLUE.rstrip("\n") + "\n## next\t하나\n", 6, "a comment inside a sentence"),
    (read_klue_ner, "## 예시\n", 1, "no sentence before it"),
    (read_korquad, '{"data": [\n1,]', 2, "column 3: not JSON"),
    (read_korquad, json.dumps(korquad(), ensure_ascii=False).encode("cp949"), 1, "not UTF-8"),
]


@pytest.mark.parametrize(("reader", "content", "line", "message"), WRONG_LINES)
def test_wrong_lines_are_named(tmp_path: Path, reader: Reader, content: str | bytes, line: int, message: str) -> None:
    path = written(tmp_path, content)
    with pytest.raises(ValueError, match=f"file.txt, line {line}[,:].*({message})"):
        list(reader(path))


WRONG_JSON: list[tuple[Any, str]] = [
    ([], "found a list; expected an object with 'data'"),
    ({"a": 1}, "found an object with a; expected an object with 'data'"),
    ({"data": []}, "no question in it"),
    ({"data": {}}, "'data' is an object; expected a list"),
    ({"data": [{"title": "서울"}]}, r"article 1 \('서울'\): found an object with title; .*'paragraphs'"),
    ({"data": [{"title": "서울", "paragraphs": [{"qas": []}]}]}, r"article 1 \('서울'\), paragraph 1: .*'context'"),
    (korquad(answers=[]), "question 'q-1': no answer"),
    (
        korquad(answers=[{"text": "서울", "answer_start": 1}]),
        "question 'q-1': answer_start is 1, .* has '울은'; expected",
    ),
    (korquad(answers=[{"text": "서울", "answer_start": -9}]), "answer_start is -9"),
    (korquad(answers=[{"text": "서울", "answer_start": 99}]), "answer_start is 99, where the context has ''"),
    (korquad(answers=[{"text": "서울", "answer_start": "0"}]), "'answer_start' is a string; expected a whole number"),
    (korquad(answers=[{"text": "", "answer_start": 0}]), "'text' is blank"),
    (korquad(answers=[{"text": "서울", "answer_start": True}]), "'answer_start' is True"),
    (korquad(question=" "), "question 'q-1': 'question' is blank"),
    (korquad(question="\ud83d"), "a lone surrogate"),
    (korquad(context="\u3000"), r"article 1 \('서울'\), paragraph 1: 'context' is blank"),
    (korquad(id=[7]), "'id' is a list; expected a string"),
    (korquad(is_impossible="no"), "'is_impossible' is 'no'; expected true or false"),
    (korquad(is_impossible=True), "is_impossible is true, but there is the answer '서울'; correct one of the two"),
    ({"data": korquad()["data"] * 2}, "the question id 'q-1' occurs twice, before in article 1, paragraph 1"),
]


@pytest.mark.parametrize(("content", "message"), WRONG_JSON)
def test_json_that_is_not_korquad_is_named(tmp_path: Path, content: Any, message: str) -> None:
    path = written(tmp_path, json.dumps(content))
    with pytest.raises(ValueError, match=f"file.txt.*{message}"):
        list(read_korquad(path))


def test_only_a_first_line_says_whose_file_it_looks_like(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"line 3: 2 fields, but the header has 3 \(id, document, label\)"):
        list(read_nsmc(written(tmp_path, NSMC + "1\t좋다\t1\n2\t나쁘다\n")))
    with pytest.raises(ValueError, match=r"line 1: .*begins like KLUE-NER: take its data module$"):
        list(read_nsmc(written(tmp_path, KLUE)))


READERS = {
    "NSMC": read_nsmc,
    "Naver NER": read_naver_ner,
    "KLUE-NER": read_klue_ner,
    "KorQuAD": read_korquad,
}
WRITERS = {
    "NSMC": write_nsmc,
    "Naver NER": write_naver_ner,
    "KLUE-NER": write_klue_ner,
    "KorQuAD": write_korquad,
}


@pytest.mark.parametrize("given", WRITERS)
@pytest.mark.parametrize("reader", READERS)
def test_a_file_of_another_task_is_recognised(tmp_path: Path, given: str, reader: str) -> None:
    path, _ = WRITERS[given](tmp_path, train=5, test=2)
    if given == reader:
        assert list(READERS[reader](path))
        return
    with pytest.raises(ValueError, match=rf"{path.name}, line 1[,:].*begins like {given}: take its data module"):
        list(READERS[reader](path))


@pytest.mark.parametrize("reader", READERS.values())
def test_empty_and_missing_files(tmp_path: Path, reader: Reader) -> None:
    with pytest.raises(ValueError, match="is empty"):
        list(reader(written(tmp_path, "")))
    with pytest.raises(FileNotFoundError, match=r"nothing\.txt"):
        list(reader(tmp_path / "nothing.txt"))
    with pytest.raises(ValueError, match="is empty"):
        list(reader(written(tmp_path, gzip.compress(b""), "file.txt.gz")))


def test_a_header_alone_is_cut_off(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no row in it"):
        list(read_nsmc(written(tmp_path, NSMC)))


def test_finding_files(tmp_path: Path) -> None:
    assert find_file(tmp_path, NSMC_TRAIN) is None
    packed = written(tmp_path, b"", "ratings_train.txt.zst")
    assert find_file(tmp_path, NSMC_TRAIN) == packed
    written(tmp_path, b"", "ratings_train.txt")
    with pytest.raises(ValueError, match=r"contains ratings_train\.txt and ratings_train\.txt\.zst"):
        find_file(tmp_path, NSMC_TRAIN)
    with pytest.raises(FileNotFoundError, match=r"^data\.data_dir: there is no data folder .*/nothing; .* contains"):
        find_file(tmp_path / "nothing", NSMC_TRAIN)
    with pytest.raises(FileNotFoundError, match=rf"^data\.data_dir: {packed} is a file; .*: {tmp_path}$"):
        find_file(packed, NSMC_TRAIN)


def test_missing_files_say_whose_are_there(tmp_path: Path) -> None:
    written(tmp_path, b"", "KorQuAD_v1.0_dev.json.xz")
    message = str(missing_files(tmp_path, NSMC_TRAIN, "get it"))
    assert "only KorQuAD_v1.0_dev.json.xz" in message
    assert message.endswith("get it, or take the data module of KorQuAD, whose files are there")
    (tmp_path / "half").mkdir()
    written(tmp_path / "half", b"", "ratings_test.txt")
    assert "whose files are there" not in str(missing_files(tmp_path / "half", NSMC_TRAIN, "get it"))


@pytest.mark.real_data
def test_the_real_files_are_what_they_should_be(real_data_dir: Path) -> None:
    train = list(read_nsmc(real_data_dir / "nsmc" / "ratings_train.txt.xz"))
    assert len(train) == 150_000
    assert sum(review.label for review in train) == 74_827
    assert sum(not review.text for review in train) == 5
    sentences = list(read_klue_ner(real_data_dir / "klue_ner" / "klue-ner-v1.1_dev.tsv.xz"))
    assert len(sentences) == len({sentence.id for sentence in sentences}) == 5_000
    paragraphs = list(read_korquad(real_data_dir / "korquad" / "KorQuAD_v1.0_dev.json"))
    assert len(paragraphs) == 964
    assert sum(len(paragraph.questions) for paragraph in paragraphs) == 5_774


def test_label_sets_have_the_published_sizes() -> None:
    assert (len(NAVER_NER_LABELS), len(KLUE_NER_LABELS)) == (30, 13)
