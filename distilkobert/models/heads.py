"""One view of the masked-LM models of transformers: an encoder, and a head that maps hidden states to the vocabulary.

Keeping the two apart lets a training step send only the tokens it needs through the vocabulary projection: with 8,002
pieces and 15 % masked tokens that projection is most of a small model's work.
"""

from typing import cast

from torch import Tensor, nn
from torch.nn import Parameter
from transformers import PreTrainedModel

BERT_FAMILY = ("bert", "roberta", "xlm-roberta")
"""Model types whose encoder layers are BERT's."""

_HEAD_PARTS = {
    "electra": ("generator_predictions", "generator_lm_head"),
    "albert": ("predictions",),
    "modernbert": ("head", "decoder"),
}
"""By model type, the modules of the masked-LM head, one after the other, where it is not one module of a usual name."""


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
    for names in (_HEAD_PARTS.get(model.config.model_type, ()), ("cls",), ("lm_head",)):
        parts = [getattr(model, name, None) for name in names]
        if parts and all(isinstance(part, nn.Module) for part in parts):
            for part in parts:
                hidden = cast(nn.Module, part)(hidden)
            return hidden
    raise ValueError(
        f"{type(model).__name__} has no masked-LM head; known heads: BERT's cls, RoBERTa's lm_head, and those of "
        f"DistilBERT, {', '.join(_HEAD_PARTS)}"
    )


def layer_parameters(model: PreTrainedModel) -> list[Parameter]:
    """Parameters of the encoder except its embeddings (of pieces, positions and segments, and their LayerNorm)."""
    return [weight for name, weight in model.base_model.named_parameters() if not name.startswith("embeddings")]
