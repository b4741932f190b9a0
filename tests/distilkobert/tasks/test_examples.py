"""From model outputs back to tags and answers: worked by hand, and against slow second versions."""

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distilkobert import KoBertTokenizer
from distilkobert.tasks.examples import CharacterExample, QuestionWindows, WordExample, reference_offsets
from distilkobert.tasks.files.korquad import read_korquad
from distilkobert.tasks.input_settings import InputSettings
from distilkobert.tasks.questions.answering import AnsweringCodec
from distilkobert.tasks.questions.reference_decoding import read_context
from distilkobert.tasks.questions.windows import WindowSettings, build_windows, window_label

CONTEXT = "서울은 한국의 수도이다. 부산은  큰 항구 도시이고 서울에서 KTX로 간다."


def test_words_are_read_at_their_first_pieces() -> None:
    example = WordExample(("김민수는", "오늘", "간다"), ("PER-B", "O", "O"), first_pieces=(0, 3), pieces=5)
    tags = ["x", "PER-B", "y", "y", "TIM-B", "y", "x"]
    assert example.predicted_tags(tags) == ["PER-B", "TIM-B", "O"]
    assert example.kept == 2
    assert WordExample(example.words, (), (0, 3), 5, start=2).predicted_tags(["x", *tags]) == ["PER-B", "TIM-B", "O"]
    with pytest.raises(ValueError, match="5 tags for an input of 5 pieces behind 1 special"):
        example.predicted_tags(tags[:-2])


def test_characters_take_the_tag_of_their_piece() -> None:
    offsets = ((0, 0), (0, 2), (2, 3), (4, 5))
    example = CharacterExample(tuple("서울에 또 가"), ("B-LC", "I-LC", "O", "O", "O", "O", "O"), offsets, cut=True)
    assert example.predicted_tags(["x", "B-PS", "B-LC", "O", "B-DT", "x"]) == (
        ["B-LC", "I-LC", "O", "O", "B-DT", "O", "O"]
    )
    assert example.kept == 5
    assert CharacterExample(example.words, example.tags, offsets, cut=False).kept == 7
    assert CharacterExample(example.words, example.tags, (), cut=True).kept == 0


@given(st.data())
@settings(max_examples=50, deadline=None)
def test_true_tags_of_words_survive(data: Any) -> None:
    sizes = data.draw(st.lists(st.integers(1, 3), min_size=1, max_size=8))
    tags = tuple(
        data.draw(st.lists(st.sampled_from(["O", "PER-B", "PER-I"]), min_size=len(sizes), max_size=len(sizes)))
    )
    limit = data.draw(st.integers(1, sum(sizes)))
    pieces = [(word, part) for word, size in enumerate(sizes) for part in range(size)][:limit]
    places = tuple(place for place, (_, part) in enumerate(pieces) if part == 0)
    example = WordExample(tuple("가" for _ in sizes), tags, places, len(pieces))
    read = example.predicted_tags(["-", *(tags[word] if part == 0 else "-" for word, part in pieces), "-"])
    assert read == [*tags[: example.kept], *["O"] * (len(sizes) - example.kept)]
    assert example.kept == len({word for word, _ in pieces})


def question(
    tokenizer: KoBertTokenizer, settings: WindowSettings, particles: Any = "none", reference_decoding: bool = False
) -> QuestionWindows:
    asked = tokenizer.encode_batch(["어디로 가나?"])[0].tolist()
    reference_context = read_context(CONTEXT, tokenizer.tokenize) if reference_decoding else None
    if reference_context is None:
        ids, spans = tokenizer.encode_with_offsets(CONTEXT)
    else:
        ids, spans = (
            tokenizer.convert_tokens_to_ids(reference_context.pieces),
            list(reference_offsets(reference_context)),
        )
    windows = build_windows(asked, ids, settings, tokenizer.frame)
    return QuestionWindows(
        "q", 0, CONTEXT, ("서울",), range(len(windows)), tuple(windows), tuple(spans), particles, reference_context
    )


def sure_of(example: QuestionWindows, pieces: tuple[int, int]) -> tuple[list[Any], list[Any]]:
    """Scores, padded, of a model that is sure of the context pieces `pieces` in every window that holds them."""
    rows = [[np.zeros(len(window.input_ids) + 4) for window in example.windows] for _ in range(2)]
    for number, window in enumerate(example.windows):
        for row, place in zip(rows, window_label(window, pieces), strict=True):
            row[number][place] = 9.0
            row[number][len(window.input_ids) :] = 99.0  # padding must not be read
    return rows[0], rows[1]


@pytest.mark.parametrize("max_length", [20, 200])
def test_answers_are_slices_of_the_context(tiny_tokenizer: KoBertTokenizer, max_length: int) -> None:
    example = question(tiny_tokenizer, WindowSettings(max_length, stride=3, max_question=8))
    assert (len(example.windows) > 1) == (max_length == 20)
    pieces = [number for number, (start, end) in enumerate(example.offsets) if start < end]
    for first in pieces[::3]:
        answers = example.answer(*sure_of(example, (first, first)))
        best = answers[0]
        assert (best.start, best.end) == example.offsets[first]
        assert all(answer.text == CONTEXT[answer.start : answer.end] for answer in answers)
        assert len(answers) <= 20
        assert sum(answer.probability for answer in answers) == pytest.approx(1.0)
    assert pickle.loads(pickle.dumps(example)) == example  # noqa: S301 - made above


def test_a_particle_is_stripped_from_the_given_answer_only(tiny_tokenizer: KoBertTokenizer) -> None:
    wide = WindowSettings(200, stride=3, max_question=8)
    start = CONTEXT.rindex("서울에서")
    for particles, given_text in (("strip", "서울"), ("none", "서울에서"), ("split", "서울에서")):
        example = question(tiny_tokenizer, wide, particles)
        inside = [n for n, (a, b) in enumerate(example.offsets) if a < start + 4 and b > start]
        best = example.answer(*sure_of(example, (inside[0], inside[-1])))[0]
        assert best.text == "서울에서"
        answer = example.given(best)
        assert answer.text == given_text == CONTEXT[answer.start : answer.end]
        assert (answer.score, answer.probability) == (best.score, best.probability)


def test_the_original_way_reads_words_and_places_them(tiny_tokenizer: KoBertTokenizer) -> None:
    example = question(tiny_tokenizer, WindowSettings(200, stride=3, max_question=8), reference_decoding=True)
    assert example.reference_context is not None
    words = example.reference_context.piece_words
    for word, text in ((3, "부산은"), (4, "큰")):
        inside = [number for number, owner in enumerate(words) if owner == word]
        best = example.answer(*sure_of(example, (inside[0], inside[-1])))[0]
        assert best.text == text == CONTEXT[best.start : best.end]


@pytest.mark.parametrize("reference_decoding", [False, True])
def test_repeated_answers_are_kept_apart(
    tiny_tokenizer: KoBertTokenizer, tmp_path: Path, reference_decoding: bool
) -> None:
    starts = [CONTEXT.index("서울"), CONTEXT.rindex("서울")]
    asked = [
        {"id": str(start), "question": "어디?", "answers": [{"text": "서울", "answer_start": start}]}
        for start in starts
    ]
    content = {"data": [{"title": "서울", "paragraphs": [{"context": CONTEXT, "qas": asked}]}]}
    (tmp_path / "file.json").write_text(json.dumps(content), encoding="utf-8")
    paragraphs = read_korquad(tmp_path / "file.json")
    codec = AnsweringCodec(tiny_tokenizer, InputSettings(reference_decoding=reference_decoding))
    _, questions = codec.encode(paragraphs)
    firsts = [question["first"] for question in questions]
    if reference_decoding:
        owners = read_context(CONTEXT, tiny_tokenizer.tokenize).piece_words
        assert [owners[place] for place in firsts] == [0, 7]
    else:
        spans = tiny_tokenizer.encode_with_offsets(CONTEXT)[1]
        for place, start in zip(firsts, starts, strict=True):
            assert spans[place][0] <= start < spans[place][1]
    assert [question["context"] for question in questions] == [0, 0]


def test_texts_without_a_piece_are_named(tiny_tokenizer: KoBertTokenizer, tmp_path: Path) -> None:
    mark = "\u0301"
    for context, asked, name in (
        (mark, "어디?", "the context has no piece"),
        ("서울", mark, "question 'q': the question"),
    ):
        answers = [{"text": context[0], "answer_start": 0}]
        qas = [{"id": "q", "question": asked, "answers": answers}]
        content = {"data": [{"title": "서울", "paragraphs": [{"context": context, "qas": qas}]}]}
        (tmp_path / "file.json").write_text(json.dumps(content), encoding="utf-8")
        with pytest.raises(ValueError, match=rf"file\.json, line 1, article 1 \('서울'\), paragraph 1.*{name}"):
            AnsweringCodec(tiny_tokenizer, InputSettings()).encode(read_korquad(tmp_path / "file.json"))
