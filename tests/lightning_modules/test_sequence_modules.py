"""Losses and scores of classification and regression, against scikit-learn, scipy and naive code."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats
from sklearn import metrics

from lightning_modules import SequenceClassification, SequenceRegression
from tests.support.tasks.batches import GivenNetwork, make_batch

LABELS = ["긍정", "부정", "중립"]


def values(module: Any, stage: str = "test") -> dict[str, float]:
    return {name: float(value) for name, value in module.scores(stage).items()}


def fed(module: Any, logits: Any, labels: torch.Tensor, sizes: tuple[int, ...]) -> list[dict[str, Any]]:
    """Records of all examples, given in batches of these sizes."""
    records, start = [], 0
    for size in sizes:
        stop = start + size
        module.network = GivenNetwork(logits=logits[start:stop].tolist())
        batch = make_batch([2] * size, labels=labels[start:stop], rows=list(range(start, stop)))
        records += module.test_step(batch, 0)["records"]
        start = stop
    return records


def test_classes_are_scored_as_scikit_learn_does() -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(60, 3, generator=generator)
    labels = torch.randint(0, 3, (60,), generator=generator)
    module = SequenceClassification("unused", labels=LABELS)
    records = fed(module, logits, labels, (7, 33, 20))
    guess = logits.argmax(1).numpy()
    found = values(module)
    assert found["accuracy"] == pytest.approx(metrics.accuracy_score(labels, guess))
    assert found["macro_f1"] == pytest.approx(metrics.f1_score(labels, guess, average="macro"))
    assert found["mcc"] == pytest.approx(metrics.matthews_corrcoef(labels, guess))
    of_each = metrics.f1_score(labels, guess, average=None)
    assert [found[f"f1_{label}"] for label in LABELS] == pytest.approx(of_each.tolist())
    assert [record["predicted"] for record in records] == [LABELS[number] for number in guess]
    counted = module.codec.counts(records)
    assert {title: sums.percent for title, sums in counted.items()} == pytest.approx(
        {"accuracy": 100 * found["accuracy"], "macro F1": 100 * found["macro_f1"], "MCC": 100 * found["mcc"]}, abs=1e-3
    )


def test_one_class_alone_has_no_correlation() -> None:
    module = SequenceClassification("unused", labels=LABELS)
    fed(module, torch.tensor([[5.0, 0.0, 0.0]]).repeat(8, 1), torch.tensor([0, 0, 0, 1, 1, 2, 0, 0]), (8,))
    found = values(module, "val")
    assert found == pytest.approx({"accuracy": 5 / 8, "macro_f1": (10 / 13) / 3, "mcc": 0.0})


def test_weights_weigh_the_loss() -> None:
    logits, labels, weights = torch.tensor([[0.0, 1.0, 2.0], [1.0, 0.0, 0.0]]), torch.tensor([0, 1]), [1.0, 3.0, 0.5]
    module = SequenceClassification("unused", labels=LABELS, class_weights=weights)
    module.network = GivenNetwork(logits=logits.tolist())  # type: ignore[assignment]
    output = module.output(make_batch([2, 2], labels=labels, rows=[0, 1]))
    nll = [
        -math.log(math.exp(row[label]) / sum(map(math.exp, row)))
        for row, label in zip(logits.tolist(), [0, 1], strict=True)
    ]
    assert float(output.loss) == pytest.approx((1 * nll[0] + 3 * nll[1]) / 4)
    assert output.count == pytest.approx(4.0)
    with pytest.raises(ValueError, match="class_weights has 2 numbers for 3 classes"):
        SequenceClassification("unused", labels=LABELS, class_weights=[1.0, 2.0])
    for wrong in (0.0, -1.0, math.nan, math.inf):
        with pytest.raises(ValueError, match=r"data\.class_weights is .*: expected finite numbers above 0"):
            SequenceClassification("unused", labels=LABELS, class_weights=[1.0, 2.0, wrong])


def test_any_number_of_labels_is_scored_as_scikit_learn_does() -> None:
    generator = torch.Generator().manual_seed(1)
    logits = torch.randn(50, 3, generator=generator)
    labels = torch.randint(0, 2, (50, 3), generator=generator)
    module = SequenceClassification("unused", labels=LABELS, multi_label=True)
    records = fed(module, logits, labels, (20, 30))
    guess, found = (logits > 0).long().numpy(), values(module)
    assert found["micro_f1"] == pytest.approx(metrics.f1_score(labels, guess, average="micro"))
    assert found["macro_f1"] == pytest.approx(metrics.f1_score(labels, guess, average="macro"))
    assert found["exact_match"] == pytest.approx(metrics.accuracy_score(labels, guess))
    of_each = metrics.f1_score(labels, guess, average=None)
    assert [found[f"f1_{label}"] for label in LABELS] == pytest.approx(of_each.tolist())
    assert records[0]["predicted"] == [label for label, value in zip(LABELS, logits[0], strict=True) if value > 0]
    assert records[0]["probabilities"]["긍정"] == pytest.approx(1 / (1 + math.exp(-float(logits[0, 0]))), abs=1e-6)
    counted = module.codec.counts(records)
    assert counted["micro F1"].percent == pytest.approx(100 * found["micro_f1"], abs=1e-3)
    loss = float(module.output(make_batch([2] * 30, labels=labels[20:], rows=list(range(30)))).loss)
    shares = 1 / (1 + np.exp(-logits[20:].numpy().astype(np.float64)))
    true = labels[20:].numpy()
    assert loss == pytest.approx(float(-(true * np.log(shares) + (1 - true) * np.log(1 - shares)).mean()), rel=1e-5)


def test_a_label_that_never_occurs_counts_alike_in_metrics_and_records() -> None:
    module = SequenceClassification("unused", labels=LABELS, multi_label=True)
    logits, labels = torch.tensor([[3.0, -3.0, -3.0], [3.0, 3.0, -3.0]]), torch.tensor([[1, 0, 0], [1, 1, 0]])
    records = fed(module, logits, labels, (2,))
    assert float(values(module)["macro_f1"]) == pytest.approx(2 / 3)
    assert module.codec.counts(records)["macro F1"].percent == pytest.approx(100 * 2 / 3)


def test_scores_are_correlated_as_scipy_does() -> None:
    generator = torch.Generator().manual_seed(2)
    gold = (torch.rand(40, generator=generator) * 20).round() / 4
    guess = gold + torch.randn(40, generator=generator)
    module = SequenceRegression("unused")
    records = fed(module, guess[:, None], gold, (13, 27))
    found = values(module)
    assert found["pearson"] == pytest.approx(stats.pearsonr(gold, guess).statistic)
    assert found["spearman"] == pytest.approx(stats.spearmanr(gold, guess).statistic)
    assert float(module.mean_loss.compute()) == pytest.approx(float(((gold - guess) ** 2).mean()), rel=1e-5)
    counted = module.codec.counts(records)
    assert counted["Spearman"].percent == pytest.approx(100 * found["spearman"], abs=1e-3)
    fed(module, torch.ones(5, 1), gold[:5], (5,))
    assert values(module) == {"pearson": 0.0, "spearman": 0.0}, "a constant has no correlation"
    assert module.weight_of_error({"gold": 1.0, "predicted": 3.5}) == 2.5


@pytest.mark.parametrize(
    ("module", "labels", "message"),
    [
        (lambda: SequenceRegression("x"), torch.tensor([1, 0]), "SequenceRegression got classes, not scores"),
        (lambda: SequenceClassification("x", labels=LABELS), torch.tensor([0.5, 1.0]), "got scores, not classes"),
        (lambda: SequenceClassification("x", labels=LABELS), torch.tensor([[0, 1], [1, 0]]), "labels for every piece"),
    ],
)
def test_batches_of_another_kind_are_refused(module: Any, labels: torch.Tensor, message: str) -> None:
    made = module()
    made.network = GivenNetwork(logits=[[0.0], [0.0]])
    with pytest.raises(ValueError, match=message):
        made.output(make_batch([2, 2], labels=labels, rows=[0, 1]))


def test_one_class_is_no_classification() -> None:
    with pytest.raises(ValueError, match=r"the data has the classes \['yes'\]; expected two or more$"):
        SequenceClassification("unused", labels=["yes"])
    with pytest.raises(ValueError, match=r"data\.kind is regression; set model\.class_path=SequenceRegression$"):
        SequenceClassification("unused", labels=["score"])
    with pytest.raises(ValueError, match=r"the data has the labels \['yes'\]; .* set data\.kind=classification"):
        SequenceClassification("unused", labels=["yes"], multi_label=True)
