"""The losses against a second implementation: plain Python loops over tokens, in float64."""

import math

import pytest
import torch
from torch import Tensor

from distilkobert.batching import IGNORE_INDEX
from distilkobert.objectives.functions import (
    cosine_hidden_loss,
    masked_lm_loss,
    soft_target_loss,
)

VOCAB, WIDTH = 11, 6


def ragged(seed: int, lengths: tuple[int, ...] = (7, 1, 4)) -> dict[str, Tensor]:
    """A batch of sequences of different lengths, with about a third of the real tokens masked."""
    generator = torch.Generator().manual_seed(seed)
    shape = (len(lengths), max(lengths))
    mask = torch.arange(shape[1]) < torch.tensor(lengths)[:, None]
    labels = torch.randint(0, VOCAB, shape, generator=generator)
    chosen = (torch.rand(shape, generator=generator) < 0.34) & mask
    chosen[0, 0] = True
    return {
        "mask": mask,
        "labels": labels.where(chosen, torch.tensor(IGNORE_INDEX)),
        "student": torch.randn(*shape, VOCAB, generator=generator) * 3,
        "teacher": torch.randn(*shape, VOCAB, generator=generator) * 3,
        "student_hidden": torch.randn(*shape, WIDTH, generator=generator),
        "teacher_hidden": torch.randn(*shape, WIDTH, generator=generator),
    }


def log_softmax(row: list[float]) -> list[float]:
    top = max(row)
    total = math.log(sum(math.exp(x - top) for x in row)) + top
    return [x - total for x in row]


def naive_soft_target(batch: dict[str, Tensor], temperature: float) -> float:
    losses = []
    for b, t in batch["mask"].nonzero().tolist():
        student = log_softmax([x / temperature for x in batch["student"][b, t].tolist()])
        teacher = log_softmax([x / temperature for x in batch["teacher"][b, t].tolist()])
        losses.append(sum(math.exp(q) * (q - p) for p, q in zip(student, teacher, strict=True)))
    return temperature**2 * sum(losses) / len(losses)


def naive_masked_lm(batch: dict[str, Tensor]) -> float:
    losses = []
    for b, t in batch["mask"].nonzero().tolist():
        label = int(batch["labels"][b, t])
        if label != IGNORE_INDEX:
            losses.append(-log_softmax(batch["student"][b, t].tolist())[label])
    return sum(losses) / len(losses)


def naive_cosine(batch: dict[str, Tensor]) -> float:
    losses = []
    for b, t in batch["mask"].nonzero().tolist():
        x, y = batch["student_hidden"][b, t].tolist(), batch["teacher_hidden"][b, t].tolist()
        dot = sum(p * q for p, q in zip(x, y, strict=True))
        losses.append(1 - dot / math.sqrt(sum(p * p for p in x) * sum(q * q for q in y)))
    return sum(losses) / len(losses)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0, 8.0])
def test_soft_target_equals_the_naive_loop(seed: int, temperature: float) -> None:
    batch = ragged(seed)
    real = batch["mask"]
    loss = soft_target_loss(batch["student"][real], batch["teacher"][real], temperature=temperature)
    assert loss.item() == pytest.approx(naive_soft_target(batch, temperature), abs=1e-5)


@pytest.mark.parametrize("seed", range(5))
def test_masked_lm_and_cosine_equal_the_naive_loops(seed: int) -> None:
    batch = ragged(seed)
    assert masked_lm_loss(batch["student"], batch["labels"]).item() == pytest.approx(naive_masked_lm(batch), abs=1e-5)
    real = batch["mask"]
    cosine = cosine_hidden_loss(batch["student_hidden"][real], batch["teacher_hidden"][real])
    assert cosine.item() == pytest.approx(naive_cosine(batch), abs=1e-5)


@pytest.mark.parametrize("seed", range(3))
def test_gradients_equal_the_closed_forms(seed: int) -> None:
    """d/dz of T^2 KL is T (softmax(z/T) - teacher) / N; of cross-entropy (softmax(z) - onehot) / N."""
    batch, temperature = ragged(seed), 2.0
    student = batch["student"].clone().requires_grad_(True)
    real = batch["mask"]
    soft_target_loss(student[real], batch["teacher"][real], temperature=temperature).backward()
    difference = (student.detach() / temperature).softmax(-1) - (batch["teacher"] / temperature).softmax(-1)
    expected = temperature * difference * batch["mask"][..., None] / batch["mask"].sum()
    torch.testing.assert_close(student.grad, expected, atol=1e-5, rtol=0)

    student = batch["student"].clone().requires_grad_(True)
    masked_lm_loss(student, batch["labels"]).backward()
    counted = batch["labels"] != IGNORE_INDEX
    onehot = torch.nn.functional.one_hot(batch["labels"].clamp(min=0), VOCAB)
    expected = (student.detach().softmax(-1) - onehot) * counted[..., None] / counted.sum()
    torch.testing.assert_close(student.grad, expected, atol=1e-5, rtol=0)


def test_cosine_gradient_equals_finite_differences() -> None:
    batch = {name: value.double() for name, value in ragged(0).items()}
    hidden = batch["student_hidden"].clone().requires_grad_(True)
    real = batch["mask"].bool()
    cosine_hidden_loss(hidden[real], batch["teacher_hidden"][real]).backward()
    assert hidden.grad is not None
    for index in [(0, 0, 0), (0, 6, 3), (1, 0, 5), (2, 3, 1)]:
        shifted = []
        for step in (1e-3, -1e-3):
            batch["student_hidden"] = hidden.detach().clone()
            batch["student_hidden"][index] += step
            shifted.append(naive_cosine({**batch, "mask": real}))
        assert hidden.grad[index].item() == pytest.approx((shifted[0] - shifted[1]) / 2e-3, abs=1e-5)


def test_equal_models_lose_nothing() -> None:
    batch = ragged(2)
    assert soft_target_loss(batch["teacher"], batch["teacher"], temperature=2.0).item() == pytest.approx(0, abs=1e-6)
    assert cosine_hidden_loss(batch["teacher_hidden"], batch["teacher_hidden"]).item() == pytest.approx(0, abs=1e-6)


def test_no_selected_token_gives_zero_and_a_zero_gradient() -> None:
    logits = torch.randn(2, 3, VOCAB, requires_grad=True)
    loss = masked_lm_loss(logits, torch.full((2, 3), IGNORE_INDEX))
    loss.backward()
    assert loss.item() == 0
    assert logits.grad is not None
    assert logits.grad.abs().sum() == 0
    for loss in (soft_target_loss(logits[:0], logits[:0], temperature=1.0), cosine_hidden_loss(logits[:0], logits[:0])):
        assert loss.item() == 0


def test_bfloat16_logits_are_reduced_in_float32() -> None:
    batch = ragged(3)
    exact = soft_target_loss(batch["student"].bfloat16().float(), batch["teacher"].bfloat16().float(), temperature=2.0)
    half = soft_target_loss(batch["student"].bfloat16(), batch["teacher"].bfloat16(), temperature=2.0)
    assert half.dtype == torch.float32
    assert half == exact


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match=r"student \(2, 4\)"):
        cosine_hidden_loss(torch.zeros(2, 4), torch.zeros(2, 5))
