"""Windows and questions in batches, against a slow second version."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from datamodules import KorQuADDataModule
from distilkobert import KoBertTokenizer
from distilkobert.metrics.korquad import total_scores
from distilkobert.tasks.files.korquad import read_korquad
from distilkobert.tasks.splits import number_of
from tests.support.tasks.data import Make, is_dev, one_file, unpadded
from tests.support.tasks.gold_answers import gold_answers

pytest_plugins = ["tests.support.tasks.fixtures"]


def test_korquad_windows_of_training(make: Make, folders: dict[type, Path], tiny_tokenizer: KoBertTokenizer) -> None:
    data = make(KorQuADDataModule, max_length=64, stride=16, max_question=12, batch_size=5)
    seen = [
        (tuple(ids), segments, start, end)
        for batch in data.train_dataloader()
        for ids, segments, start, end in zip(
            unpadded(batch),
            unpadded(batch, "token_type_ids"),
            batch["start_positions"].tolist(),
            batch["end_positions"].tolist(),
            strict=True,
        )
    ]
    paragraphs = list(read_korquad(folders[KorQuADDataModule] / "KorQuAD_v1.0_train.json"))
    titles = {paragraph.title for paragraph in paragraphs}
    dev = set(filter(is_dev, titles)) or {min(titles, key=number_of)}
    expected, answered = [], 0
    for paragraph in paragraphs:
        if paragraph.title in dev:
            continue
        ids, spans = tiny_tokenizer.encode_with_offsets(paragraph.context)
        for question in paragraph.questions:
            asked = tiny_tokenizer.encode_with_offsets(question.text)[0][:12]
            start = question.answers[0].start
            end = start + len(question.answers[0].text)
            touching = {number for number, (a, b) in enumerate(spans) if a < end and b > start}
            opening = [tiny_tokenizer.cls_token_id, *asked, tiny_tokenizer.sep_token_id]
            capacity = 64 - len(opening) - 1
            for first in range(0, len(ids), 16):
                part = ids[first : first + capacity]
                places = [len(opening) + number for number in range(len(part)) if first + number in touching]
                whole = len(places) == len(touching)
                answered += whole
                row = (*opening, *part, tiny_tokenizer.sep_token_id)
                segments = [0] * len(opening) + [1] * (len(part) + 1)
                expected.append((row, segments, places[0] if whole else 0, places[-1] if whole else 0))
                if first + capacity >= len(ids):
                    break
    assert sorted(seen) == sorted(expected)
    assert 0 < answered < len(expected)
    assert data.facts["data/train_windows"] == len(expected)


@pytest.mark.parametrize("world_size", [1, 2])
def test_all_windows_of_a_question_are_in_one_batch(make: Make, folders: dict[type, Path], world_size: int) -> None:
    found = []
    for rank in range(world_size):
        data = make(KorQuADDataModule, max_length=64, stride=16, max_question=12, eval_batch_size=3)
        data.rank_and_world_size = partial(tuple, (rank, world_size))
        for batch in data.test_dataloader():
            covered = [row for question in batch["questions"] for row in question.rows]
            assert covered == list(range(len(batch["input_ids"])))
            for question in batch["questions"]:
                for row, window in zip(question.rows, question.windows, strict=True):
                    assert tuple(unpadded(batch)[row]) == window.input_ids
                found.append((question.row, question.id))
    paragraphs = read_korquad(folders[KorQuADDataModule] / "KorQuAD_v1.0_dev.json")
    ids = [question.id for paragraph in paragraphs for question in paragraph.questions]
    assert sorted(found) == list(enumerate(ids))


def perfect_predictions(loader: Any) -> tuple[dict[str, str], dict[str, list[str]]]:
    """Answers given, and gold ones, of a model that is sure of the labels."""
    predictions, golds = {}, {}
    for batch in loader:
        starts, ends = (
            one_hot(batch[f"{side}_positions"], batch["input_ids"].shape[1]).float().numpy()
            for side in ("start", "end")
        )
        for question in batch["questions"]:
            rows = slice(question.rows.start, question.rows.stop)
            best = question.answer(starts[rows], ends[rows])[0]
            assert question.reference_context or best.text == question.context[best.start : best.end]
            predictions[question.id] = question.given(best).text
            golds[question.id] = list(question.gold)
    return predictions, golds


@pytest.mark.parametrize(
    ("settings", "least"),
    [({}, 0.3), ({"particles": "split"}, 0.9), ({"particles": "strip"}, 0.3), ({"reference_decoding": True}, 0.2)],
)
def test_perfect_scores_give_the_gold_answers(make: Make, settings: dict[str, Any], least: float) -> None:
    data = make(KorQuADDataModule, max_length=64, stride=16, max_question=12, **settings)
    predictions, golds = perfect_predictions(data.test_dataloader())
    right = [predictions[identifier] in answers for identifier, answers in golds.items()]
    assert sum(right) >= least * len(right)


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("settings", "exact_match", "f1"),
    [
        ({}, (88.7, 90), (98.6, 99.5)),
        ({"particles": "split"}, (99.0, 100), (99.8, 100)),
        ({"reference_decoding": True}, (76.8, 77.8), (96.2, 97.2)),
    ],
)
def test_the_real_ceiling_through_files_cache_and_batches(
    make: Make, real_data_dir: Path, settings: dict[str, Any], exact_match: Any, f1: Any
) -> None:
    folder = real_data_dir / "korquad"
    file = folder / "KorQuAD_v1.0_dev.json"
    data = make(
        KorQuADDataModule,
        data_dir=folder,
        tokenizer=real_data_dir / "kobert_tokenizer",
        predict_file=str(file),
        **settings,
    )
    predictions, _ = perfect_predictions(data.predict_dataloader())
    result = total_scores(predictions, gold_answers(json.loads(file.read_text("utf-8"))))
    assert (result.questions, result.missing) == (5774, 0)
    assert exact_match[0] <= 100 * result.exact_match / 5774 <= exact_match[1]
    assert f1[0] <= 100 * result.f1 / 5774 <= f1[1]


def test_articles_stay_together(make: Make, folders: dict[type, Path], tmp_path: Path) -> None:
    data = make(KorQuADDataModule, data_dir=one_file(folders, KorQuADDataModule, tmp_path))
    title_of = {p.context: p.title for p in read_korquad(tmp_path / "KorQuAD_v1.0_train.json")}
    for allowed, loader in (({7}, data.val_dataloader()), ({8, 9}, data.test_dataloader())):
        titles = {title_of[question.context] for batch in loader for question in batch["questions"]}
        assert titles == {title for title in title_of.values() if number_of(title) % 10 in allowed}


def test_a_long_question_is_cut_and_counted_and_a_context_may_be_one_character(
    make: Make, tmp_path: Path, tiny_tokenizer: KoBertTokenizer
) -> None:
    articles = []
    for number in range(30):
        context, asked = ("물", "이것은 무엇인가? " * 20) if number % 2 else ("ㅋㅋ 👍🏽 물", "무엇?")
        answers = [{"text": "물", "answer_start": context.index("물")}]
        qas = [{"id": str(number), "question": asked, "answers": answers}]
        articles.append({"title": str(number), "paragraphs": [{"context": context, "qas": qas}]})
    (tmp_path / "KorQuAD_v1.0_dev.json").write_text(json.dumps({"data": articles}), encoding="utf-8")
    data = make(KorQuADDataModule, data_dir=tmp_path, max_length=24, stride=4, max_question=10)
    for batch in data.test_dataloader():
        for question in batch["questions"]:
            scores: list[Tensor] = [torch.zeros(24) for _ in question.windows]
            answers = {answer.text for answer in question.answer(scores, scores)}
            assert "물" in answers
    odd = [n for n in range(30) if n % 2 and number_of(str(n)) % 10 in (8, 9)]
    assert data.facts["data/test_questions_cut"] == len(odd)
