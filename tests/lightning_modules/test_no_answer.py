"""Answering, or not: margins, the threshold of the dev part, and where it is kept."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from distilkobert.tasks.input_settings import ENTRY, InputSettings, stored
from distilkobert.tasks.questions.answering import AnsweringCodec
from distilkobert.tasks.questions.no_answer import decided
from lightning_modules import QuestionAnswering
from tests.distilkobert.tasks.test_codecs import Words
from tests.support.tasks.batches import GivenNetwork

SETTINGS = InputSettings(9, pair=True, stride=2, max_question=2, unanswerable=True)


def example(gold: list[str], context: str) -> dict[str, Any]:
    codec = AnsweringCodec(Words(), SETTINGS)  # type: ignore[arg-type]
    return {**codec.read(("who went", context)), "gold": gold, "id": context[:5]}


def asked(module: QuestionAnswering, rows: list[dict[str, Any]], scores: dict[tuple[int, int], float]) -> Any:
    """A batch and a network that gives these start scores, by row and place; end scores are all 0."""
    batch = AnsweringCodec(Words(), SETTINGS).batch(rows, range(len(rows)))  # type: ignore[arg-type]
    starts = torch.full(batch["input_ids"].shape, -9.0)
    for place, value in scores.items():
        starts[place] = value
    network = GivenNetwork(start_logits=starts.tolist(), end_logits=torch.zeros_like(starts).tolist())
    network.config = SimpleNamespace(type_vocab_size=0, model_type="given", **stored(SETTINGS))
    module.network = network  # type: ignore[assignment]
    return batch


def test_the_margin_is_the_least_of_the_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    module = QuestionAnswering("unused", input_settings=SETTINGS)
    batch = asked(module, [example(["one"], "one two three four five")], {(0, 0): 4.0, (1, 0): 1.5, (0, 5): 2.0})
    assert len(batch["input_ids"]) == 2
    (record,) = module.records(batch, module.output(batch))
    assert record["no_answer"] == pytest.approx(1.5 - 2.0)
    assert (record["predicted"], record["best"]) == ("one", "one")
    none = decided(record, -1.0)
    assert (none["predicted"], none["start"], none["end"]) == ("", 0, 0)
    assert decided(none, 0.0)["predicted"] == "one"


def test_the_question_alone_is_shown_where_segments_are_not_told_apart() -> None:
    module, rows = QuestionAnswering("unused"), [example(["one"], "one two three four five"), example(["one"], "one")]
    batch = asked(module, rows, {})
    assert not batch["token_type_ids"].any()
    assert [module.shown_ids(batch, number) for number in range(2)] == [[7, 100, 101, 8, 8]] * 2


def test_validation_chooses_the_threshold_and_test_keeps_it() -> None:
    module = QuestionAnswering("unused", input_settings=SETTINGS)
    rows = [example(["one"], "one two"), example([""], "one three"), example([""], "one four")]
    # Margins 1, 2 and 5: answering the first alone is right everywhere, at any threshold from 1 up to 2.
    scores = {(row, 0): float(value) for row, value in enumerate((1, 2, 5))} | {(row, 5): 0.0 for row in range(3)}
    batch = asked(module, rows, scores)
    module.validation_step(batch, 0)
    found = {name: float(value) for name, value in module.scores("val").items()}
    assert found["no_answer_threshold"] == 1.0
    assert found["f1"] == found["exact_match"] == found["v2_f1"] == found["no_answer_accuracy"] == 100.0
    assert module.network.config.task_inputs["no_answer_threshold"] == 1.0
    tested = asked(module, rows[:2], {(0, 0): 3.0, (0, 5): 0.0, (1, 0): -2.0, (1, 5): 0.0})
    module.network.config.task_inputs["no_answer_threshold"] = 1.0
    records = module.test_step(tested, 0)["records"]
    assert [record["predicted"] for record in records] == ["", "one"]
    found = {name: float(value) for name, value in module.scores("test").items()}
    assert (found["f1"], found["has_answer_f1"], found["no_answer_accuracy"]) == (0.0, 0.0, 0.0)
    assert found["no_answer_threshold"] == 1.0


def test_a_dev_part_without_unanswerable_questions_keeps_every_answer() -> None:
    module = QuestionAnswering("unused", input_settings=SETTINGS)
    rows = [example(["one"], "one two"), example(["four"], "one four")]
    # The second answer is wrong, and its margin above the first's: a threshold between them scores the same.
    module.validation_step(asked(module, rows, {(0, 0): 1.0, (0, 5): 0.0, (1, 0): 4.0, (1, 5): 0.0}), 0)
    threshold = float(module.scores("val")["no_answer_threshold"])
    tested = asked(module, rows[:1], {(0, 0): 90.0, (0, 5): 0.0})
    module.network.config.task_inputs["no_answer_threshold"] = threshold
    (record,) = module.test_step(tested, 0)["records"]
    assert (record["predicted"], decided(record, threshold)["predicted"]) == ("one", "one")
    assert float(module.scores("test")["f1"]) == 100.0


def test_the_threshold_of_a_trained_network_wins_over_the_data_s_settings() -> None:
    module = QuestionAnswering("unused", input_settings=SETTINGS)
    trained: Any = SimpleNamespace(config=SimpleNamespace(**stored(replace(SETTINGS, no_answer_threshold=2.5))))
    assert module.settings_kept(trained, SETTINGS).no_answer_threshold == 2.5
    fresh: Any = SimpleNamespace(config=SimpleNamespace())
    assert module.settings_kept(fresh, SETTINGS) == SETTINGS
    assert ENTRY in stored(SETTINGS)


@pytest.mark.parametrize("unanswerable", [True, False])
def test_rouge_w_is_counted_where_it_is_asked_for(unanswerable: bool) -> None:
    settings = replace(SETTINGS, unanswerable=unanswerable)
    module = QuestionAnswering("unused", input_settings=settings, rouge_w=True)
    rows = [example(["one"], "one two"), example(["throne"], "one three")]
    # Both answer "one", surely: the first is right, the second shares 3 of 3 and 6 characters with the true answer.
    batch = asked(module, rows, {(0, 5): 9.0, (1, 5): 9.0})
    if not unanswerable:
        batch["questions"] = [replace(one, unanswerable=False) for one in batch["questions"]]
    assert [record["predicted"] for record in module.validation_step(batch, 0)["records"]] == ["one", "one"]
    found = {name: float(value) for name, value in module.scores("val").items()}
    assert found["rouge_w"] == pytest.approx(100 * (1 + 2 * 3 / 9) / 2)
    assert found.get("has_answer_rouge_w", found["rouge_w"]) == found["rouge_w"]
    assert "rouge_w" not in QuestionAnswering("unused", input_settings=settings).abstaining.names
