"""KorQuAD scores against a second implementation of the official rules and cases worked by hand."""

import json
import random
import string
from pathlib import Path

import pytest

from distilkobert.metrics import KorQuadScore
from distilkobert.metrics.korquad import (
    exact_match,
    f1,
    normalise_answer,
    total_scores,
    write_predictions,
)
from tests.support.tasks.gold_answers import gold_answers

ALPHABET = "가나다라 한국 AaBb19 .,'\"《》<>〈〉()‘’“”·「」-~%\t\u3000"


def naive_normalise(text: str) -> str:
    """The rules one character at a time."""
    spaced = "".join(
        " " if character in ["'", '"', "《", "》", "<", ">", "〈", "〉", "(", ")", "‘", "’"] else character
        for character in text
    )
    kept = "".join(character for character in spaced.lower() if character not in set(string.punctuation))
    words: list[str] = []
    word = ""
    for character in kept + " ":
        if not character.isspace():
            word += character
        elif word:
            words.append(word)
            word = ""
    return " ".join(words)


def naive_f1(prediction: str, gold: str) -> float:
    """Characters matched off one by one."""
    predicted = [character for character in naive_normalise(prediction) if character != " "]
    left = [character for character in naive_normalise(gold) if character != " "]
    actual, shared = len(left), 0
    for character in predicted:
        if character in left:
            left.remove(character)
            shared += 1
    if shared == 0:
        return 0.0
    precision, recall = shared / len(predicted), shared / actual
    return 2 * precision * recall / (precision + recall)


def random_answer(rng: random.Random) -> str:
    return "".join(rng.choices(ALPHABET, k=rng.randint(0, 8)))


def varied(rng: random.Random, text: str) -> str:
    """The text, cut, extended, re-cased or with punctuation thrown in; often still equal after normalisation."""
    place = rng.randint(0, len(text))
    return rng.choice(
        (text, text.upper(), text[:place], text[:place] + rng.choice(ALPHABET) + text[place:], f"《{text}》")
    )


def test_thousands_of_random_answers_agree_with_the_naive_rules() -> None:
    rng = random.Random(0)
    equal = 0
    for _ in range(5000):
        gold = random_answer(rng)
        prediction = varied(rng, gold)
        assert normalise_answer(gold) == naive_normalise(gold)
        assert exact_match(prediction, gold) == (naive_normalise(prediction) == naive_normalise(gold))
        assert f1(prediction, gold) == pytest.approx(naive_f1(prediction, gold))
        equal += exact_match(prediction, gold)
    assert 1000 < equal < 4500


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("《푸른 강》", "푸른 강"),
        ("'가'나", "가 나"),  # a quote separates
        ("가-나, 다.", "가나 다"),  # ASCII punctuation vanishes
        ("3.5%", "35"),
        ("KTX(급행)", "ktx 급행"),
        ("가·나", "가·나"),  # the middle dot stays
        ("「가」 “나”", "「가」 “나”"),
        ("  가\t나\n", "가 나"),
        ("<>()", ""),
    ],
)
def test_normalisation_worked_by_hand(text: str, expected: str) -> None:
    assert normalise_answer(text) == expected


def test_f1_worked_by_hand() -> None:
    assert f1("부산에서", "부산") == pytest.approx(2 / 3)
    assert f1("가가나", "가나나") == pytest.approx(2 / 3)
    assert f1("강 푸른", "푸른 강") == 1.0
    assert f1("서울", "부산") == 0.0
    assert f1("()", ".") == 0.0
    assert exact_match("()", ".")


def random_file(rng: random.Random, questions: int) -> tuple[dict[str, object], dict[str, str]]:
    qas, predictions = [], {}
    for number in range(questions):
        answers = [random_answer(rng) for _ in range(rng.randint(1, 3))]
        qas.append(
            {"id": f"q{number}", "question": "?", "answers": [{"text": text, "answer_start": 0} for text in answers]}
        )
        if rng.random() < 0.8:
            predictions[f"q{number}"] = varied(rng, rng.choice(answers))
    predictions["of another file"] = "가"
    half = questions // 2
    paragraphs = [{"context": "", "qas": qas[:half]}, {"context": "", "qas": qas[half:]}]
    return {"version": "KorQuAD_v1.0_dev", "data": [{"title": "", "paragraphs": paragraphs}]}, predictions


def naive_scores(korquad: dict[str, object], predictions: dict[str, str]) -> tuple[float, float, int]:
    total, matches, overlap, missing = 0, 0.0, 0.0, 0
    for article in korquad["data"]:
        for paragraph in article["paragraphs"]:
            for question in paragraph["qas"]:
                total += 1
                if question["id"] not in predictions:
                    missing += 1
                    continue
                said = predictions[question["id"]]
                truths = [answer["text"] for answer in question["answers"]]
                matches += max(float(naive_normalise(said) == naive_normalise(truth)) for truth in truths)
                overlap += max(naive_f1(said, truth) for truth in truths)
    return 100 * matches / total, 100 * overlap / total, missing


def test_whole_files_score_as_in_the_naive_rules_in_one_go_and_in_uneven_shards() -> None:
    rng = random.Random(1)
    for questions in range(1, 120, 4):
        korquad, predictions = random_file(rng, questions)
        exact, overlap, missing = naive_scores(korquad, predictions)
        sums = total_scores(predictions, gold_answers(korquad))
        assert sums == pytest.approx((exact * questions / 100, overlap * questions / 100, questions, missing))
        metric = KorQuadScore()
        golds = list(gold_answers(korquad).items())
        cut = rng.randint(0, questions)
        for shard in (dict(golds[:cut]), dict(golds[cut:])):
            metric.update(predictions, shard)
        assert {name: float(value) for name, value in metric.compute().items()} == pytest.approx(
            {"exact_match": exact, "f1": overlap}
        )


@pytest.mark.filterwarnings("ignore:The ``compute`` method of metric:UserWarning")
def test_metric_without_questions_is_zero() -> None:
    assert set(map(float, KorQuadScore().compute().values())) == {0.0}


def test_question_without_gold_answer_is_refused() -> None:
    with pytest.raises(ValueError, match="'q7' has no gold answer"):
        KorQuadScore().update({"q7": "가"}, {"q7": []})


def test_a_prediction_file_is_one_json_object(tmp_path: Path) -> None:
    path = tmp_path / "predictions.json"
    predictions = {"q1": "푸른 강", "q2": ""}
    write_predictions(path, predictions)
    assert json.loads(path.read_bytes()) == predictions
    assert "푸른" in path.read_text("utf-8")
