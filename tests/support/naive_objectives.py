"""A second implementation of every objective, with plain loops over sequences, tokens and heads."""

import math
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from distilkobert.objectives import Batch, Outputs
from tests.support.objective_inputs import LENGTHS


def real(batch: Batch) -> Iterator[tuple[int, int]]:
    return ((row, column) for row, length in enumerate(LENGTHS) for column in range(length))


def masked(batch: Batch) -> Iterator[tuple[int, int]]:
    return ((row, column) for row, column in real(batch) if batch.labels[row, column] != -100)


def chosen(batch: Batch, on: str) -> list[tuple[int, int]]:
    return list(masked(batch) if on == "masked_tokens" else real(batch))


def logits(output: Outputs, place: tuple[int, int]) -> Tensor:
    return output.project(output.hidden[output.last][place])


def softmax(values: Tensor) -> Tensor:
    exponents = (values - values.max()).exp()
    return exponents / exponents.sum()


def kl(teacher: Tensor, student: Tensor) -> Tensor:
    return (teacher * (teacher.log() - student.log())).sum()


def soft_target(s: Outputs, t: Outputs, batch: Batch, on: str, temperature: float) -> Tensor:
    places = chosen(batch, on)
    terms = [kl(softmax(logits(t, p) / temperature), softmax(logits(s, p) / temperature)) for p in places]
    return temperature**2 * sum(terms, torch.zeros(())) / len(places)


def masked_lm(s: Outputs, t: Outputs, batch: Batch) -> Tensor:
    places = list(masked(batch))
    return sum((-softmax(logits(s, p))[batch.labels[p]].log() for p in places), torch.zeros(())) / len(places)


def cosine(s: Outputs, t: Outputs, batch: Batch, on: str, project: Callable[[Tensor], Tensor]) -> Tensor:
    terms = []
    for place in chosen(batch, on):
        mine, its = project(s.hidden[1][place]), t.hidden[3][place]
        terms.append(1 - (mine * its).sum() / (mine.norm() * its.norm()))
    return sum(terms, torch.zeros(())) / len(terms)


def hidden_mse(
    s: Outputs, t: Outputs, batch: Batch, pairs: list[tuple[int, int]], projections: Any, normalize: bool, first: bool
) -> Tensor:
    total = torch.zeros(())
    places = [(row, 0) for row in range(len(LENGTHS))] if first else list(real(batch))
    for (a, b), projection in zip(pairs, projections, strict=True):
        for place in places:
            mine, its = projection(s.hidden[a][place]), t.hidden[b][place]
            if normalize:
                mine, its = mine / mine.norm(), its / its.norm()
            square = ((mine - its) ** 2).sum()
            total = total + (square if normalize else square / len(its)) / len(places)
    return total


def scores(query: Tensor, key: Tensor, row: int, i: int, head: int) -> Tensor:
    """Scores of one real token to the real tokens of its sequence."""
    width = query.shape[-1]
    return torch.stack(
        [(query[row, head, i] * key[row, head, j]).sum() / math.sqrt(width) for j in range(LENGTHS[row])]
    )


def over_heads(rows: list[list[Tensor]]) -> list[list[Tensor]]:
    """Of student and teacher one value for each head, or the means where their numbers differ."""
    if len(rows[0]) == len(rows[1]):
        return rows
    return [[torch.stack(side).mean(0)] for side in rows]


def attention(s: Outputs, t: Outputs, batch: Batch, pairs: list[tuple[int, int]], compare: str) -> Tensor:
    total = torch.zeros(())
    for a, b in pairs:
        terms = []
        for row, i in real(batch):
            layers = (s.attention[a], t.attention[b])
            sides = [[scores(x.query, x.key, row, i, head) for head in range(x.query.shape[1])] for x in layers]
            if compare == "distributions_kl":
                sides = over_heads([[softmax(values) for values in side] for side in sides])
                terms += [kl(its, mine) for mine, its in zip(*sides, strict=True)]
            else:
                sides = over_heads(sides)
                terms += [v for mine, its in zip(*sides, strict=True) for v in (mine - its) ** 2]
        total = total + sum(terms, torch.zeros(())) / len(terms)
    return total


def relations(s: Outputs, t: Outputs, batch: Batch, pair: tuple[int, int], heads: int, kinds: list[str]) -> Tensor:
    total = torch.zeros(())
    for kind in kinds:
        terms = []
        states = [getattr(x.attention[layer], kind) for x, layer in zip((s, t), pair, strict=True)]
        for row, i in real(batch):
            for head in range(heads):
                rows = []
                for values in states:
                    joined = [
                        torch.cat([values[row, a, j] for a in range(values.shape[1])]) for j in range(LENGTHS[row])
                    ]
                    width = len(joined[0]) // heads
                    parts = [vector[head * width : (head + 1) * width] for vector in joined]
                    rows.append(softmax(torch.stack([(parts[i] * part).sum() / math.sqrt(width) for part in parts])))
                terms.append(kl(rows[1], rows[0]))
        total = total + sum(terms, torch.zeros(())) / len(terms)
    return total


def vectors(
    s: Outputs,
    t: Outputs,
    batch: Batch,
    pooling: str,
    compare: str,
    normalize: bool,
    project: Callable[[Tensor], Tensor],
) -> Tensor:
    terms = []
    for row, length in enumerate(LENGTHS):
        mine, its = (
            x.hidden[x.last][row, 0] if pooling == "cls" else x.hidden[x.last][row, :length].mean(0) for x in (s, t)
        )
        mine = project(mine)
        if normalize:
            mine, its = mine / mine.norm(), its / its.norm()
        same = (mine * its).sum() / (mine.norm() * its.norm())
        terms.append(1 - same if compare == "cosine" else ((mine - its) ** 2).sum())
    return sum(terms, torch.zeros(())) / len(terms)


def logits_mse(s: Outputs, t: Outputs, batch: Batch, on: str) -> Tensor:
    places = chosen(batch, on)
    return sum((((logits(s, p) - logits(t, p)) ** 2).mean() for p in places), torch.zeros(())) / len(places)
