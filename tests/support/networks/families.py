"""Tiny models of every family of encoders, with random weights in every parameter."""

from typing import Any

import torch
import transformers
from transformers import PreTrainedModel

PIECES, PAD = 60, 1

_USUAL = {
    "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24,
    "max_position_embeddings": 40,
}  # fmt: skip

FAMILIES: dict[str, dict[str, Any]] = {
    "Bert": _USUAL,
    "Roberta": _USUAL,
    "XLMRoberta": _USUAL,
    "Camembert": _USUAL,
    "Electra": {**_USUAL, "embedding_size": 8},
    "DistilBert": {"dim": 16, "n_layers": 2, "n_heads": 2, "hidden_dim": 24, "max_position_embeddings": 40},
    "Albert": {**_USUAL, "embedding_size": 8},
    "DebertaV2": {**_USUAL, "type_vocab_size": 0},
    "ModernBert": {**_USUAL, "bos_token_id": 2, "eos_token_id": 3, "cls_token_id": 2, "sep_token_id": 3},
}
"""Beginning of the class names in transformers, and the settings of a tiny one."""


def tiny(family: str, ending: str, **settings: Any) -> PreTrainedModel:
    """A model `<family><ending>` in evaluation mode, for example `BertForMaskedLM` or `BertModel`."""
    torch.manual_seed(0)
    chosen = {"vocab_size": PIECES, "pad_token_id": PAD, **FAMILIES[family], **settings}
    model: PreTrainedModel = getattr(transformers, family + ending)(getattr(transformers, f"{family}Config")(**chosen))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    return model.eval()
