"""Other dropout for a network: what training mode does with it, in every family."""

import pytest
import torch
from torch import Tensor
from transformers import PreTrainedModel

from distilkobert.models.dropout import DropoutSpec, with_dropout
from tests.support.networks.families import FAMILIES, PIECES, tiny

IDS = torch.arange(5, 45).reshape(2, 20) % PIECES
"""(2, 20), without padding."""


def states(network: PreTrainedModel, *, training: bool) -> tuple[Tensor, Tensor]:
    """The embeddings (2, 20, 16), and the last hidden states (2, 20, 16)."""
    torch.manual_seed(3)
    with torch.no_grad():
        found = network.train(training).base_model(IDS, output_hidden_states=True)
    return found.hidden_states[0], found[0]


def changed(family: str, spec: DropoutSpec) -> tuple[bool, bool]:
    """Whether training mode changes the embeddings and the last hidden states."""
    network = with_dropout(tiny(family, "ForTokenClassification"), "token_classification", spec)
    pairs = zip(states(network, training=False), states(network, training=True), strict=True)
    return tuple(not torch.allclose(*pair, atol=1e-5) for pair in pairs)  # type: ignore[return-value]


@pytest.mark.parametrize("family", FAMILIES)
def test_each_value_changes_its_own_part(family: str) -> None:
    assert changed(family, DropoutSpec(hidden=0.0, attention=0.0)) == (False, False)
    assert changed(family, DropoutSpec(hidden=0.0, attention=0.5)) == (False, True)
    assert changed(family, DropoutSpec(hidden=0.5, attention=0.0)) == (True, True)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_value_not_given_is_kept_and_so_are_the_weights(family: str) -> None:
    network = tiny(family, "ForTokenClassification")
    before = {name: value for name, value in network.config.to_dict().items() if "dropout" in name}
    weights = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    other = with_dropout(network, "token_classification", DropoutSpec(attention=0.25))
    assert not other.training
    torch.testing.assert_close(dict(other.state_dict()), weights, rtol=0, atol=0)
    after = {name: value for name, value in other.config.to_dict().items() if "dropout" in name}
    different = {name: value for name, value in after.items() if value != before[name]}
    assert list(different.values()) == [0.25]
    assert "attention" in next(iter(different))


def test_nothing_given_leaves_the_network_alone_even_of_an_unknown_family() -> None:
    network = tiny("Bert", "ForTokenClassification")
    network.config.model_type = "unknown"
    assert with_dropout(network, "token_classification", DropoutSpec()) is network


@pytest.mark.parametrize("value", [-0.1, 1.0, float("nan")])
def test_values_out_of_range_are_refused_by_name(value: float) -> None:
    with pytest.raises(ValueError, match=r"dropout\.attention=.*must be in \[0, 1\)"):
        DropoutSpec(attention=value)
    with pytest.raises(ValueError, match=r"dropout\.hidden="):
        DropoutSpec(hidden=value)
