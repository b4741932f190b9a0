"""The benchmark of question windows: both ways make the same windows, with the answer at the same pieces."""

import json
from pathlib import Path

import pytest

from distilkobert.tasks.files.korquad import Question, read_korquad
from distilkobert.tasks.input_settings import InputSettings
from distilkobert.tasks.questions.answering import AnsweringCodec
from distilkobert.tokenizers.loading import load_tokenizer
from experiments.bench.__main__ import main
from experiments.bench.inputs.qa_features import LENGTH, QUESTION, STRIDE, Asked, naive_inputs, naive_windows
from tests.support.tokenizers.sentences import SENTENCES
from tests.world import read_json


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    """A context of many windows and a short one; short and long questions, one of them without an answer."""
    contexts = [" ".join(SENTENCES * 10), SENTENCES[0]]
    paragraphs = []
    for number, context in enumerate(contexts):
        words = context.split()
        asked = [(words[0], 0), (words[-1], context.rindex(words[-1])), (words[len(words) // 2], None), ("", None)]
        qas = []
        for count, (answer, start) in enumerate(asked):
            start = context.find(answer, len(context) // 2) if start is None else start
            answers = [{"text": answer, "answer_start": start}] if answer and start >= 0 else []
            text = " ".join(SENTENCES) if count % 2 else f"{words[0]} 누구?"
            qas.append({"id": f"{number}-{count}", "question": text, "answers": answers, "is_impossible": not answers})
        paragraphs.append({"context": context, "qas": qas})
    path = tmp_path / "questions.json"
    path.write_text(json.dumps({"version": "v2.0", "data": [{"title": "t", "paragraphs": paragraphs}]}), "utf-8")
    return path


def test_both_ways_make_the_same_windows(questions: Path, tiny_tokenizer_dir: Path) -> None:
    paragraphs, encoder = list(read_korquad(questions)), load_tokenizer(str(tiny_tokenizer_dir))
    codec = AnsweringCodec(encoder, InputSettings(max_length=LENGTH, stride=STRIDE, max_question=QUESTION))
    fast = encoder.to_transformers(model_max_length=LENGTH, segment_ids=True)
    contexts, rows = codec.encode(paragraphs)
    counts, held = [], 0
    for row, asked in zip(rows, naive_inputs(fast, paragraphs, encoder.frame.special_count(2)), strict=True):
        given = {**row, "context": contexts[row["context"]]}
        windows = codec.build(given)
        labels = codec.window_batch([(given, window) for window in windows])
        found = naive_windows(fast, asked)
        assert [last for _, last in found] == labels["end_positions"].tolist(), row["id"]
        starts = labels["start_positions"].tolist()  # ours leave out a piece that is a space alone
        assert all(ours - first in (0, 1) for (first, _), ours in zip(found, starts, strict=True)), row["id"]
        made = fast(
            asked.question, asked.context, truncation="only_second", max_length=LENGTH, stride=asked.overlap,
            return_overflowing_tokens=True,
        )  # fmt: skip
        assert [list(window.input_ids) for window in windows] == made["input_ids"]
        counts.append(len(found))
        held += any(label != (0, 0) for label in found)
    assert max(len(row["ids"]) for row in rows) > QUESTION
    assert min(counts) == 1 < 3 < max(counts)
    assert held == sum(row["first"] >= 0 for row in rows) < len(rows)
    silent = paragraphs[0]._replace(questions=(Question("q", "\u200b", ()),))  # no pieces
    assert [one.question for one in naive_inputs(fast, [silent], encoder.frame.special_count(2))] == [""]


def test_the_command_counts_questions_without_an_answer(
    questions: Path, tiny_tokenizer_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = [f"--input={questions}", f"--tokenizer={tiny_tokenizer_dir}", "--rounds=1"]
    assert main(["qa_features", *options, f"--json={tmp_path / 'qa.json'}"]) == 0
    assert read_json(tmp_path / "qa.json")["questions"] == 8
    assert "times the naive way" in capsys.readouterr().out


def test_naive_windows_hold_the_answer() -> None:
    class Made(dict):  # type: ignore[type-arg]
        def sequence_ids(self, number: int) -> list[int | None]:
            return [None, 0, None, 1, 1, 1, None]

    def fast(question: str, context: str, **options: object) -> Made:
        assert options["stride"] == 7
        return Made(offset_mapping=[[(0, 0), (0, 2), (0, 0), (0, 2), (2, 5), (6, 8), (0, 0)]])

    for answer, found in (((2, 8), (4, 5)), ((9, 12), (0, 0)), (None, (0, 0))):
        assert naive_windows(fast, Asked("누가", "김홍도가 그렸", 7, answer)) == [found]
