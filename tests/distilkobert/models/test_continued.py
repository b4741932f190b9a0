"""Every family of encoders gets a masked-LM head where it has none, and is fit to go on from."""

from pathlib import Path

import pytest
import torch

from distilkobert.models.checkpoints import load_own
from distilkobert.models.checks import DataFacts
from distilkobert.models.continued import load_to_continue
from distilkobert.models.dropout import DropoutSpec
from distilkobert.models.heads import encode, layer_parameters, masked_lm_logits
from tests.support.networks.families import FAMILIES, PAD, PIECES, tiny

FACTS = DataFacts(PIECES, PAD, 38)
IDS = torch.randint(4, PIECES, (2, 9), generator=torch.Generator().manual_seed(0))
MASK = torch.tensor([[1] * 9, [1] * 6 + [0] * 3])


@pytest.mark.parametrize("family", FAMILIES)
def test_a_bare_encoder_gets_a_tied_head(family: str, tmp_path: Path) -> None:
    bare = tiny(family, "Model")
    bare.save_pretrained(tmp_path)
    model, new = load_to_continue(tmp_path, FACTS)
    assert model.training
    assert model.get_output_embeddings().weight is model.get_input_embeddings().weight
    parameters = dict(model.named_parameters())
    assert new == [name for name in parameters if name in set(new)]
    encoder = {id(weight) for weight in model.base_model.parameters()}
    assert set(new) == {name for name, weight in parameters.items() if id(weight) not in encoder}
    assert new
    model.eval()
    with torch.inference_mode():
        expected = bare(input_ids=IDS, attention_mask=MASK).last_hidden_state
        assert torch.equal(encode(model, IDS, MASK), expected)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_head_that_is_there_is_kept(family: str, tmp_path: Path) -> None:
    whole = tiny(family, "ForMaskedLM")
    whole.save_pretrained(tmp_path)
    model, new = load_to_continue(tmp_path, FACTS)
    assert new == []
    model.eval()
    with torch.inference_mode():
        expected = whole(input_ids=IDS, attention_mask=MASK).logits
        assert torch.equal(masked_lm_logits(model, encode(model, IDS, MASK)), expected)


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("family", FAMILIES)
def test_every_trainable_parameter_gets_a_gradient(family: str, tied: bool, tmp_path: Path) -> None:
    """DDP refuses parameters that a backward pass does not reach."""
    tiny(family, "ForMaskedLM", tie_word_embeddings=tied).save_pretrained(tmp_path)
    model, new = load_to_continue(tmp_path, FACTS)
    assert new == []
    masked_lm_logits(model, encode(model, IDS, MASK)).sum().backward()
    assert not [name for name, one in model.named_parameters() if one.requires_grad and one.grad is None]


@pytest.mark.parametrize("head", ["Model", "ForMaskedLM"])
@pytest.mark.parametrize("family", FAMILIES)
def test_other_dropout_changes_nothing_else(family: str, head: str, tmp_path: Path) -> None:
    tiny(family, head, tie_word_embeddings=head == "Model").save_pretrained(tmp_path)
    torch.manual_seed(5)  # of a new head
    usual, new = load_to_continue(tmp_path, FACTS)
    torch.manual_seed(5)
    model, same = load_to_continue(tmp_path, FACTS, DropoutSpec(hidden=0.0, attention=0.0))
    assert new == same
    assert model.training
    torch.testing.assert_close(dict(model.state_dict()), dict(usual.state_dict()), rtol=0, atol=0)
    assert [name for name, one in model.named_parameters() if one.requires_grad] == [
        name for name, one in usual.named_parameters() if one.requires_grad
    ]  # a tied weight is one parameter in both
    assert torch.equal(encode(model, IDS, MASK), encode(model, IDS, MASK))
    other, _ = load_to_continue(tmp_path, FACTS, DropoutSpec(hidden=0.5))
    assert not torch.equal(encode(other, IDS, MASK), encode(other, IDS, MASK))


@pytest.mark.parametrize("family", FAMILIES)
def test_layers_are_all_but_embeddings_and_head(family: str) -> None:
    model = tiny(family, "ForMaskedLM")
    layers = {id(weight) for weight in layer_parameters(model)}
    inside = {name for name, weight in model.named_parameters() if id(weight) in layers}
    assert inside
    assert all("layer" in name or "norm" in name.lower() or "encoder" in name for name in inside)
    outside = [name for name, weight in model.named_parameters() if id(weight) not in layers]
    assert not any(".layer." in name or ".layers." in name for name in outside)
    embedding = model.get_input_embeddings().weight
    assert id(embedding) not in layers


@pytest.mark.parametrize(("family", "head"), [("Bert", True), ("Albert", True), ("Electra", False)])
def test_the_heads_of_a_pretraining_give_their_masked_lm_part(family: str, head: bool, tmp_path: Path) -> None:
    whole = tiny(family, "ForPreTraining")
    whole.save_pretrained(tmp_path)
    model, new = load_to_continue(tmp_path, FACTS)
    assert bool(new) is not head
    assert type(load_own(tmp_path)).__name__ == family + ("ForMaskedLM" if head else "Model")
    if head:
        model.eval()
        with torch.inference_mode():
            assert torch.equal(model(IDS).logits, whole(IDS).prediction_logits)


def test_an_added_head_is_tied_whatever_the_configuration_says(tmp_path: Path) -> None:
    tiny("Bert", "Model", tie_word_embeddings=False).save_pretrained(tmp_path / "bare")
    model, _ = load_to_continue(tmp_path / "bare", FACTS)
    assert model.get_output_embeddings().weight is model.get_input_embeddings().weight
    model.save_pretrained(tmp_path / "again")
    again, new = load_to_continue(tmp_path / "again", FACTS)
    assert again.get_output_embeddings().weight is again.get_input_embeddings().weight
    assert new == []
    tiny("Bert", "ForMaskedLM", tie_word_embeddings=False).save_pretrained(tmp_path / "whole")
    whole, _ = load_to_continue(tmp_path / "whole", FACTS)
    assert whole.get_output_embeddings().weight is not whole.get_input_embeddings().weight


def test_a_classifier_gives_its_encoder(tmp_path: Path) -> None:
    classifier = tiny("XLMRoberta", "ForSequenceClassification")
    classifier.save_pretrained(tmp_path)
    model, new = load_to_continue(tmp_path, FACTS)
    assert new
    assert all(name.startswith("lm_head.") for name in new)
    with torch.inference_mode():
        model.eval()
        assert torch.equal(encode(model, IDS, MASK), encode(classifier, IDS, MASK))


def test_an_encoder_that_is_too_short_for_the_corpus_is_refused_with_an_option_of_the_corpus(tmp_path: Path) -> None:
    tiny("Bert", "Model").save_pretrained(tmp_path)
    longest = load_to_continue(tmp_path, FACTS)[0].config.max_position_embeddings
    message = f"at most {longest} tokens, .* up to {longest + 1}; prepare the corpus with --max_tokens {longest}$"
    with pytest.raises(ValueError, match=message):
        load_to_continue(tmp_path, DataFacts(PIECES, PAD, longest + 1))


def test_what_is_incomplete_is_refused(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    tiny("Bert", "ForMaskedLM").save_pretrained(tmp_path)
    path = tmp_path / "model.safetensors"
    for lost, message in (
        ("cls.predictions.transform.dense.bias", "head is incomplete"),
        ("bert.encoder.layer.1.", "encoder is inc"),
    ):
        state = load_file(path)
        save_file({name: value for name, value in state.items() if not name.startswith(lost)}, path, {"format": "pt"})
        with pytest.raises(ValueError, match=message):
            load_to_continue(tmp_path, FACTS)
        save_file(state, path, {"format": "pt"})
    tiny("Bert", "Model").save_pretrained(tmp_path / "bare")
    state = load_file(tmp_path / "bare" / "model.safetensors")
    del state["encoder.layer.0.output.dense.weight"]
    save_file(state, tmp_path / "bare" / "model.safetensors", {"format": "pt"})
    with pytest.raises(ValueError, match=r"bare: incomplete; missing: encoder\.layer\.0\.output\.dense\.weight"):
        load_own(tmp_path / "bare")
