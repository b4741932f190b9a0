"""One view of the masked-LM models of transformers: an encoder, and a head that maps hidden states to the vocabulary.

Separating the two lets a training step send only the tokens it needs through the vocabulary projection: with 8,002
pieces and 15 % masked tokens that projection is most of a small model's work.
"""

from typing import Any, cast

import torch
from torch import Tensor, nn
from transformers import AutoModel, AutoModelForMaskedLM, PreTrainedConfig, PreTrainedModel

from distilkobert.io.pretrained import build_from_config
from distilkobert.models.capture import SDPA_KEPT
from distilkobert.models.families import FAMILIES, family_of, has_head

_ENCODER: Any = AutoModel
_MASKED_LM: Any = AutoModelForMaskedLM


def encode(model: PreTrainedModel, input_ids: Tensor, attention_mask: Tensor | None) -> Tensor:
    """Last hidden states (B, T, H) of the encoder inside `model`; ids and mask are (B, T), no mask: no padding."""
    found = model.base_model(input_ids=input_ids, attention_mask=mask_for(model, attention_mask))
    return cast(Tensor, found.last_hidden_state)


def encode_layers(model: PreTrainedModel, input_ids: Tensor, attention_mask: Tensor | None) -> tuple[Tensor, ...]:
    """As `encode`, the hidden states after every layer: L tensors (B, T, H), the last one that of `encode`."""
    mask = mask_for(model, attention_mask)
    output = model.base_model(input_ids=input_ids, attention_mask=mask, output_hidden_states=True)
    return cast("tuple[Tensor, ...]", output.hidden_states)[1:]


def mask_for(model: PreTrainedModel, attention_mask: Tensor | None) -> Tensor | None:
    """The mask as (B, 1, 1, T), which SDPA spreads itself, where the family takes it.

    Of a mask (B, T) transformers asks whether anything is padded, which waits for a CUDA device, and makes one of
    (B, 1, T, T).
    """
    family = FAMILIES.get(model.config.model_type)
    if attention_mask is None or family is None or not family.broadcast_mask or not _uses_sdpa(model):
        return attention_mask
    return attention_mask.bool()[:, None, None, :]


def _uses_sdpa(model: PreTrainedModel) -> bool:
    return model.config._attn_implementation in ("sdpa", SDPA_KEPT)


def masked_lm_logits(model: PreTrainedModel, hidden: Tensor) -> Tensor:
    """Vocabulary logits (..., V) of hidden states (..., H), through the masked-LM head of `model`.

    Raises:
        ValueError: `model` has no masked-LM head, or is of an unsupported family.
    """
    if not has_head(model):
        raise ValueError(f"{type(model).__name__} has no masked-LM head")
    if not _projects_itself(model):
        return cast(Tensor, cast(nn.Module, model.lm_predictions)(hidden, model.get_input_embeddings()))
    for name in family_of(model.config).head:
        hidden = model.get_submodule(name)(hidden)
    return hidden


def new_model(config: PreTrainedConfig, *, head: bool) -> PreTrainedModel:
    """A model with random weights: with a masked-LM head, or the bare encoder without pooler."""
    if not head:
        pooler = {"add_pooling_layer": False} if family_of(config).pooler else {}
        return cast(PreTrainedModel, build_from_config(_ENCODER, config, dtype=torch.float32, **pooler))
    model = cast(PreTrainedModel, build_from_config(_MASKED_LM, config, dtype=torch.float32))
    freeze_unused_bias(model)
    return model


def is_tied(model: PreTrainedModel) -> bool:
    """Whether the output matrix is the embedding; true where there is no output matrix."""
    output = output_map(model) if has_head(model) and _projects_itself(model) else None
    return output is None or output.weight is model.get_input_embeddings().weight


def output_map(model: PreTrainedModel) -> nn.Module:
    """The linear map of a masked-LM head to the vocabulary."""
    found: Any = model
    return cast(nn.Module, found.get_output_embeddings())


def _projects_itself(model: PreTrainedModel) -> bool:
    """Whether the head has an output matrix; DeBERTa's newer one multiplies by the embedding it is handed."""
    return bool(getattr(model.config, "legacy", True))


def freeze_unused_bias(model: PreTrainedModel) -> None:
    """Freeze the second bias of an untied head, which no forward pass reads; DDP refuses unused parameters."""
    output = output_map(model)
    name = next(name for name, module in model.named_modules() if module is output)
    head, _, last = name.rpartition(".")
    bias = getattr(model.get_submodule(head), "bias", None) if head and last == "decoder" else None
    if isinstance(bias, nn.Parameter) and bias is not output.bias:
        bias.requires_grad_(False)


def layer_parameters(model: PreTrainedModel) -> list[nn.Parameter]:
    """Parameters of the encoder except its embeddings (of pieces, positions and segments, and their LayerNorm)."""
    return [weight for name, weight in model.base_model.named_parameters() if not name.startswith("embeddings")]
