"""Give a model another vocabulary: new rows in its embeddings and in its head, everything else as it is."""

import copy
from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from transformers import PreTrainedConfig, PreTrainedModel

from distilkobert.models.checks import longest_input

Rows = Callable[[Tensor], Tensor]
"""From a parameter with one row for each old piece (V_old, ...) to that of the new pieces (V_new, ...)."""

_ID_SETTINGS = ("pad", "bos", "eos", "cls", "sep", "unk", "mask")


def vocabulary_parameters(model: PreTrainedModel) -> list[str]:
    """Names of the parameters and buffers that have one row for each piece, tied ones under every name.

    They are those whose shape follows `vocab_size`: a row count that equals it by chance does not count.
    """
    # An embedding cannot have its [PAD] behind its last row.
    sizes = [model.config.vocab_size, model.config.vocab_size + 1]
    shapes = []
    for size in sizes:
        config = copy.deepcopy(model.config)
        config.vocab_size = size
        with torch.device("meta"):
            shapes.append({name: value.shape for name, value in type(model)(config).state_dict().items()})
    return [name for name, shape in shapes[0].items() if shape != shapes[1][name]]


def change_vocabulary(
    model: PreTrainedModel, rows: Rows, vocab_size: int, special_ids: Mapping[str, int]
) -> PreTrainedModel:
    """The same network with another vocabulary, in evaluation mode; `model` stays as it is.

    The RoBERTa family counts positions from after the id of [PAD]; if that id changes, the position table moves with
    it, so that every position keeps its embedding.

    Args:
        model: the network, with any head.
        rows: makes the new rows of a parameter from its old ones.
        vocab_size: number of new pieces, V_new.
        special_ids: new id by role (`pad`, `cls`, ...), written into the configuration where it has that role; a role
            that is missing here becomes None there.

    Raises:
        ValueError: `rows` gives another number of rows than `vocab_size`.
    """
    config = copy.deepcopy(model.config)
    config.vocab_size = vocab_size
    for role in _ID_SETTINGS:
        if getattr(config, f"{role}_token_id", None) is not None:
            setattr(config, f"{role}_token_id", special_ids.get(role))
    config.pad_token_id = special_ids["pad"]
    offset = position_offset(model.config)
    shift = config.pad_token_id + 1 - offset if offset else 0
    config.max_position_embeddings += shift
    state = dict(model.state_dict())
    for name in vocabulary_parameters(model):
        state[name] = rows(state[name])
        if len(state[name]) != vocab_size:
            raise ValueError(f"{name}: {len(state[name])} new rows, expected {vocab_size}")
    if shift:
        for name in [name for name in state if name.endswith("position_embeddings.weight")]:
            table = state[name]
            unused = table[:1].expand(offset + shift, -1)  # positions of [PAD], which no token looks at
            state[name] = torch.cat([unused, table[offset:]])
    changed = type(model)(config)
    if getattr(model, "pooler", changed) is None:
        changed.register_module("pooler", None)
    changed.load_state_dict(state)
    changed.tie_weights()
    changed.train(False)
    return changed


def position_offset(config: PreTrainedConfig) -> int:
    """Rows of the position table before that of the first token: 0, or the id of [PAD] + 1 in the RoBERTa family."""
    return int(config.max_position_embeddings) - longest_input(config)
