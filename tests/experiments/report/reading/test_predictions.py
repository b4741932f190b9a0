"""Counts from stored predictions give the scores that the metrics of the modules give."""

import random
from pathlib import Path
from typing import Any

import pytest

from distilkobert.metrics import EntityF1, KorQuadScore
from distilkobert.tasks.kinds import QUESTION_ANSWERING, SEQUENCE_CLASSIFICATION, TOKEN_CLASSIFICATION
from distilkobert.tasks.tags.labels import KLUE_NER_LABELS, NAVER_NER_LABELS
from experiments.report.reading.predictions import difference, read_outcomes
from tests.support.report_world import answer_records, label_records, tag_records, write_records


@pytest.mark.parametrize(("labels", "suffix"), [(KLUE_NER_LABELS, False), (NAVER_NER_LABELS[1:], True)])
def test_entity_counts_give_the_metric(tmp_path: Path, labels: tuple[str, ...], suffix: bool) -> None:
    rng = random.Random(3)
    pool = [*labels[:4], "O"]
    golds = [[rng.choice(pool) for _ in range(rng.randint(1, 8))] for _ in range(200)]
    guesses = [[tag if rng.random() < 0.7 else rng.choice(pool) for tag in gold] for gold in golds]
    write_records(tmp_path, tag_records([" ".join(g) for g in guesses], [" ".join(g) for g in golds]))
    metric = EntityF1(labels, suffix=suffix)
    metric.update(guesses, golds)
    outcomes = read_outcomes(tmp_path, TOKEN_CLASSIFICATION)
    assert outcomes.percent("F1") == pytest.approx(100 * metric.compute()["f1"].item())
    assert len(outcomes.keys) == 200


def test_answer_counts_give_the_metric(tmp_path: Path) -> None:
    predicted, gold = ["서울", "2002년", "", "그는 갔다"], ["서울", "2002년 여름", "부산", "그는 갔다고"]
    write_records(tmp_path, answer_records(predicted, gold))
    metric = KorQuadScore()
    metric.update(dict(enumerate(predicted)), {n: [g] for n, g in enumerate(gold)})  # type: ignore[arg-type]
    outcomes = read_outcomes(tmp_path, QUESTION_ANSWERING)
    scores = metric.compute()
    assert outcomes.percent("EM") == pytest.approx(scores["exact_match"].item()) == 25.0
    assert outcomes.percent("F1") == pytest.approx(scores["f1"].item())


def test_label_counts_are_shares_and_the_order_of_the_file_does_not_matter(tmp_path: Path) -> None:
    records = label_records([True, False, True, True])
    write_records(tmp_path, records[::-1])
    outcomes = read_outcomes(tmp_path, SEQUENCE_CLASSIFICATION)
    assert outcomes.percent("accuracy") == 75.0
    assert outcomes.scores["accuracy"].added[:, 0].tolist() == [1.0, 0.0, 1.0, 1.0]


def test_no_entity_anywhere_is_a_score_of_0(tmp_path: Path) -> None:
    write_records(tmp_path, tag_records(["O O"], ["O O"]))
    assert read_outcomes(tmp_path, TOKEN_CLASSIFICATION).percent("F1") == 0.0


@pytest.mark.parametrize(
    ("gold", "predicted", "percent"),
    [
        (["B-PS I-PS O", "O"], ["B-PS I-PS O", "O"], 100.0),
        (["PS-B PS-I LC-B"], ["PS-B PS-I O"], 100 * 2 / 3),
        (["B-PS I-PS O"], ["B-PS O O"], 0.0),
        (["PS-B PS-I"], ["PS-B O"], 0.0),
    ],
)
def test_the_way_tags_are_written_is_seen(
    gold: list[str], predicted: list[str], percent: float, tmp_path: Path
) -> None:
    write_records(tmp_path, tag_records(predicted, gold))
    assert read_outcomes(tmp_path, TOKEN_CLASSIFICATION).percent("F1") == pytest.approx(percent)


def test_what_cannot_be_paired_is_said(tmp_path: Path) -> None:
    places = [tmp_path / name for name in "abc"]
    records = label_records([True] * 4)
    variants = [records, [*records[1:], {**records[0], "row": 9}], [{**records[0], "gold": "neutral"}, *records[1:]]]
    for place, variant in zip(places, variants, strict=True):
        place.mkdir()
        write_records(place, variant)
    base, moved, renamed = (read_outcomes(place, SEQUENCE_CLASSIFICATION) for place in places)
    assert difference(base, base) == ""
    assert difference(moved, base) == "1 of its examples are not in the base arm, and 1 of the base arm's are missing"
    assert difference(renamed, base) == "the true answers of 1 examples differ from the base arm's"


@pytest.mark.parametrize(
    ("content", "kind", "message"),
    [
        ("", SEQUENCE_CLASSIFICATION, "is empty"),
        (
            '{"row": 0, "gold": "a", "predicted": "a"}\n{"row": 1, "go',
            SEQUENCE_CLASSIFICATION,
            "line 2: expected a JSON object",
        ),
        ("[1]\n", SEQUENCE_CLASSIFICATION, "line 1: expected a JSON object"),
        ('{"gold": "a", "predicted": "a"}\n', SEQUENCE_CLASSIFICATION, "a record has no 'row'"),
        ('{"row": 0, "predicted": "a"}\n', SEQUENCE_CLASSIFICATION, "do not fit the task, sequence_classification"),
        ('{"row": 0, "gold": "a", "predicted": "a"}\n' * 2, SEQUENCE_CLASSIFICATION, "an example occurs twice"),
        (
            '{"row": 0, "gold": ["O"], "predicted": ["O", "O"]}\n',
            TOKEN_CLASSIFICATION,
            "2 predicted tags for 1 true ones",
        ),
        ('{"row": 0, "gold": ["PS"], "predicted": ["PS"]}\n', TOKEN_CLASSIFICATION, "expected tags that all look like"),
        (
            '{"row": 0, "gold": "negative", "predicted": 3}\n',
            QUESTION_ANSWERING,
            "do not fit the task, question_answering",
        ),
    ],
)
def test_broken_predictions_are_refused(tmp_path: Path, content: str, kind: Any, message: str) -> None:
    (tmp_path / "predictions.jsonl").write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=r"predictions\.jsonl") as raised:
        read_outcomes(tmp_path, kind)
    assert message in str(raised.value)


def test_missing_predictions_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"predictions\.jsonl does not exist"):
        read_outcomes(tmp_path, SEQUENCE_CLASSIFICATION)
