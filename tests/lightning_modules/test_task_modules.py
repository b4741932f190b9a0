"""The three task modules: loss, scores and stored predictions on hand-made batches."""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from distilkobert.tasks.examples import CharacterExample, QuestionWindows, WordExample
from distilkobert.tasks.questions.windows import Window
from lightning_modules import QuestionAnswering, SequenceClassification, TokenClassification
from lightning_modules.finetuning import FineTuning
from tests.support.tasks.batches import GivenNetwork, make_batch

TAGS = ["O", "PER-B", "PER-I", "LOC-B", "LOC-I"]


def values(module: FineTuning, stage: str = "val") -> dict[str, float]:
    return {name: float(value) for name, value in module.scores(stage).items()}


def one_hot(choices: Sequence[int], classes: int, height: float = 4.0) -> list[list[float]]:
    return [[height * (number == choice) for number in range(classes)] for choice in choices]


def classifier(logits: list[list[float]], **settings: Any) -> SequenceClassification:
    module = SequenceClassification("unused", labels=["negative", "positive"])
    module.network = GivenNetwork(logits=logits, **settings)  # type: ignore[assignment]
    return module


def test_classification_counts_loss_and_records() -> None:
    module = classifier([[0.0, 0.0], [0.0, math.log(3.0)], [1.0, 0.0]])
    batch = make_batch([2, 3, 4], labels=torch.tensor([0, 1, 1]), rows=[7, 5, 6])
    output = module.output(batch)
    sure = math.log(1 + math.e)
    assert float(output.loss) == pytest.approx((math.log(2) + math.log(4 / 3) + sure) / 3)
    records = module.test_step(batch, 0)["records"]
    assert records[1] == {"row": 5, "gold": "positive", "predicted": "positive", "probability": pytest.approx(0.75)}
    assert [record["predicted"] for record in records] == ["negative", "positive", "negative"]
    module.validation_step(batch, 1)
    small = make_batch([2], labels=torch.tensor([0]), rows=[0])
    module.network = GivenNetwork(logits=[[5.0, 0.0]])  # type: ignore[assignment]
    module.validation_step(small, 2)
    assert values(module)["accuracy"] == pytest.approx(5 / 7)  # 2 of 3, twice, and 1 of 1
    assert float(module.mean_loss.compute()) == pytest.approx((6 * float(output.loss) + math.log(1 + math.exp(-5))) / 7)
    module.validation_step(small, 3)
    assert values(module)["accuracy"] == 1.0, "the scores must start again after they were read"


def test_training_returns_the_loss_under_its_name() -> None:
    module = classifier([[0.0, 0.0]])
    step = module.training_step(make_batch([2], labels=torch.tensor([1]), rows=[0]), 0)
    assert float(step["terms"]["total"]) == float(step["loss"]) == pytest.approx(math.log(2))
    assert not step["terms"]["total"].requires_grad


@pytest.mark.parametrize(("types", "expected"), [(2, True), (1, False), (0, False)])
def test_only_models_that_know_segments_get_them(types: int, expected: bool) -> None:
    module = classifier([[0.0, 0.0]], type_vocab_size=types)
    module.predict_step(make_batch([2], labels=torch.tensor([1]), rows=[0]), 0)
    seen = module.network.seen  # type: ignore[attr-defined]
    assert seen - {"token_type_ids"} == {"input_ids", "attention_mask"}
    assert ("token_type_ids" in seen) == expected


def test_prediction_leaves_the_scores_alone() -> None:
    module = classifier([[0.0, 1.0]])
    batch = make_batch([2], labels=torch.tensor([0]), rows=[0])
    module.validation_step(batch, 0)
    module.predict_step({**batch, "labels": torch.tensor([1])}, 0)
    assert values(module)["accuracy"] == 0.0


def test_a_batch_of_another_task_is_refused() -> None:
    with pytest.raises(ValueError, match="SequenceClassification got batches without rows: they belong to another"):
        classifier([[0.0, 1.0]]).predict_step(make_batch([2], labels=torch.tensor([0])), 0)


def test_tensors_move_and_plain_objects_stay() -> None:
    example = CharacterExample(("가",), ("O",), ((0, 1),), cut=False)
    batch = make_batch([3], examples=[example])
    moved = classifier([[0.0]]).transfer_batch_to_device(batch, torch.device("meta"), 0)
    assert moved["input_ids"].device.type == "meta"
    assert moved["examples"][0] is example


def test_tagging_scores_all_kept_and_strict_units() -> None:
    # Two sentences: in the first the model says I where B is right; in the second the last entity was cut off.
    first = WordExample(("김구는", "서울에", "갔다"), ("PER-B", "LOC-B", "O"), (0, 1, 2), 3)
    second = WordExample(("안녕", "부산", "에서"), ("O", "O", "LOC-B"), (0, 2), 3)
    choices = [[0, 2, 3, 0, 0], [0, 0, 4, 0, 0]]
    module = TokenClassification("unused", labels=TAGS, suffix_tags=True)
    module.network = GivenNetwork(logits=[one_hot(row, len(TAGS)) for row in choices])  # type: ignore[assignment]
    labels = torch.tensor([[-100, 1, 3, 0, -100], [-100, 0, -100, 0, -100]])
    batch = make_batch([5, 5], labels=labels, examples=[first, second], rows=[1, 0])
    records = module.test_step(batch, 0)["records"]
    assert records[0] == {
        "row": 1,
        "units": ["김구는", "서울에", "갔다"],
        "gold": ["PER-B", "LOC-B", "O"],
        "predicted": ["PER-I", "LOC-B", "O"],
        "probability": pytest.approx(math.e**4 / (math.e**4 + 4)),
    }
    assert records[1]["predicted"] == ["O", "O", "O"]
    wrong, right = -math.log(1 / (math.e**4 + 4)), -math.log(math.e**4 / (math.e**4 + 4))
    assert float(module.mean_loss.compute()) == pytest.approx((wrong + 4 * right) / 5)
    scores = values(module, "test")
    assert scores["precision"] == 1.0
    assert scores["recall"] == pytest.approx(2 / 3)
    assert scores["f1"] == pytest.approx(2 * 2 / (2 + 3))
    assert scores["f1_kept"] == 1.0
    assert scores["f1_strict"] == pytest.approx(2 * 1 / (1 + 3))
    assert scores["f1_PER"] == 1.0
    assert scores["f1_LOC"] == pytest.approx(2 * 1 / (1 + 2))
    module.test_step(batch, 0)
    assert not any(name.startswith("f1_PER") for name in values(module, "val"))


def test_a_batch_without_a_labelled_piece_has_a_loss_of_zero() -> None:
    module = TokenClassification("unused", labels=TAGS, suffix_tags=True)
    module.network = GivenNetwork(logits=[one_hot([0, 0, 0], 5)])  # type: ignore[assignment]
    batch = make_batch([3], labels=torch.full((1, 3), -100), examples=[], rows=[])
    assert float(module.output(batch).loss) == 0.0


def test_confusions_are_pairs_of_the_true_and_the_predicted_class() -> None:
    assert classifier([[0.0, 0.0]]).confusions({"gold": "a", "predicted": "b"}) == [("a", "b")]
    record = {"gold": ["B-PS", "O"], "predicted": ["O", "B-LC"]}
    tagger = TokenClassification("unused", labels=["B-PS", "B-LC", "O"])
    assert tagger.confusions(record) == [("PS", "O"), ("O", "LC")]


def test_padding_is_left_out_of_tags_and_probability() -> None:
    example = CharacterExample(("가", "나"), ("B-PS", "O"), ((0, 1), (1, 2)), cut=False)
    module = TokenClassification("unused", labels=["B-PS", "I-PS", "O"])
    rows = [one_hot([2, 0, 2, 2], 3), one_hot([2, 0, 2, 2], 3)]
    module.network = GivenNetwork(logits=[row + [[9.0, 0.0, 0.0]] * 2 for row in rows])  # type: ignore[assignment]
    batch = make_batch([4, 6], labels=torch.full((2, 6), 2), rows=[0, 1])
    batch["examples"] = [
        example,
        CharacterExample(tuple("가나다라"), ("O",) * 4, tuple((i, i + 1) for i in range(4)), False),
    ]
    records = module.predict_step(batch, 0)["records"]
    assert records[0]["predicted"] == ["B-PS", "O"]
    assert records[0]["probability"] == pytest.approx(math.e**4 / (math.e**4 + 2))


def question(
    identifier: str, row: int, context: str, gold: str, rows: range, particles: Any = "none"
) -> QuestionWindows:
    """A question of one piece and a context of one piece a character, in windows of three characters, stride two."""
    firsts = [2 * number for number in range(len(rows))]
    windows = tuple(
        Window((2, 9, 3, *[9] * inside, 3), (0, 0, 0, *[1] * inside, 1), 3, first, inside)
        for first, inside in ((first, min(3, len(context) - first)) for first in firsts)
    )
    offsets = tuple((place, place + 1) for place in range(len(context)))
    return QuestionWindows(identifier, row, context, (gold,), rows, windows, offsets, particles)


def test_answers_are_scored_with_and_without_particle_and_written(tmp_path: Path) -> None:
    asked = [
        question("b", 1, "서울에는", "서울", range(2), "strip"),
        question("a", 0, "나무", "나무", range(2, 3), "strip"),
    ]
    # Rows are windows; the first question's answer 서울에 starts at 0 and ends at 2 in window 0.
    starts, ends = [[0.0] * 7 for _ in range(3)], [[0.0] * 7 for _ in range(3)]
    starts[0][3], ends[0][5] = 9.0, 9.0
    starts[2][3], ends[2][4] = 9.0, 9.0
    starts[2][6] = 99.0  # padding must never be read
    module = QuestionAnswering("unused")
    module.network = GivenNetwork(start_logits=starts, end_logits=ends)  # type: ignore[assignment]
    batch = make_batch([7, 6, 6], questions=asked)
    batch |= {"start_positions": torch.tensor([3, 0, 3]), "end_positions": torch.tensor([5, 0, 4])}
    records = module.test_step(batch, 0)["records"]
    assert [(r["id"], r["predicted"], r["raw"], r["start"], r["end"]) for r in records] == [
        ("b", "서울", "서울에", 0, 2),
        ("a", "나무", "나무", 0, 2),
    ]
    scores = values(module, "test")
    assert scores["exact_match"] == 100.0
    assert scores["exact_match_raw"] == 50.0
    assert scores["f1_raw"] == pytest.approx(100 * (0.8 + 1.0) / 2)
    expected = sum(
        torch.nn.functional.cross_entropy(torch.tensor(logits), batch[name])
        for logits, name in ((starts, "start_positions"), (ends, "end_positions"))
    )
    first = float(expected) / 2
    assert float(module.mean_loss.compute()) == pytest.approx(first)
    module.network = GivenNetwork(start_logits=[[0.0] * 6], end_logits=[[0.0] * 6])  # type: ignore[assignment]
    last = make_batch([6], questions=[question("c", 2, "나무", "나무", range(1))])
    module.test_step({**last, "start_positions": torch.tensor([3]), "end_positions": torch.tensor([4])}, 1)
    assert float(module.mean_loss.compute()) == pytest.approx((3 * first + math.log(6)) / 4), "of windows, not batches"
    module.save_predictions(tmp_path, "predictions", records)
    assert json.loads((tmp_path / "predictions.json").read_bytes()) == {"b": "서울", "a": "나무"}
    lines = [json.loads(line) for line in (tmp_path / "predictions.jsonl").read_text(encoding="utf-8").splitlines()]
    assert lines == records
