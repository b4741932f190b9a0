"""Make a student of the teacher's own class out of some of its layers, for every family."""

import copy
import logging
import re
from collections.abc import Sequence

import torch
from torch import Tensor
from transformers import PreTrainedConfig, PreTrainedModel

from distilkobert.models.families import family_of, group_of, head_parameters

_log = logging.getLogger(__name__)


def same_config(teacher: PreTrainedModel, layers: Sequence[int]) -> PreTrainedConfig:
    """The teacher's configuration with as many layers as are chosen.

    ModernBERT's kinds of layers (full or sliding attention) follow the chosen layers. ALBERT's layers share their
    weights, and so do the student's, where transformers' way of spreading layers over groups allows it.
    """
    config = copy.deepcopy(teacher.config)
    config.name_or_path = ""
    config.num_hidden_layers = len(layers)
    if getattr(config, "layer_types", None) is not None:
        config.layer_types = [config.layer_types[layer] for layer in layers]
    if family_of(config).shared:
        wanted = [group_of(teacher.config, layer) for layer in layers]
        config.num_hidden_groups = len(set(wanted))
        distinct = list(dict.fromkeys(wanted))
        if [distinct[group_of(config, position)] for position in range(len(layers))] != wanted:
            config.num_hidden_groups = len(layers)
        if config.num_hidden_groups == 1:
            _log.warning(
                "%s shares one layer's weights: fewer layers compute less, and are no smaller", config.model_type
            )
    return config


@torch.no_grad()
def copy_same(student: PreTrainedModel, teacher: PreTrainedModel, layers: Sequence[int], *, head: bool) -> None:
    """Copy embeddings, what is around the layers, chosen layers and perhaps the masked-LM head.

    Args:
        student: a model of `same_config`.
        teacher: the model copied from.
        layers: the teacher's layers, in the order of the student's.
        head: copy the head, an untied output matrix with it.
    """
    family, source = family_of(teacher.config), teacher.base_model.state_dict()
    places = list(layers)
    if family.shared:
        users = [group_of(student.config, position) for position in range(len(layers))]
        places = [
            group_of(teacher.config, layers[users.index(group)]) for group in range(student.config.num_hidden_groups)
        ]
    pattern = re.compile(rf"{re.escape(family.layers)}\.(\d+)\.")
    weights: dict[str, Tensor] = {}
    for name, own in student.base_model.state_dict().items():
        found = pattern.match(name)
        place = name if found is None else f"{family.layers}.{places[int(found[1])]}.{name[found.end() :]}"
        # Only the norm that ModernBERT's first layer does not have can be absent, where that layer comes later.
        absent = place not in source and family.first_norm is not None and f".{family.first_norm}." in name
        weights[name] = (
            (torch.zeros_like if name.endswith("bias") else torch.ones_like)(own) if absent else source[place]
        )
    student.base_model.load_state_dict(weights)
    if family.first_norm is not None and layers[0] != 0:
        _fold_first_norm(student, teacher, layers[0])
    if head:
        head_source = teacher.state_dict()
        for name, parameter in head_parameters(student).items():
            parameter.copy_(head_source[name])


def _fold_first_norm(student: PreTrainedModel, teacher: PreTrainedModel, layer: int) -> None:
    """Put a norm's scale into the projection behind it, where the student's first layer has no such norm.

    ModernBERT's first layer has none, since its input has just been normalised. A bias of the norm is left out where
    the projection has none.
    """
    family = family_of(teacher.config)
    norm = teacher.base_model.get_submodule(f"{family.layers}.{layer}.{family.first_norm}")
    projection = student.base_model.get_submodule(f"{family.layers}.0.{family.projections[0]}")
    weight, scale = projection.get_parameter("weight"), norm.get_parameter("weight")
    if getattr(norm, "bias", None) is not None and getattr(projection, "bias", None) is not None:
        projection.get_parameter("bias").add_(weight @ norm.get_parameter("bias"))
    weight.mul_(scale)
    _log.warning(
        "%s has no norm in front of its first attention; that of layer %d, which becomes the first, leaves its scale "
        "in the projection behind it",
        student.config.model_type,
        layer,
    )
