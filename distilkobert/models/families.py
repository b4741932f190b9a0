"""One entry for each encoder family of transformers: where its parts are, and what it can give.

To add a family, add an entry to `FAMILIES` and a row to `tests/support/networks/encoders.py`, which every family's
tests read. A family of your own, outside the package, is given to `add_family`.
Vocabulary logits need a masked-LM head in the checkpoint, whatever the family; hidden states every family gives; query,
key and value those with `attention`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from torch import nn
from transformers import PreTrainedConfig, PreTrainedModel


@dataclass(frozen=True)
class Family:
    """Where the parts of a family are. Paths begin at the base model, in a layer at the layer, of `head` at the model.

    Args:
        layers: list of the layers.
        projections: of a layer, the linear maps to query, key and value; one name where a single map gives all three.
        attention_output: of a layer, the linear map behind attention.
        head: modules of the masked-LM head, in the order they are applied.
        attention: of a layer, the module that calls transformers' attention function; None where none is called.
        more_projections: of a layer, further linear maps whose rows belong to heads.
        stacked: of a layer, linear maps whose rows are several matrices, and how many.
        positions: table of position embeddings; None where there is none.
        positions_after_pad: positions are counted from `pad_token_id + 1`.
        states: modules, by layer, that give the hidden state after a layer instead of the layer; a layer is counted
            from the end where it is negative.
        first_norm: of every layer but the first, the norm in front of attention.
        pooler: the base model has a pooler unless made without.
        shared: layers of one group share their weights, and `layers` lists the groups.
        rotary: the width of a head decides the frequencies of its positions.
        intermediate_size: setting of the width inside feed-forward blocks.
        dropouts: settings of all dropouts in an encoder.
        broadcast_mask: takes a mask of padding (B, 1, 1, T) as it is; where every layer attends to all tokens.
        distilbert_head: of the head, the linear map and the norm, where DistilBERT's layers are this family's; None
            where DistilBERT cannot be copied from it.
    """

    layers: str
    projections: tuple[str, ...]
    attention_output: str
    head: tuple[str, ...]
    attention: str | None
    more_projections: tuple[str, ...] = ()
    stacked: Mapping[str, int] = field(default_factory=dict)
    positions: str | None = "embeddings.position_embeddings"
    positions_after_pad: bool = False
    states: Mapping[int, str] = field(default_factory=dict)
    first_norm: str | None = None
    pooler: bool = False
    shared: bool = False
    rotary: bool = False
    intermediate_size: str = "intermediate_size"
    dropouts: tuple[str, ...] = ("hidden_dropout_prob", "attention_probs_dropout_prob")
    broadcast_mask: bool = True
    distilbert_head: tuple[str, str] | None = None


_BERT = Family(
    layers="encoder.layer",
    projections=("attention.self.query", "attention.self.key", "attention.self.value"),
    attention_output="attention.output.dense",
    head=("cls",),
    attention="attention.self",
    pooler=True,
    distilbert_head=("cls.predictions.transform.dense", "cls.predictions.transform.LayerNorm"),
)
_ROBERTA = replace(
    _BERT, head=("lm_head",), positions_after_pad=True, distilbert_head=("lm_head.dense", "lm_head.layer_norm")
)

FAMILIES: dict[str, Family] = {
    "bert": _BERT,
    "roberta": _ROBERTA,
    "xlm-roberta": _ROBERTA,
    "camembert": _ROBERTA,
    "electra": replace(_BERT, head=("generator_predictions", "generator_lm_head"), pooler=False, distilbert_head=None),
    "albert": Family(
        layers="encoder.albert_layer_groups",
        projections=tuple(f"albert_layers.0.attention.{name}" for name in ("query", "key", "value")),
        attention_output="albert_layers.0.attention.dense",
        head=("predictions",),
        attention="albert_layers.0.attention",
        pooler=True,
        shared=True,
    ),
    "deberta-v2": Family(
        layers="encoder.layer",
        projections=tuple(f"attention.self.{name}_proj" for name in ("query", "key", "value")),
        attention_output="attention.output.dense",
        head=("cls",),
        attention=None,
        more_projections=("attention.self.pos_key_proj", "attention.self.pos_query_proj"),
        states={0: "encoder.conv"},
        broadcast_mask=False,
    ),
    "modernbert": Family(
        layers="layers",
        projections=("attn.Wqkv",),
        attention_output="attn.Wo",
        head=("head", "decoder"),
        attention="attn",
        stacked={"attn.Wqkv": 3, "mlp.Wi": 2},
        positions=None,
        states={-1: "final_norm"},
        first_norm="attn_norm",
        rotary=True,
        dropouts=("embedding_dropout", "mlp_dropout", "attention_dropout"),
        broadcast_mask=False,
    ),
    "distilbert": Family(
        layers="transformer.layer",
        projections=("attention.q_lin", "attention.k_lin", "attention.v_lin"),
        attention_output="attention.out_lin",
        head=("vocab_transform", "activation", "vocab_layer_norm", "vocab_projector"),
        attention="attention",
        intermediate_size="hidden_dim",
        dropouts=("dropout", "attention_dropout"),
    ),
}
"""By `model_type` of config.json."""


def add_family(model_type: str, family: Family) -> None:
    """Register your own encoder family, before a model of it is loaded.

    Args:
        model_type: as in its config.json.
        family: where its parts are.

    Raises:
        ValueError: the family is known already.
    """
    if model_type in FAMILIES:
        raise ValueError(f"the encoder family '{model_type}' already exists")
    FAMILIES[model_type] = family


def family_of(config: PreTrainedConfig) -> Family:
    """The family of a model with this configuration.

    Raises:
        ValueError: it is not one of `FAMILIES`, or an ALBERT with several different layers in a group.
    """
    family = FAMILIES.get(config.model_type)
    if family is None:
        raise ValueError(f"model type '{config.model_type}' is unsupported; expected one of {', '.join(FAMILIES)}")
    if family.shared and config.inner_group_num != 1:
        raise ValueError(f"inner_group_num={config.inner_group_num} in config.json is unsupported; expected 1")
    return family


def part(model: PreTrainedModel, path: str | None) -> nn.Module | None:
    """A module of the base model; None where this model has none of that name, such as DeBERTa's optional parts."""
    parent, _, name = (path or "").rpartition(".")
    found = None if path is None else getattr(model.base_model.get_submodule(parent), name, None)
    return found if isinstance(found, nn.Module) else None


def group_of(config: PreTrainedConfig, layer: int) -> int:
    """The group of ALBERT whose weights a layer uses; transformers spreads the layers over the groups like this."""
    return int(layer / (config.num_hidden_layers / config.num_hidden_groups))


def layer_modules(model: PreTrainedModel) -> list[nn.Module]:
    """The module of each of the L layers, in order; those that share their weights are one module, listed again."""
    family, depth = family_of(model.config), int(model.config.num_hidden_layers)
    places = [group_of(model.config, layer) for layer in range(depth)] if family.shared else range(depth)
    return [model.base_model.get_submodule(f"{family.layers}.{place}") for place in places]


def state_modules(model: PreTrainedModel) -> list[nn.Module]:
    """The module whose output is the hidden state after each of the L layers, the last one's that of the encoder."""
    modules = layer_modules(model)
    for layer, path in family_of(model.config).states.items():
        found = part(model, path)
        if found is not None:
            modules[layer] = found
    return modules


def attention_modules(model: PreTrainedModel) -> list[nn.Module]:
    """The module of each of the L layers that calls the attention function.

    Raises:
        ValueError: the family calls none.
    """
    family = family_of(model.config)
    if family.attention is None:
        raise ValueError(
            f"{model.config.model_type} calls no attention function of transformers, so its query, key and value "
            "cannot be captured; use objectives of hidden states or logits"
        )
    return [layer.get_submodule(family.attention) for layer in layer_modules(model)]


def has_head(model: PreTrainedModel) -> bool:
    """Whether the model has a masked-LM head."""
    return type(model).__name__.endswith("ForMaskedLM")


def head_parameters(model: PreTrainedModel) -> dict[str, nn.Parameter]:
    """The parameters that the encoder does not have, by name; an output matrix that is its embedding is left out."""
    inside = {id(parameter) for parameter in model.base_model.parameters()}
    return {name: parameter for name, parameter in model.named_parameters() if id(parameter) not in inside}


def describe_encoder(model: PreTrainedModel) -> str:
    """Family, layers, head and vocabulary in one line."""
    config = model.config
    return (
        f"{config.model_type}, {config.num_hidden_layers} layers of width {config.hidden_size}, "
        f"{'masked-LM head' if has_head(model) else 'no masked-LM head'}, vocabulary of {config.vocab_size:,} pieces"
    )
