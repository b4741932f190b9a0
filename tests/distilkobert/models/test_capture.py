"""What a capture keeps: equal to transformers' own hidden states and to naive projections; outputs do not change."""

import pytest
import torch
from torch import Tensor
from torch._dynamo.testing import CompileCounter
from transformers import PreTrainedModel

from distilkobert.models.capture import Capture
from distilkobert.models.families import FAMILIES
from distilkobert.models.heads import encode
from tests.support.networks.encoders import FAMILY_NAMES, tiny_batch, tiny_encoder

WITH_ATTENTION = tuple(name for name in FAMILY_NAMES if FAMILIES[name].attention)
IDS, MASK = tiny_batch()


def split(projected: Tensor, heads: int = 2) -> Tensor:
    """(B, T, H) into (B, heads, T, H / heads)."""
    return torch.stack(projected.chunk(heads, dim=-1), dim=1)


def rotated(states: Tensor, base: float) -> Tensor:
    """Rotary embedding by complex numbers: pair (i, i + d/2) turns by position times base^(-2i/d)."""
    width = states.shape[-1]
    pairs = torch.complex(states[..., : width // 2].double(), states[..., width // 2 :].double())
    speeds = base ** (-2 * torch.arange(width // 2, dtype=torch.double) / width)
    turns = torch.arange(states.shape[-2])[:, None] * speeds
    turned = pairs * torch.polar(torch.ones_like(turns), turns)
    return torch.cat([turned.real, turned.imag], dim=-1).float()


def naive_projections(model: PreTrainedModel, layer: int, states: Tensor) -> list[Tensor]:
    """Query, key and value of a layer from the state in front of it, by hand."""
    if model.config.model_type == "modernbert":
        block = model.model.layers[layer]
        kind = model.config.layer_types[layer]
        query, key, value = (split(x) for x in block.attn.Wqkv(block.attn_norm(states)).chunk(3, dim=-1))
        base = model.config.rope_parameters[kind]["rope_theta"]
        return [rotated(query, base), rotated(key, base), value]
    if model.config.model_type == "distilbert":
        module, names = model.distilbert.transformer.layer[layer].attention, ("q_lin", "k_lin", "v_lin")
    elif model.config.model_type == "albert":
        module = model.albert.encoder.albert_layer_groups[0].albert_layers[0].attention
        names = ("query", "key", "value")
    else:
        module, names = model.base_model.encoder.layer[layer].attention.self, ("query", "key", "value")
    return [split(module.get_submodule(name)(states)) for name in names]


@pytest.mark.parametrize("family", FAMILY_NAMES)
def test_hidden_states_are_those_of_transformers(family: str) -> None:
    model = tiny_encoder(family)
    expected = model(input_ids=IDS, attention_mask=MASK, output_hidden_states=True)
    capture = Capture(model, hidden=[-1, 0, 2, 3])
    with capture as kept:
        hidden = encode(model, IDS, MASK)
    assert torch.equal(hidden, expected.hidden_states[-1])
    assert sorted(kept.hidden) == [-1, 0, 2, 3]
    for layer, state in kept.hidden.items():
        assert torch.equal(state, expected.hidden_states[layer + 1]), layer


@pytest.mark.parametrize("family", WITH_ATTENTION)
def test_projections_equal_a_naive_computation_and_outputs_do_not_change(family: str) -> None:
    model = tiny_encoder(family)
    before = model(input_ids=IDS, attention_mask=MASK, output_hidden_states=True)
    capture = Capture(model, projections=[0, 1, 3])
    with capture as kept:
        after = model(input_ids=IDS, attention_mask=MASK, output_hidden_states=True)
    assert torch.equal(after.logits, before.logits)
    assert all(torch.equal(x, y) for x, y in zip(after.hidden_states, before.hidden_states, strict=True))
    assert sorted(kept.projections) == [0, 1, 3]
    for layer, found in kept.projections.items():
        expected = naive_projections(model, layer, before.hidden_states[layer])
        for name, value in zip(("query", "key", "value"), expected, strict=True):
            torch.testing.assert_close(getattr(found, name), value, atol=1e-5, rtol=0, msg=f"{name} of {layer}")


@pytest.mark.parametrize("family", ["bert", "albert", "distilbert", "modernbert"])
def test_dropout_draws_the_same_numbers_and_gradients_flow_through_what_is_kept(family: str) -> None:
    plain = tiny_encoder(family).train()
    for name in FAMILIES[family].dropouts:
        setattr(plain.config, name, 0.2)
    plain = type(plain)(plain.config).train()
    watched = type(plain)(plain.config).train()
    watched.load_state_dict(plain.state_dict())
    capture = Capture(watched, hidden=[1], projections=[2])
    torch.manual_seed(4)
    expected = plain(input_ids=IDS, attention_mask=MASK).logits
    torch.manual_seed(4)
    with capture as kept:
        found = watched(input_ids=IDS, attention_mask=MASK).logits
    assert torch.equal(found, expected)
    (kept.hidden[1].sum() + kept.projections[2].query.square().sum()).backward()
    assert watched.get_input_embeddings().weight.grad.abs().sum() > 0


def test_a_capture_starts_empty_and_keeps_nothing_outside() -> None:
    model = tiny_encoder("albert")
    capture = Capture(model, hidden=[1], projections=[1])
    with capture as first:
        encode(model, IDS, MASK)
    before = first.hidden[1]
    encode(model, IDS[:1], MASK[:1])
    assert first.hidden[1] is before
    with capture as second:
        assert not second.hidden
        assert not second.projections
        encode(model, IDS[:1], MASK[:1])
    assert second.hidden[1].shape[0] == 1
    assert first.hidden[1] is before


def test_two_passes_in_one_capture_are_refused() -> None:
    model = tiny_encoder("bert")
    with Capture(model, hidden=[1]):
        encode(model, IDS, MASK)
        with pytest.raises(RuntimeError, match="second forward pass"):
            encode(model, IDS, MASK)


@pytest.mark.parametrize(
    "family", [pytest.param(name, marks=[] if name == "albert" else pytest.mark.slow) for name in FAMILY_NAMES]
)
def test_no_graph_breaks_and_no_compilation_in_each_step(family: str) -> None:
    model = tiny_encoder(family)
    plain = encode(model, IDS, MASK)
    layers = [1, 3] if FAMILIES[family].attention else []
    capture = Capture(model, hidden=[-1, 0, 3], projections=layers)
    torch._dynamo.reset()
    counter = CompileCounter()
    compiled = torch.compile(model.base_model, backend=counter, fullgraph=True)
    for _ in range(3):
        with capture as kept:
            hidden = compiled(input_ids=IDS, attention_mask=MASK).last_hidden_state
        assert torch.equal(hidden, plain)
        assert torch.equal(kept.hidden[3], plain)
        assert sorted(kept.hidden) == [-1, 0, 3]
        assert sorted(kept.projections) == layers
    assert counter.frame_count == 1
    torch._dynamo.reset()


def test_the_name_of_the_attention_is_in_no_saved_configuration() -> None:
    model = tiny_encoder("bert")
    before = model.config.to_dict()
    Capture(model, projections=[0])
    assert model.config.to_dict() == before


def test_what_cannot_be_captured_is_refused() -> None:
    with pytest.raises(ValueError, match="deberta-v2 calls no attention function"):
        Capture(tiny_encoder("deberta-v2"), projections=[0])
    with pytest.raises(ValueError, match="layer 4 cannot be captured: BertForMaskedLM has layers 0 to 3"):
        Capture(tiny_encoder("bert"), hidden=[4])
    model = tiny_encoder("bert")
    Capture(model, hidden=[1])
    with pytest.raises(ValueError, match="already has a capture"):
        Capture(model, projections=[1])
