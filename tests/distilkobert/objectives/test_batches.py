"""Positions that come with a batch are those that would be looked up, and a step looks for none."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from distilkobert.models.forward import NetworkRun
from distilkobert.models.heads import encode, encode_layers
from distilkobert.models.teachers import EncoderSpec
from distilkobert.objectives import Batch
from distilkobert.objectives.weighted_sum import Captured
from experiments.bench.steps.distilling import Distilling, make_batch, make_module
from tests.support.networks.encoders import FAMILY_NAMES, tiny_batch, tiny_encoder

ALL = Captured(frozenset({0}), frozenset({1}), "real_tokens")
SYNCHRONISING = ("nonzero", "_local_scalar_dense", "masked_select", "unique", "bincount")
"""Parts of names of operations whose result, or its shape, has to be known on the CPU."""


class Watch(TorchDispatchMode):
    """Counts operations that would wait for a CUDA device, a mask used as an index among them."""

    def __init__(self) -> None:
        super().__init__()
        self.found: Counter[str] = Counter()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = str(func)
        indexed = name.startswith("aten.index") and any(
            one is not None and one.dtype is torch.bool
            for one in (args[1] if len(args) > 1 and isinstance(args[1], (list, tuple)) else ())
        )
        if indexed or any(part in name for part in SYNCHRONISING):
            self.found[name] += 1
        return func(*args, **(kwargs or {}))


def with_positions(batch: Batch) -> Batch:
    """Positions by a slow count."""
    found: dict[str, list[int]] = {"real_positions": [], "masked_positions": []}
    width = batch.input_ids.shape[1]
    for row in range(len(batch.input_ids)):
        for place in range(width):
            if batch.attention_mask[row, place] == 1:
                found["real_positions"].append(row * width + place)
            if batch.labels[row, place] != -100:
                found["masked_positions"].append(row * width + place)
    return replace(batch, **{name: torch.tensor(places) for name, places in found.items()})


def batch_of_families(*, padded: bool = True) -> Batch:
    ids, mask = tiny_batch()
    labels = torch.full_like(ids, -100)
    labels[:, 2] = ids[:, 2]
    labels[0, 9] = ids[0, 9]
    return Batch(ids, mask if padded else torch.ones_like(mask), labels)


def test_given_positions_are_those_that_are_looked_up() -> None:
    found, given = batch_of_families(), with_positions(batch_of_families())
    for tokens in ("real_tokens", "masked_tokens"):
        assert torch.equal(found.positions[tokens], given.positions[tokens])
    real = found.positions["real_tokens"].tolist()
    expected = [real.index(place) for place in found.positions["masked_tokens"].tolist()]
    assert given.masked_among_real.tolist() == found.masked_among_real.tolist() == expected
    assert given.padding_mask is not None
    assert with_positions(batch_of_families(padded=False)).padding_mask is None


@pytest.mark.parametrize("family", FAMILY_NAMES)
@pytest.mark.parametrize("padded", [True, False])
@torch.no_grad()
def test_networks_say_the_same_of_it(family: str, padded: bool) -> None:
    plain = batch_of_families(padded=padded)
    given, model = with_positions(plain), tiny_encoder(family)
    ids, real = plain.input_ids, plain.attention_mask.bool()
    expected = model.base_model(input_ids=ids, attention_mask=plain.attention_mask, output_hidden_states=True)
    assert torch.equal(encode(model, ids, given.padding_mask)[real], expected.last_hidden_state[real])
    layers = encode_layers(model, ids, given.padding_mask)
    for mine, its in zip(layers, expected.hidden_states[1:], strict=True):
        assert torch.equal(mine[real], its[real])
    if family != "deberta-v2":  # gives no attention
        one, other = (NetworkRun(tiny_encoder(family), ALL)(batch) for batch in (plain, given))
        for tokens in ("real_tokens", "masked_tokens"):
            assert torch.equal(one.logits(tokens), other.logits(tokens))


@pytest.mark.parametrize("padded", [True, False])
def test_a_step_waits_for_no_device(padded: bool) -> None:
    distilling = Distilling(EncoderSpec(3, 16, 2, 24, dropout=0.1), (0, 2), 60, 4, 16)
    module, batch = make_module(distilling), make_batch(distilling)
    if not padded:
        batch["attention_mask"] = torch.ones_like(batch["attention_mask"])
    tokens = with_positions(Batch(batch["input_ids"], batch["attention_mask"], batch["labels"]))
    given = {**batch, "real_positions": tokens.real_positions, "masked_positions": tokens.masked_positions}
    with Watch() as watch:
        loss = module.training_step(given, 0)["loss"]
        loss.backward()
    assert watch.found == {}
    with Watch() as watch:
        module.training_step(batch, 0)
    assert watch.found, "looking positions up would have to wait"
