"""A linear probe: how well frozen features of a network tell the sentiment of NSMC's reviews.

Reviews are cut from the training file alone, by a hash of their text, so that no text is in both parts and the test
file stays unread. Features are mean-pooled last hidden states; the classifier is logistic regression with an L2
penalty, fitted on all examples at once, without any random choice (Alain and Bengio 2016, arXiv:1610.01644, for the
idea).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor

from distilkobert.tasks.files.text_examples import TextExample
from distilkobert.tasks.splits import number_of
from distilkobert.tasks.tags.labels import NSMC_LABELS

_TEST_BUCKETS: Final = 5
"""Of so many parts of the file one is held out."""

_BATCH: Final = 64


@dataclass(frozen=True)
class ProbeSpec:
    """A probe of the network in training, every N optimizer steps; off without `data_dir`.

    Args:
        data_dir: folder of NSMC; only its training file is read.
        every_n_steps: optimizer steps between two probes; start and end of a run are also probed.
        train_examples: reviews to fit the classifier on, fewer if the file has fewer.
        test_examples: held-out reviews to score it on; with 2,000 the standard error is about 1 point.
        max_length: tokens of a review, including [CLS] and [SEP]; longer reviews are truncated.
        l2: L2 penalty: weight of half the squared norm of the classifier's weights, added to the mean cross-entropy.
    """

    data_dir: str | None = None
    every_n_steps: int = 1000
    train_examples: int = 2000
    test_examples: int = 2000
    max_length: int = 64
    l2: float = 0.01

    def __post_init__(self) -> None:
        for name in ("every_n_steps", "train_examples", "test_examples"):
            if getattr(self, name) < 1:
                raise ValueError(f"probe.{name}={getattr(self, name)}: must be 1 or more")
        if self.max_length < 3:
            raise ValueError(f"probe.max_length={self.max_length}: must be 3 or more: [CLS], one piece, [SEP]")
        if not 0.0 < self.l2 < float("inf"):
            raise ValueError(f"probe.l2={self.l2}: must be a finite number above 0")


def choose_reviews(
    reviews: Iterable[TextExample], spec: ProbeSpec, where: str
) -> tuple[list[TextExample], list[TextExample]]:
    """Reviews to fit on and reviews to score on: those of each part whose texts have the smallest hashes.

    White space does not count in a text, repeated texts are taken once, empty ones not at all.

    Args:
        reviews: all of the training file.
        spec: how many of each.
        where: the file, for messages.

    Raises:
        ValueError: a part has no review of one of the labels.
    """
    hashed = {number_of(" ".join(review.text.split())): review for review in reviews if review.text.split()}
    parts: tuple[list[TextExample], list[TextExample]] = ([], [])
    for number in sorted(hashed):
        parts[number % _TEST_BUCKETS == 0].append(hashed[number])
    chosen = parts[0][: spec.train_examples], parts[1][: spec.test_examples]
    for part, name in zip(chosen, ("train", "test"), strict=True):
        if len({review.label for review in part}) < len(NSMC_LABELS):
            raise ValueError(
                f"{where}: the {len(part)} reviews of the probe's {name} part do not have both labels; raise "
                f"probe.{name}_examples or take a larger file"
            )
    return chosen


def pooled_features(
    ids: Sequence[Sequence[int]], encode: Callable[[Tensor, Tensor], Tensor], pad_token_id: int
) -> Tensor:
    """Mean of the last hidden states over the tokens of each text, (N, H) float64 on the CPU.

    Args:
        ids: N texts as framed ids.
        encode: last hidden states (B, T, H) of ids and attention mask (B, T).
        pad_token_id: fills up shorter texts.
    """
    order = sorted(range(len(ids)), key=lambda number: len(ids[number]))
    features: list[Tensor] = [torch.empty(0)] * len(ids)
    for start in range(0, len(order), _BATCH):
        numbers = order[start : start + _BATCH]
        longest = len(ids[numbers[-1]])
        rows = torch.tensor([[*ids[n], *[pad_token_id] * (longest - len(ids[n]))] for n in numbers])
        lengths = torch.tensor([len(ids[n]) for n in numbers])
        mask = (torch.arange(longest) < lengths[:, None]).long()
        hidden = encode(rows, mask).float().cpu()
        pooled = (hidden * mask[..., None]).sum(1) / lengths[:, None]
        for number, feature in zip(numbers, pooled.double(), strict=True):
            features[number] = feature
    return torch.stack(features)


@dataclass(frozen=True)
class LinearClassifier:
    """Two classes divided by a plane.

    Args:
        weight: (H,).
        bias: scalar.
    """

    weight: Tensor
    bias: Tensor

    def accuracy(self, features: Tensor, labels: Tensor) -> float:
        """Share (0 to 1) of the N features (N, H) whose label (N,), 0 or 1, is found."""
        guesses = features @ self.weight + self.bias > 0
        return float((guesses == labels.bool()).double().mean())


def fit_classifier(features: Tensor, labels: Tensor, l2: float) -> LinearClassifier:
    """The minimum of mean cross-entropy plus `l2`/2 times the squared norm of the weights of standardised features.

    The minimum is unique, found by L-BFGS in double precision from zero; the penalty acts on features of mean 0 and
    standard deviation 1, so that it means the same for networks whose hidden states have other scales.

    Args:
        features: (N, H) float64.
        labels: (N,), 0 or 1.
        l2: above 0.
    """
    mean, deviation = features.mean(0), features.std(0, correction=0)
    # A constant dimension carries no information.
    scale = torch.where(deviation > 1e-12, 1.0 / deviation.clamp(min=1e-12), 0.0)
    standardised, targets = (features - mean) * scale, labels.double()
    solution = torch.zeros(features.shape[1] + 1, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS(
        [solution], max_iter=500, tolerance_grad=1e-7, tolerance_change=1e-12, line_search_fn="strong_wolfe"
    )

    def objective() -> Tensor:
        optimizer.zero_grad()
        weight, bias = solution[:-1], solution[-1]
        loss = (
            F.binary_cross_entropy_with_logits(standardised @ weight + bias, targets) + l2 / 2 * weight.square().sum()
        )
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    with torch.enable_grad():
        optimizer.step(objective)  # type: ignore[no-untyped-call]
    weight = solution.detach()[:-1] * scale
    return LinearClassifier(weight, solution.detach()[-1] - weight @ mean)
