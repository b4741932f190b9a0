"""Attention of layers with a window is compared as the networks compute it: against their eager attention weights."""

import copy

import pytest
import torch
from torch import Tensor
from transformers import PreTrainedModel

from distilkobert.models.forward import NetworkRun
from distilkobert.objectives import Batch
from distilkobert.objectives.attention_transfer import (
    attention_distributions_loss,
    attention_scores,
    attention_scores_loss,
    log_attention,
)
from distilkobert.objectives.contract.outputs import Attention
from distilkobert.objectives.weighted_sum import Captured
from tests.support.networks.encoders import tiny_batch, tiny_encoder

IDS, MASK = tiny_batch()
BATCH = Batch(IDS, MASK, torch.full_like(IDS, -100))
KINDS = ["sliding_attention", "full_attention", "sliding_attention", "full_attention"]


@torch.no_grad()
def network(seed: int, local_attention: int = 4) -> PreTrainedModel:
    """With weights that make attention far from uniform."""
    model = tiny_encoder("modernbert", seed=seed, local_attention=local_attention, layer_types=KINDS)
    for layer in model.model.layers:
        layer.attn.Wqkv.weight.mul_(20)
    return model


def attention(model: PreTrainedModel) -> list[Attention]:
    """Of every layer, as the objectives get it."""
    run = NetworkRun(copy.deepcopy(model), Captured(hidden=frozenset(), attention=frozenset(range(4)), logits=None))
    with torch.no_grad():
        return [layer for _, layer in sorted(run(BATCH).attention.items())]


def weights(model: PreTrainedModel) -> list[Tensor]:
    """transformers' own attention weights of every layer, (B, A, T, T)."""
    eager = copy.deepcopy(model)
    eager.set_attn_implementation("eager")
    with torch.no_grad():
        return list(eager(input_ids=IDS, attention_mask=MASK, output_attentions=True).attentions)


def pairs(values: Tensor) -> list[Tensor]:
    """The row of every real token and head."""
    return [values[row, head, place] for row, place in MASK.nonzero().tolist() for head in range(values.shape[1])]


def test_log_attention_is_the_networks_own_attention() -> None:
    model = network(0)
    windows = []
    for layer, expected in zip(attention(model), weights(model), strict=True):
        found = log_attention(attention_scores(layer.query, layer.key), MASK.bool(), layer.window).exp()
        torch.testing.assert_close(torch.stack(pairs(found)), torch.stack(pairs(expected)))
        windows.append(layer.window)
    assert windows == [3, None, 3, None]


@pytest.mark.parametrize("layer", range(4))
def test_losses_equal_those_of_the_eager_weights(layer: int) -> None:
    student, teacher = network(1), network(2)
    mine, its = attention(student)[layer], attention(teacher)[layer]
    theirs, scores, divergences = (pairs(weights(model)[layer]) for model in (student, teacher)), [], []
    raw = (pairs(attention_scores(one.query, one.key)) for one in (mine, its))
    for p, q, x, y in zip(*theirs, *raw, strict=True):
        there = q > 0
        divergences.append((q[there] * (q[there] / p[there]).log()).sum())
        scores.append((x - y)[there].square())
    found = attention_distributions_loss(mine, its, MASK.bool())
    torch.testing.assert_close(found, torch.stack(divergences).mean())
    torch.testing.assert_close(attention_scores_loss(mine, its, MASK.bool()), torch.cat(scores).mean())


@pytest.mark.parametrize(("ours", "others"), [(4, 8), (8, 4), (4, 40), (40, 4)])
def test_of_two_windows_each_network_keeps_its_own_and_the_teacher_is_cut_to_the_students(
    ours: int, others: int
) -> None:
    student, teacher = network(1, ours), network(2, others)
    mine, its = attention(student)[0], attention(teacher)[0]
    theirs = (pairs(weights(model)[0]) for model in (student, teacher))
    raw = (pairs(attention_scores(one.query, one.key)) for one in (mine, its))
    divergences, scores = [], []
    for p, q, x, y in zip(*theirs, *raw, strict=True):
        scores.append((x - y)[(p > 0) & (q > 0)].square())
        q = torch.where(p > 0, q, 0.0) / q[p > 0].sum()
        divergences.append((q[q > 0] * (q[q > 0] / p[q > 0]).log()).sum())
    torch.testing.assert_close(attention_scores_loss(mine, its, MASK.bool()), torch.cat(scores).mean())
    query = mine.query.clone().requires_grad_()
    found = attention_distributions_loss(mine._replace(query=query), its, MASK.bool())
    torch.testing.assert_close(found.detach(), torch.stack(divergences).mean())
    (gradient,) = torch.autograd.grad(found, query)
    assert gradient.isfinite().all()
    assert gradient.abs().sum() > 0
