"""One view of the masked-LM models of transformers: an encoder, and a head that maps hidden states to the vocabulary.

Keeping the two apart lets a training step send only the tokens it needs through the vocabulary projection: with 8,002
pieces and 15 % masked tokens that projection is most of a small model's work.
"""

from typing import cast

from torch import Tensor, nn
from transformers import PreTrainedModel

BERT_FAMILY = ("bert", "roberta", "xlm-roberta")
"""Model types whose encoder layers are BERT's."""


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
        ValueError: `model` has no masked-LM head that this function knows.
    """
    if model.config.model_type == "distilbert" and hasattr(model, "vocab_projector"):
        activation = cast(nn.Module, model.activation)
        hidden = activation(cast(nn.Module, model.vocab_transform)(hidden))
        return cast(Tensor, cast(nn.Module, model.vocab_projector)(cast(nn.Module, model.vocab_layer_norm)(hidden)))
    for name in ("cls", "lm_head"):
        head = getattr(model, name, None)
        if isinstance(head, nn.Module):
            return cast(Tensor, head(hidden))
    raise ValueError(
        f"{type(model).__name__} has no masked-LM head; known heads: BERT's cls, RoBERTa's lm_head, DistilBERT's"
    )
