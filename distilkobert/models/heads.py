"""One view of the masked-LM models of transformers: an encoder, and a head that maps hidden states to the vocabulary.

Keeping the two apart lets a training step send only the tokens it needs through the vocabulary projection: with 8,002
pieces and 15 % masked tokens that projection is most of a small model's work.
"""

from typing import cast

from torch import Tensor, nn
from transformers import PreTrainedModel

from distilkobert.models.families import family_of, has_head


def encode(model: PreTrainedModel, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
    """Last hidden states (B, T, H) of the encoder inside `model`; ids and mask are (B, T)."""
    return cast(Tensor, model.base_model(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state)


def encode_layers(model: PreTrainedModel, input_ids: Tensor, attention_mask: Tensor) -> tuple[Tensor, ...]:
    """As `encode`, the hidden states after every layer: L tensors (B, T, H), the last one that of `encode`."""
    output = model.base_model(input_ids=input_ids, attention_mask=attention_mask, output_hidden_states=True)
    return cast("tuple[Tensor, ...]", output.hidden_states)[1:]


def masked_lm_logits(model: PreTrainedModel, hidden: Tensor) -> Tensor:
    """Vocabulary logits (..., V) of hidden states (..., H), through the masked-LM head of `model`.

    Raises:
        ValueError: `model` has no masked-LM head, or is of an unsupported family.
    """
    if not has_head(model):
        raise ValueError(f"{type(model).__name__} has no masked-LM head")
    if not getattr(model.config, "legacy", True):  # DeBERTa's newer head multiplies by the embedding itself
        return cast(Tensor, cast(nn.Module, model.lm_predictions)(hidden, model.get_input_embeddings()))
    for name in family_of(model.config).head:
        hidden = model.get_submodule(name)(hidden)
    return hidden
