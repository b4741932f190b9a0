"""Make a model narrower: hidden states, feed-forward blocks, heads; its first units are kept, or it starts random."""

import copy
import re
from typing import Literal

import torch
from torch import Tensor
from transformers import PreTrainedConfig, PreTrainedModel

from distilkobert.models.families import Family, family_of, has_head
from distilkobert.models.heads import new_model

_FOLLOWING = ("embedding_size", "pooler_hidden_size")
"""Settings that stay equal to the hidden size where they are: of ELECTRA, ALBERT, DeBERTa."""


def narrow_config(
    config: PreTrainedConfig, hidden_size: int | None, intermediate_size: int | None, heads: int | None, *, cut: bool
) -> PreTrainedConfig:
    """A copy of `config` with other widths.

    Args:
        config: of a known family.
        hidden_size: width of hidden states; None keeps it.
        intermediate_size: width inside feed-forward blocks; None keeps it.
        heads: heads of a layer; None keeps the width of a head.
        cut: the wider model's weights will be cut to these widths, so that none may be larger.

    Raises:
        ValueError: heads do not divide the width, or a width is larger than that which it is cut from.
    """
    family, config = family_of(config), copy.deepcopy(config)
    width, number = config.hidden_size, config.num_attention_heads
    of_head, hidden = width // number, hidden_size or width
    if heads is None and hidden % of_head:
        raise ValueError(
            f"student.hidden_size={hidden}: not a multiple of the teacher's head width, {of_head}; set student.heads"
        )
    heads = heads or hidden // of_head
    if hidden % heads:
        raise ValueError(f"student.heads={heads}: must divide the width of hidden states, {hidden}")
    inner, wide_inner = intermediate_size, getattr(config, family.intermediate_size)
    if cut:
        pairs = {
            "hidden_size": (hidden, width),
            "intermediate_size": (inner or wide_inner, wide_inner),
            "heads": (heads, number),
        }
        for name, (new, old) in pairs.items():
            if new > old:
                raise ValueError(
                    f"student.{name}={new}: more than the teacher's {old}, of which student.width_init=slice takes a "
                    "part; set --model.student.width_init=random"
                )
        if hidden // heads > of_head or (family.rotary and hidden // heads != of_head):
            limit = "as wide as" if family.rotary else "no wider than"
            raise ValueError(
                f"student.heads={heads}: heads cut out of the teacher's must be {limit} those, {of_head}, but are "
                f"{hidden // heads} wide; set another number of heads, or --model.student.width_init=random"
            )
    for name in _FOLLOWING:
        if getattr(config, name, None) == width:
            setattr(config, name, hidden)
    config.hidden_size, config.num_attention_heads = hidden, heads
    setattr(config, family.intermediate_size, inner or wide_inner)
    return config


@torch.no_grad()
def narrowed(wide: PreTrainedModel, config: PreTrainedConfig, fill: Literal["slice", "random"]) -> PreTrainedModel:
    """A model of `config` with the weights of `wide`.

    Args:
        wide: a model of the same class and depth.
        config: what `narrow_config` made of its configuration.
        fill: what a matrix of another shape holds: the first units of each axis, of each head, of each matrix in a
            stack; or random weights. Matrices of the same shape are copied either way.
    """
    family, model = family_of(config), new_model(config, head=has_head(wide))
    for name, parameter in model.named_parameters():
        source = wide.get_parameter(name)
        if source.shape == parameter.shape:
            parameter.copy_(source)
        elif fill == "slice":
            stack, rows, columns = _axes(name, family, wide.config.num_attention_heads, config.num_attention_heads)
            parameter.copy_(_first_units(source, parameter.shape, stack, rows, columns))
    return model


_ONE = (1, 1)


def _axes(name: str, family: Family, wide: int, narrow: int) -> tuple[int, tuple[int, int], tuple[int, int]]:
    """How the rows are stacked, and the heads that rows and columns belong to before and after, of a parameter."""
    found = re.search(rf"(?:^|\.){re.escape(family.layers)}\.\d+\.(.+)\.(?:weight|bias)$", name)
    part = "" if found is None else found[1]
    by_head = part in family.projections or part in family.more_projections
    return (
        family.stacked.get(part, 1),
        (wide, narrow) if by_head else _ONE,
        (wide, narrow) if part == family.attention_output else _ONE,
    )


def _first_units(
    source: Tensor, shape: torch.Size, stack: int, row_heads: tuple[int, int], column_heads: tuple[int, int]
) -> Tensor:
    """The part of `source` that has this shape."""
    rest = source.shape[1:]
    rows = source.reshape(stack, row_heads[0], -1, *rest)
    rows = rows[:, : row_heads[1], : shape[0] // stack // row_heads[1]].reshape(shape[0], *rest)
    for axis, size in enumerate(shape[1:], start=1):
        if axis == 1 and column_heads != _ONE:
            columns = rows.reshape(shape[0], column_heads[0], -1)
            rows = columns[:, : column_heads[1], : size // column_heads[1]].reshape(shape[0], size)
        else:
            rows = rows.narrow(axis, 0, size)
    return rows
