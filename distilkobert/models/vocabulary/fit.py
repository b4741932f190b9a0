"""Whether a model's vocabulary matches the data's tokenizer, for teachers, fine-tuning, export and predict."""

import logging
from pathlib import Path
from typing import Final, cast

from torch import nn
from transformers import PreTrainedConfig, PreTrainedModel

_log = logging.getLogger(__name__)

LARGEST_PADDING: Final = 1024
"""Rows that a vocabulary may have beyond its tokenizer; many more are another tokenizer's.

Published models have 99 (microsoft/deberta-v3-base: 128,100 rows, 128,001 pieces; huggingface/transformers issue 19301)
to 1,000 (dbmdz/bert-base-italian: 32,102 rows, 31,102 pieces; dbmdz/berts issue 12).
"""


def holds_pieces(rows: int, pieces: int) -> bool:
    """Whether a vocabulary of so many rows belongs to a tokenizer of so many pieces: as many, or padded."""
    return pieces <= rows <= pieces + LARGEST_PADDING


def fit_vocabulary(
    model: PreTrainedModel, vocab_size: int | None, pad_token_id: int | None, source: str, name: str | None = None
) -> None:
    """Check that a model's vocabulary and [PAD] are the tokenizer's; a log line names what is taken as it is.

    A vocabulary padded beyond the tokenizer is accepted. Where the model's config.json names no `pad_token_id`, for
    which transformers takes the architecture's default, the model takes the tokenizer's: attention masks hide padding,
    so the id only says which embedding row does not learn.

    Args:
        model: the model; its configuration and word embedding may get another [PAD].
        vocab_size: pieces of the tokenizer; None leaves the vocabulary unchecked.
        pad_token_id: the tokenizer's [PAD]; None leaves it unchecked.
        source: where the model was loaded from: a folder, a checkpoint of this project or a hub id.
        name: begins messages; None: the source.

    Raises:
        ValueError: the vocabulary is smaller or much larger, or [PAD] is another.
    """
    config, name = model.config, source if name is None else name
    if vocab_size is not None and config.vocab_size != vocab_size:
        if not holds_pieces(config.vocab_size, vocab_size):
            raise ValueError(
                f"{name}: its vocabulary has {config.vocab_size} pieces, the data's tokenizer {vocab_size}; set "
                "data.tokenizer to the tokenizer the model was trained with"
            )
        _log.warning(
            "%s: its vocabulary is padded to %d rows, %d more than the tokenizer has pieces",
            name, config.vocab_size, config.vocab_size - vocab_size,
        )  # fmt: skip
    if pad_token_id is None or config.pad_token_id == pad_token_id:
        return
    embeddings = getattr(model.base_model, "embeddings", None)
    # The RoBERTa family counts positions from after [PAD], so there the default is the one the model was trained with.
    if getattr(embeddings, "padding_idx", None) is not None or _names_pad(source):
        raise ValueError(
            f"{name}: its [PAD] is id {config.pad_token_id}, the data's tokenizer has {pad_token_id}; set "
            "data.tokenizer to the tokenizer the model was trained with, or, if it is this one, correct pad_token_id "
            "in config.json"
        )
    _log.warning("%s: config.json has no pad_token_id; the tokenizer's, %d, is used", name, pad_token_id)
    config.pad_token_id = pad_token_id
    cast(nn.Embedding, model.get_input_embeddings()).padding_idx = pad_token_id


def _names_pad(source: str) -> bool:
    """Whether the configuration of a folder or hub id names a `pad_token_id`; checkpoints of ours always do."""
    if Path(source).is_file():
        return True
    return PreTrainedConfig.get_config_dict(source)[0].get("pad_token_id") is not None
