"""Tiny models of every encoder family, all weights random; a new family gets a row here."""

from typing import Any

import torch
from transformers import (
    AlbertConfig,
    AutoModel,
    AutoModelForMaskedLM,
    BertConfig,
    CamembertConfig,
    DebertaV2Config,
    DistilBertConfig,
    ElectraConfig,
    ModernBertConfig,
    PreTrainedConfig,
    PreTrainedModel,
    RobertaConfig,
    XLMRobertaConfig,
)

from distilkobert.models.families import FAMILIES

_FAMILIES: dict[str, tuple[type[PreTrainedConfig], dict[str, Any]]] = {
    "bert": (BertConfig, {"layer_norm_eps": 1e-12}),
    "roberta": (RobertaConfig, {"type_vocab_size": 1, "layer_norm_eps": 1e-12}),
    "xlm-roberta": (XLMRobertaConfig, {"type_vocab_size": 1, "layer_norm_eps": 1e-12}),
    "camembert": (CamembertConfig, {"type_vocab_size": 1, "layer_norm_eps": 1e-12}),
    "electra": (ElectraConfig, {"embedding_size": 8}),
    "albert": (AlbertConfig, {"embedding_size": 8}),
    "deberta-v2": (
        DebertaV2Config,
        {
            "relative_attention": True, "position_biased_input": False, "pos_att_type": ["p2c", "c2p"],
            "position_buckets": 8, "norm_rel_ebd": "layer_norm", "conv_kernel_size": 3,
        },
    ),
    "modernbert": (
        ModernBertConfig,
        {"local_attention": 4, "bos_token_id": None, "eos_token_id": None, "cls_token_id": None, "sep_token_id": None},
    ),
    "distilbert": (DistilBertConfig, {}),
}  # fmt: skip

FAMILY_NAMES = tuple(_FAMILIES)
assert set(FAMILY_NAMES) == set(FAMILIES), "each family has a row"


def tiny_config(family: str, *, layers: int = 4, vocab_size: int = 60, positions: int = 40, **more: Any) -> Any:
    """Width 16 in 2 heads, [PAD] = 1, no dropout."""
    make, own = _FAMILIES[family]
    if family == "distilbert":
        shape = {"dim": 16, "n_layers": layers, "n_heads": 2, "hidden_dim": 24}
    else:
        shape = {"hidden_size": 16, "num_hidden_layers": layers, "num_attention_heads": 2, "intermediate_size": 24}
    sizes = {"vocab_size": vocab_size, "max_position_embeddings": positions, "pad_token_id": 1}
    config = make(**{**sizes, **shape, **own, **more})
    for name in FAMILIES[family].dropouts:
        setattr(config, name, 0.0)
    return config


def tiny_encoder(family: str, *, head: bool = True, seed: int = 0, **more: Any) -> PreTrainedModel:
    """A model of the family in evaluation mode, with a masked-LM head or as the bare encoder without pooler."""
    torch.manual_seed(seed)
    config = tiny_config(family, **more)
    pooler = {"add_pooling_layer": False} if FAMILIES[family].pooler else {}
    model = AutoModelForMaskedLM.from_config(config) if head else AutoModel.from_config(config, **pooler)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim == 1:
                parameter.add_(torch.randn_like(parameter) * 0.1)
    return model.eval()  # type: ignore[no-any-return]


def tiny_batch(vocab_size: int = 60) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids and mask of three rows of 12 tokens, the second padded."""
    ids = torch.randint(5, vocab_size, (3, 12), generator=torch.Generator().manual_seed(1))
    mask = torch.ones_like(ids)
    mask[1, 7:] = 0
    ids[1, 7:] = 1
    return ids, mask
