"""What `test` stored, scored by others: seqeval, and the official rules of KorQuAD 1.0 written down here once more."""

import collections
import json
from pathlib import Path

import pytest
from seqeval.metrics import classification_report, f1_score, precision_score, recall_score
from seqeval.scheme import IOB2

from tests.integration.predict.wide import fit_and_test, records_of, save_wide
from tests.integration.tasks.world import TaskWorld, make_task_world
from tests.world import World, read_json


@pytest.fixture(scope="module")
def tasks(world: World, tmp_path_factory: pytest.TempPathFactory) -> TaskWorld:
    root = tmp_path_factory.mktemp("tasks")
    save_wide(root / "wide", "distilbert")
    return make_task_world(world, root)


# Every rule below is a sentence of the description of evaluate_v1_0.py, none of the code is this project's.
BECOME_SPACES = {0x27, 0x22, 0x300A, 0x300B, 0x3C, 0x3E, 0x3008, 0x3009, 0x28, 0x29, 0x2018, 0x2019}
ASCII_PUNCTUATION = [chr(code) for code in range(33, 127) if not chr(code).isalnum()]


def official_form(answer: str) -> list[str]:
    """Words of an answer: quotes and brackets to spaces, small letters, then no ASCII punctuation."""
    for code in BECOME_SPACES:
        answer = answer.replace(chr(code), " ")
    answer = answer.lower()
    for sign in ASCII_PUNCTUATION:
        answer = answer.replace(sign, "")
    return answer.split()


def official_scores(dataset: Path, answers: Path) -> tuple[float, float]:
    """Exact match and F1 over all questions of a file, in percent."""
    given = json.loads(answers.read_text(encoding="utf-8"))
    exact, overlap, total = 0.0, 0.0, 0
    for article in json.loads(dataset.read_text(encoding="utf-8"))["data"]:
        for question in (q for paragraph in article["paragraphs"] for q in paragraph["qas"]):
            total += 1
            if question["id"] not in given:
                continue
            mine = official_form(given[question["id"]])
            best_exact, best_overlap = 0.0, 0.0
            for gold in (official_form(answer["text"]) for answer in question["answers"]):
                best_exact = max(best_exact, float(" ".join(mine) == " ".join(gold)))
                left, right = collections.Counter("".join(mine)), collections.Counter("".join(gold))
                same = sum(min(count, right[character]) for character, count in left.items())
                if same:
                    precision, recall = same / sum(left.values()), same / sum(right.values())
                    best_overlap = max(best_overlap, 2 * precision * recall / (precision + recall))
            exact, overlap = exact + best_exact, overlap + best_overlap
    return 100 * exact / total, 100 * overlap / total


def test_the_official_rules_worked_by_hand(tmp_path: Path) -> None:
    questions = [
        {"id": str(number), "answers": [{"text": text} for text in golds]}
        for number, golds in enumerate((["부산"], ["《봄》", "가을"], ["3.5%"], ["강"]))
    ]
    (tmp_path / "data.json").write_text(json.dumps({"data": [{"paragraphs": [{"qas": questions}]}]}))
    (tmp_path / "answers.json").write_text(json.dumps({"0": "부산에서", "1": "봄", "2": "35"}))
    exact, overlap = official_scores(tmp_path / "data.json", tmp_path / "answers.json")
    assert exact == 50.0
    assert overlap == pytest.approx(100 * (2 / 3 + 1 + 1) / 4)


@pytest.mark.parametrize("particles", ["none", pytest.param("strip", marks=pytest.mark.slow)])
def test_the_official_rules_give_the_scores_of_korquad(particles: str, tasks: TaskWorld, tmp_path: Path) -> None:
    options = [f"--model.init_from={tasks.root / 'wide'}", f"--data.particles={particles}"]
    folder = fit_and_test(tasks, "korquad", tmp_path, *options)
    metrics, stored = read_json(folder / "metrics.json"), records_of(folder)
    dataset = tasks.root / "korquad" / "KorQuAD_v1.0_dev.json"
    exact, overlap = official_scores(dataset, folder / "predictions.json")
    assert metrics["test/exact_match"] == pytest.approx(exact)
    assert metrics["test/f1"] == pytest.approx(overlap)
    assert 0 < overlap < 100
    (tmp_path / "raw.json").write_text(json.dumps({record["id"]: record["raw"] for record in stored}))
    exact_raw, overlap_raw = official_scores(dataset, tmp_path / "raw.json")
    assert metrics["test/exact_match_raw"] == pytest.approx(exact_raw)
    assert metrics["test/f1_raw"] == pytest.approx(overlap_raw)
    assert any(record["raw"] != record["predicted"] for record in stored) == (particles == "strip")
    # The scores must notice a change: every second question answered right, every third not at all.
    mended = {record["id"]: record["gold"][0] if row % 2 else record["predicted"] for row, record in enumerate(stored)}
    (tmp_path / "mended.json").write_text(
        json.dumps({key: text for n, (key, text) in enumerate(mended.items()) if n % 3})
    )
    assert official_scores(dataset, tmp_path / "mended.json")[0] >= 25


@pytest.mark.filterwarnings("ignore::UserWarning")  # seqeval warns of classes without entities
@pytest.mark.parametrize("task", ["naver_ner", pytest.param("klue_ner", marks=pytest.mark.slow)])
def test_seqeval_gives_the_scores_of_tagged_sentences(task: str, tasks: TaskWorld, tmp_path: Path) -> None:
    options = [f"--model.init_from={tasks.root / 'wide'}", "--data.max_length=20"]
    folder = fit_and_test(tasks, task, tmp_path, *options)
    metrics, stored = read_json(folder / "metrics.json"), records_of(folder)
    gold, predicted = ([record[name] for record in stored] for name in ("gold", "predicted"))
    suffix = task == "naver_ner"
    assert len({tag for tags in predicted for tag in tags}) > 5, "the model must say many different things"
    for name, score in (("f1", f1_score), ("precision", precision_score), ("recall", recall_score)):
        assert metrics[f"test/{name}"] == pytest.approx(score(gold, predicted, suffix=suffix)), name
    types = classification_report(gold, predicted, suffix=suffix, output_dict=True)
    for kind, figures in types.items():
        if not kind.endswith("avg") and figures["support"]:
            assert metrics[f"test/f1_{kind}"] == pytest.approx(figures["f1-score"]), kind
    # seqeval stops at UNK in strict mode.
    known = [["O" if tag == "UNK" else tag for tag in tags] for tags in predicted]
    strict = f1_score(gold, known, suffix=suffix, mode="strict", scheme=IOB2)
    assert metrics["test/f1_strict"] == pytest.approx(strict)
    assert metrics["test/f1"] != metrics["test/f1_strict"] or task == "klue_ner"
