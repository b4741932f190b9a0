"""Answers to questions from an exported folder: hand-set models without layers, whose answers can be worked out."""

from pathlib import Path

import pytest
from transformers import DistilBertForQuestionAnswering

from distilkobert import KoBertTokenizer
from distilkobert.tasks.input_settings import InputSettings, stored
from tests.integration.predict.hand_set import Ask, ask, config, folder_of, set_by_token
from tests.world import World

__all__ = ["ask"]


@pytest.mark.parametrize("padding", ["", "다른 문장이 앞에 있다. " * 12])
def test_answers_are_cut_from_the_context(padding: str, world: World, tmp_path: Path, ask: Ask) -> None:
    tokenizer = KoBertTokenizer.from_pretrained(world.tokenizer)
    context = f"{padding}1987년 {padding}"
    ids, offsets = tokenizer.encode_with_offsets(context)
    begin = len(padding)
    inside = [
        place for place, (start, end) in enumerate(offsets) if start >= begin and end <= begin + 5 and end > start
    ]
    model = DistilBertForQuestionAnswering(config(["LABEL_0", "LABEL_1"]))
    set_by_token(model, "qa_outputs", {ids[inside[0]]: 0, ids[inside[-1]]: 1}, other=2)
    folder = folder_of(model, world.tokenizer, tmp_path / "answers")
    answer, place, probability = ask(folder, f"언제인가?\t{context}")[0].split("\t")
    start, end = (int(number) for number in place.split("-"))
    assert (answer, start) == (context[offsets[inside[0]][0] : offsets[inside[-1]][1]], offsets[inside[0]][0])
    assert context[start:end] == answer
    assert 0 < float(probability) <= 1


def test_answers_come_from_windows_of_the_training(world: World, tmp_path: Path, ask: Ask) -> None:
    """A start and an end that only a window of more than the training's length holds together make no answer."""
    tokenizer = KoBertTokenizer.from_pretrained(world.tokenizer)
    context = "1987년 " + "다른 글이 온다. " * 2 + "서울"
    ids, offsets = tokenizer.encode_with_offsets(context)
    once = [place for place, (start, end) in enumerate(offsets) if ids.count(ids[place]) == 1 and start < end]
    first, last = once[0], once[-1]
    assert 17 < last - first < 30, "too far apart for windows of 24 tokens, and no more than an answer may have"
    model = DistilBertForQuestionAnswering(config(["LABEL_0", "LABEL_1"]))
    set_by_token(model, "qa_outputs", {ids[first]: 0, ids[last]: 1}, other=2)
    spans = {}
    for length in (24, 64):
        model.config.update(stored(InputSettings(length, pair=True, stride=4, max_question=4)))
        folder = folder_of(model, world.tokenizer, tmp_path / str(length))
        spans[length] = ask(folder, f"언제인가?\t{context}")[0].split("\t")[1]
    assert spans[64] == f"{offsets[first][0]}-{offsets[last][1]}"
    assert spans[24] != spans[64]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("질문만 있다", "line 1: found 0 tabs; expected question<TAB>context"),
        ("질문\t글\t또", "line 1: found 2 tabs"),
        ("질문\t ", "line 1: the context has no piece"),
    ],
)
def test_a_line_that_is_no_question_is_named(line: str, message: str, world: World, tmp_path: Path, ask: Ask) -> None:
    folder = folder_of(DistilBertForQuestionAnswering(config(["a", "b"])), world.tokenizer, tmp_path / "qa")
    with pytest.raises(ValueError, match=message):
        ask(folder, line)
