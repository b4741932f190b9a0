"""Batches of labelled and unlabelled texts: the terms of a task's distillation, worked out one example at a time."""

import math
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from distilkobert.models.task_forward import TaskRun
from distilkobert.objectives import LinearSchedule, LogitsMSE, Objective, SoftTargets
from distilkobert.objectives.weighted_sum import Captured
from distilkobert.tasks.task_facts import TaskFacts
from lightning_modules import SequenceClassification, TaskDistillation
from tests.support.tasks.batches import GivenNetwork, make_batch

HARD, WEIGHT, T = 0.3, 0.9, 2.0
STUDENT = [[0.2, -1.0, 0.5], [1.5, 0.1, -0.3], [-0.7, 0.4, 2.0], [0.0, 0.8, -1.2]]
TEACHER = [[1.0, 0.0, -0.5], [0.3, -2.0, 0.6], [-1.0, 1.1, 0.2], [0.5, -0.4, 0.9]]
NONE = -100


def softmax(row: list[float]) -> list[float]:
    return [math.exp(value / T) / sum(math.exp(other / T) for other in row) for value in row]


def kl(mine: list[float], its: list[float]) -> float:
    p, q = softmax(its), softmax(mine)
    return T * T * sum(a * math.log(a / b) for a, b in zip(p, q, strict=True))


def nll(row: list[float], label: int) -> float:
    return -math.log(math.exp(row[label]) / sum(map(math.exp, row)))


def bce(row: list[float], labels: list[int]) -> float:
    each = (math.log1p(math.exp(-x if held else x)) for x, held in zip(row, labels, strict=True))
    return sum(each) / len(row)


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


def classes(weights: list[float] | None, labels: list[int]) -> tuple[float, float]:
    """The terms of four texts, of which those without a label count for the teacher's term alone."""
    pairs = [
        ((weights or [1, 1, 1])[label], nll(row, label))
        for row, label in zip(STUDENT, labels, strict=True)
        if label >= 0
    ]
    hard = sum(w * v for w, v in pairs) / sum(w for w, _ in pairs)
    return hard, mean([kl(*rows) for rows in zip(STUDENT, TEACHER, strict=True)])


def given(
    monkeypatch: pytest.MonkeyPatch,
    facts: TaskFacts,
    objective: Objective,
    width: int = 3,
    progress: float = 0.0,
    segments: tuple[int, int] = (2, 2),
) -> TaskDistillation:
    """A module whose student and teacher give the logits above, and know so many kinds of segments."""
    module = TaskDistillation("unused", {"soft": objective}, facts, hard_labels=HARD)
    monkeypatch.setattr(TaskDistillation, "progress", progress)
    runs = []
    for rows, types in zip((STUDENT, TEACHER), segments, strict=True):
        network = GivenNetwork(types, logits=[row[:width] for row in rows])
        network.config.num_hidden_layers = 1
        runs.append(TaskRun(network, Captured(frozenset(), frozenset(), "real_tokens")))  # type: ignore[arg-type]
    module.student_run, module.teacher_run = runs
    module.network = runs[0].model
    return module


def terms(module: TaskDistillation, labels: Any) -> dict[str, float]:
    batch = make_batch([3, 2, 4, 2], labels=torch.tensor(labels), rows=[0, 1, 2, 3])
    return {name: float(value) for name, value in module.training_step(batch, 0)["terms"].items()}


def step(monkeypatch: pytest.MonkeyPatch, facts: TaskFacts, width: int, labels: Any) -> dict[str, float]:
    objective = LogitsMSE(weight=WEIGHT) if facts.kind == "sequence_regression" else SoftTargets(WEIGHT, T)
    return terms(given(monkeypatch, facts, objective, width), labels)


@pytest.mark.parametrize("weights", [None, [0.5, 2.0, 3.0]])
def test_classes_of_a_mixed_batch(monkeypatch: pytest.MonkeyPatch, weights: list[float] | None) -> None:
    labels = [2, NONE, 0, NONE]
    names = ("a", "b", "c")
    facts = TaskFacts("sequence_classification", names, class_weights=None if weights is None else tuple(weights))
    hard, soft = classes(weights, labels)
    expected = {"hard_labels": hard, "soft": soft, "total": HARD * hard + WEIGHT * soft}
    assert step(monkeypatch, facts, 3, labels) == pytest.approx(expected, rel=1e-5)


def test_several_labels_of_a_mixed_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    labels = [[1, 0, 1], [NONE] * 3, [0, 0, 0], [NONE] * 3]
    hard = mean([bce(STUDENT[0], labels[0]), bce(STUDENT[2], labels[2])])
    pairs = [
        ([mine, 0.0], [its, 0.0])
        for rows in zip(STUDENT, TEACHER, strict=True)
        for mine, its in zip(*rows, strict=True)
    ]
    soft = mean([kl(*pair) for pair in pairs])
    expected = {"hard_labels": hard, "soft": soft, "total": HARD * hard + WEIGHT * soft}
    found = step(monkeypatch, TaskFacts("multi_label_classification", ("a", "b", "c")), 3, labels)
    assert found == pytest.approx(expected, rel=1e-5)


def test_scores_of_a_mixed_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    labels = [math.nan, 1.0, math.nan, 4.0]
    hard = mean([(STUDENT[1][0] - 1.0) ** 2, (STUDENT[3][0] - 4.0) ** 2])
    soft = mean([(mine[0] - its[0]) ** 2 for mine, its in zip(STUDENT, TEACHER, strict=True)])
    expected = {"hard_labels": hard, "soft": soft, "total": HARD * hard + WEIGHT * soft}
    assert step(monkeypatch, TaskFacts("sequence_regression", ("score",)), 1, labels) == pytest.approx(expected)


def test_a_batch_without_labels_learns_from_the_teacher_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    found = step(monkeypatch, TaskFacts("sequence_classification", ("a", "b", "c")), 3, [NONE] * 4)
    soft = mean([kl(*rows) for rows in zip(STUDENT, TEACHER, strict=True)])
    assert found == pytest.approx({"hard_labels": 0.0, "soft": soft, "total": WEIGHT * soft}, rel=1e-5)


def test_a_scheduled_weight_follows_the_progress_of_training(monkeypatch: pytest.MonkeyPatch) -> None:
    labels, facts = [2, 1, 0, 1], TaskFacts("sequence_classification", ("a", "b", "c"))
    module = given(monkeypatch, facts, SoftTargets(LinearSchedule(1.0, 0.0), T), progress=0.5)
    hard, soft = classes(None, labels)
    expected = {"hard_labels": hard, "soft": soft, "total": HARD * hard + 0.5 * soft}
    assert terms(module, labels) == pytest.approx(expected, rel=1e-5)


def test_each_network_gets_the_inputs_that_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    facts = TaskFacts("sequence_classification", ("a", "b", "c"))
    for segments in ((0, 2), (2, 0)):
        module: Any = given(monkeypatch, facts, SoftTargets(WEIGHT, T), segments=segments)
        terms(module, [2, 1, 0, 1])
        for network, types in zip((module.network, module.teacher_run.model), segments, strict=True):
            assert network.seen - {"token_type_ids"} == {"input_ids", "attention_mask"}
            assert ("token_type_ids" in network.seen) == (types == 2)


def test_without_a_teacher_such_texts_are_refused() -> None:
    trainer: Any = SimpleNamespace(datamodule=SimpleNamespace(unlabelled="more.txt"))
    module = SequenceClassification("unused", ["a", "b"])
    module._trainer = trainer
    with pytest.raises(ValueError, match=r"unlabelled_file=more.txt: SequenceClassification has no teacher to"):
        module.setup("fit")
    module.setup("test")
    taught = TaskDistillation("unused", {"soft": SoftTargets()}, TaskFacts("sequence_classification", ("a", "b")))
    taught._trainer = trainer
    taught.setup("fit")
