"""CoNLL files without tabs, with and without tags, and plain text in their place."""

from pathlib import Path
from typing import Any

import pytest

from distilkobert.tasks.files.tagged import TagFiles
from tests.distilkobert.tasks.files.test_tables import written

Read = list[tuple[tuple[str, ...], tuple[str, ...]]]


def read(folder: Path, content: str, units: Any = "words", labelled: bool = False, **settings: Any) -> Read:
    files = TagFiles(settings.pop("format", "conll"), units, **settings)
    return [(one.units, one.tags) for one in files.read(written(folder, content, "file.txt"), labelled)]


TAGGED: Read = [(("서울에", "갔다"), ("B-LC", "O")), (("나는",), ("O",))]


@pytest.mark.parametrize(
    ("content", "settings"),
    [
        ("서울에 B-LC\n갔다 O\n\n나는 O\n", {}),
        ("# 설명 하나\n서울에 B-LC\n갔다 O\n\n# sent_id = S-1\n나는 O\n\n", {}),
        ("서울에 NNP B-LC\n갔다 VV O\n\n나는 NP O\n", {}),
        ("1 서울에 B-LC 0\n2 갔다 O 1\n\n1 나는 O 0\n", {"word_column": 1, "tag_column": 2}),
        ("서울에\tB-LC\n갔다\tO\n\n나는\tO\n", {}),
    ],
)
def test_tags_are_not_words_where_a_file_is_read_to_predict(
    tmp_path: Path, content: str, settings: dict[str, int]
) -> None:
    assert read(tmp_path, content, **settings) == read(tmp_path, content, labelled=True, **settings) == TAGGED


def test_one_word_or_character_per_line_is_conll_without_tags(tmp_path: Path) -> None:
    words = [(("서울에", "갔다"), ()), (("나는",), ())]
    assert read(tmp_path, "서울에\n갔다\n\n나는\n") == words
    assert read(tmp_path, "# 설명\n서울에 \n갔다\n \n# 설명\n나는\n\n") == words
    assert read(tmp_path, "나는\n") == words[1:]
    characters = [(("나", "는", " ", "#"), ()), (("가",), ())]
    assert read(tmp_path, "나\n는\n \n#\n\n가\n", "characters") == characters
    with pytest.raises(ValueError, match=r"file\.txt, line 1201: found '나는 가'; expected one of the words, as in"):
        read(tmp_path, "나는\n\n" * 600 + "나는 가\n")


@pytest.mark.parametrize(
    "lines",
    [
        ["독감 환자", "서울  병원에"],
        ["제 혈액형은 O", "서울 병원에 갔다.", "끝"],
        ["# 제목", "서울 병원에 갔다."],
        ["연락은 E-mail", "서울에 갔다."],
    ],
)
def test_plain_text_is_read_line_by_line(tmp_path: Path, lines: list[str]) -> None:
    content = "".join(f"{line}\n" for line in lines)
    for settings in ({}, {"format": "lines"}):
        assert read(tmp_path, content, **settings) == [(tuple(line.split()), ()) for line in lines]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "서울에 B-LC\n갔다\n\n나는 O\n",
            "line 1: '서울에 B-LC' may be a word and its tag, or a sentence; expected a tab",
        ),
        ("혈액형은 O\n", "line 1: '혈액형은 O' may be a word and its tag"),
        ("제 혈액형은 O\n혈액형은 O\n", "line 1: '제 혈액형은 O' may be"),
        ("# 설명\n나는\n갔다\n", "line 2: every line is one word and none is blank, .*put a blank line behind each"),
    ],
)
def test_what_may_be_conll_or_plain_text_is_refused(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(ValueError, match=rf"file\.txt, {message}"):
        read(tmp_path, content)


def test_a_first_word_that_is_a_hash_sign_is_no_comment(tmp_path: Path) -> None:
    content = "-DOCSTART- O\n\n# 설명 하나\n# O\n서울 B-LC\n\n## sentence-1\t서울\n# B-LC\n# O\n"
    expected = [(("#", "서울"), ("O", "B-LC")), (("#", "#"), ("B-LC", "O"))]
    for labelled in (True, False):
        assert read(tmp_path, content.replace("## sentence-1\t서울\n", ""), labelled=labelled) == expected
    assert read(tmp_path, content, labelled=True) == expected
    assert read(tmp_path, "# sent_id = S-1\n# S-1\n가 NNP O\n", labelled=True) == [(("가",), ("O",))]
