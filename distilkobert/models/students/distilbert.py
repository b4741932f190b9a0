"""Copy a BERT or a RoBERTa into a DistilBERT.

DistilBERT is BERT without token-type embeddings and pooler; layer for layer the weights have the same shapes, so a
student can start as a copy of chosen teacher layers (Sanh et al., 2019, section 3; DistilKoBERT takes layers 1, 5, 9).
RoBERTa counts positions from after the id of [PAD]. DistilBERT's table is that part of
RoBERTa's.
"""

import warnings
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from transformers import DistilBertConfig, PreTrainedModel

from distilkobert.models.checks import longest_input
from distilkobert.models.families import FAMILIES, Family, family_of
from distilkobert.models.heads import is_tied, output_map

DISTILBERT_LAYER_NORM_EPS = 1e-12
"""transformers' DistilBERT has this value built in (modeling_distilbert.py); KoBERT's configuration has the same."""

_LAYER_MAP = {
    "attention.self.query": "attention.q_lin",
    "attention.self.key": "attention.k_lin",
    "attention.self.value": "attention.v_lin",
    "attention.output.dense": "attention.out_lin",
    "attention.output.LayerNorm": "sa_layer_norm",
    "intermediate.dense": "ffn.lin1",
    "output.dense": "ffn.lin2",
    "output.LayerNorm": "output_layer_norm",
}


def distilbert_config(teacher: PreTrainedModel, layers: Sequence[int]) -> DistilBertConfig:
    """DistilBERT configuration with the teacher's widths, vocabulary, positions and pad id.

    Args:
        teacher: a BERT or RoBERTa.
        layers: the teacher's layers that become the student's.

    Raises:
        ValueError: the teacher's layers are not BERT's.
    """
    config = teacher.config
    if family_of(config).distilbert_head is None:
        able = ", ".join(name for name, family in FAMILIES.items() if family.distilbert_head is not None)
        raise ValueError(
            f"student.architecture=distilbert: DistilBERT cannot be copied from a teacher of type "
            f"'{config.model_type}', only from {able} or distilbert; set --model.student.architecture=same"
        )
    if config.layer_norm_eps != DISTILBERT_LAYER_NORM_EPS:
        warnings.warn(
            f"the teacher's layer_norm_eps is {config.layer_norm_eps}; DistilBERT has {DISTILBERT_LAYER_NORM_EPS} "
            "built in, so copied layers will differ slightly from the teacher's",
            stacklevel=2,
        )
    return DistilBertConfig(
        vocab_size=config.vocab_size,
        max_position_embeddings=longest_input(config),
        sinusoidal_pos_embds=False,
        n_layers=len(layers),
        n_heads=config.num_attention_heads,
        dim=config.hidden_size,
        hidden_dim=config.intermediate_size,
        dropout=config.hidden_dropout_prob,
        attention_dropout=config.attention_probs_dropout_prob,
        activation=config.hidden_act,
        initializer_range=config.initializer_range,
        pad_token_id=config.pad_token_id,
    )


@torch.no_grad()
def copy_into_distilbert(
    student: PreTrainedModel, teacher: PreTrainedModel, layers: Sequence[int], *, fold_token_types: bool, head: bool
) -> None:
    """Copy embeddings, chosen layers and perhaps the masked-LM head.

    Args:
        student: a DistilBERT of `distilbert_config`.
        teacher: a BERT or RoBERTa.
        layers: the teacher's layers, in the order of the student's.
        fold_token_types: add the token-type row 0 to every position.
        head: copy the head, an untied output matrix with it.
    """
    family, encoder, target = family_of(teacher.config), teacher.base_model, student.base_model
    _copy_embeddings(target.get_submodule("embeddings"), teacher, family, fold_token_types=fold_token_types)
    for position, layer in enumerate(layers):
        source, place = encoder.get_submodule(f"encoder.layer.{layer}"), f"transformer.layer.{position}"
        for teacher_name, student_name in _LAYER_MAP.items():
            _copy(target.get_submodule(f"{place}.{student_name}"), source.get_submodule(teacher_name))
    if head and family.distilbert_head is not None:
        for name, source_name in zip(("vocab_transform", "vocab_layer_norm"), family.distilbert_head, strict=True):
            _copy(student.get_submodule(name), teacher.get_submodule(source_name))
        output, decoder = student.get_submodule("vocab_projector"), output_map(teacher)
        output.get_parameter("bias").copy_(decoder.get_parameter("bias"))
        if not is_tied(teacher):
            output.get_parameter("weight").copy_(decoder.get_parameter("weight"))


def _copy_embeddings(target: nn.Module, teacher: PreTrainedModel, family: Family, *, fold_token_types: bool) -> None:
    source = teacher.base_model.get_submodule("embeddings")
    target.get_parameter("word_embeddings.weight").copy_(source.get_parameter("word_embeddings.weight"))
    positions: Tensor = source.get_parameter("position_embeddings.weight")
    if family.positions_after_pad:
        positions = positions[teacher.config.pad_token_id + 1 :]
    if fold_token_types:
        positions = positions + source.get_parameter("token_type_embeddings.weight")[0]
    target.get_parameter("position_embeddings.weight").copy_(positions)
    _copy(target.get_submodule("LayerNorm"), source.get_submodule("LayerNorm"))


def _copy(target: nn.Module, source: nn.Module) -> None:
    target.load_state_dict(source.state_dict())
