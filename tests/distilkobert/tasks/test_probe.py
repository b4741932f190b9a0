"""The linear probe: which reviews, which features, and the best plane between two classes."""

import numpy as np
import pytest
import torch
from torch import Tensor

from distilkobert.tasks.files.text_examples import TextExample
from distilkobert.tasks.probe import LinearClassifier, ProbeSpec, choose_reviews, fit_classifier, pooled_features


def reviews(count: int) -> list[TextExample]:
    return [TextExample(str(number), f"영화 {number}", None, number % 2) for number in range(count)]


def test_parts_are_disjoint_and_do_not_change_with_the_order_of_the_file() -> None:
    spec = ProbeSpec(train_examples=30, test_examples=10)
    train, test = choose_reviews(reviews(200), spec, "file")
    assert (len(train), len(test)) == (30, 10)
    assert not {review.text for review in train} & {review.text for review in test}
    assert choose_reviews(reversed(reviews(200)), spec, "file") == (train, test)
    grown, _ = choose_reviews(reviews(200), ProbeSpec(train_examples=40, test_examples=10), "file")
    assert grown[:30] == train


def test_a_repeated_text_is_in_one_part_only_and_empty_ones_in_none() -> None:
    copies = [TextExample(f"copy{r.id}", f"  {r.text} ", None, r.label) for r in reviews(100)]
    train, test = choose_reviews([*reviews(100), *copies, TextExample("x", " ", None, 0)], ProbeSpec(), "file")
    texts = [" ".join(review.text.split()) for review in (*train, *test)]
    assert len(texts) == len(set(texts)) == 100


def test_a_part_with_one_label_is_refused() -> None:
    with pytest.raises(ValueError, match=r"ratings\.txt: the \d+ reviews of the probe's train part do not have both"):
        choose_reviews([review._replace(label=1) for review in reviews(100)], ProbeSpec(), "ratings.txt")


@pytest.mark.parametrize(
    ("setting", "value"),
    [("every_n_steps", 0), ("train_examples", 0), ("test_examples", 0), ("max_length", 2), ("l2", 0)],
)
def test_a_setting_out_of_range_is_refused(setting: str, value: int) -> None:
    with pytest.raises(ValueError, match=f"probe.{setting}={value}"):
        ProbeSpec(**{setting: value})  # type: ignore[arg-type]


def test_features_are_means_over_real_tokens_in_the_order_given() -> None:
    def encode(input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        # Padding holds nonsense that must not count.
        return torch.where(attention_mask[..., None] > 0, input_ids[..., None] * torch.tensor([1.0, 10.0]), 1e9)

    ids = [[2, 4, 6, 8], [3], [5, 7]] * 50
    features = pooled_features(ids, encode, pad_token_id=1)
    assert features.dtype == torch.float64
    expected = torch.tensor([[5.0, 50.0], [3.0, 30.0], [6.0, 60.0]], dtype=torch.float64).repeat(50, 1)
    assert torch.equal(features, expected)


def test_the_classifier_is_where_the_gradient_is_zero() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(80, 4)) * [1.0, 100.0, 0.01, 1.0] + [0.0, 5000.0, 0.0, 3.0]
    x[:, 3] = 3.0  # says nothing
    y = (x[:, 0] + (x[:, 1] - 5000) / 200 + rng.normal(size=80) > 0).astype(float)
    l2 = 0.05
    found = fit_classifier(torch.from_numpy(x), torch.from_numpy(y).long(), l2)
    scale = x.std(0)
    weight = found.weight.numpy()
    assert weight[3] == 0.0
    probability = 1 / (1 + np.exp(-(x @ weight + float(found.bias))))
    centered = (x - x.mean(0))[:, :3] / scale[:3]
    # The penalty acts on the weights of the standardised features, which are weight * scale.
    gradient = centered.T @ (probability - y) / len(y) + l2 * (weight * scale)[:3]
    assert np.abs(gradient).max() < 1e-6
    assert abs((probability - y).mean()) < 1e-6
    again = fit_classifier(torch.from_numpy(x), torch.from_numpy(y).long(), l2)
    assert torch.equal(again.weight, found.weight)


def test_accuracy_is_the_share_of_the_right_side() -> None:
    plane = LinearClassifier(torch.tensor([1.0, -1.0], dtype=torch.float64), torch.tensor(0.5, dtype=torch.float64))
    features = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0], [-2.0, 0.0]], dtype=torch.float64)
    assert plane.accuracy(features, torch.tensor([1, 0, 0, 0])) == 0.75
