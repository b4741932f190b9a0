"""Build, load and check a teacher, and place it on a device."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias, cast

import torch
from transformers import BertConfig, BertForMaskedLM, PreTrainedModel

from distilkobert.io.hub_names import NotFetchedError
from distilkobert.listing import few
from distilkobert.models.checkpoints import load_model
from distilkobert.models.checks import SHORTER_CORPUS, check_length, check_new_weights, longest_input
from distilkobert.models.families import family_of
from distilkobert.models.teachers.int8 import quantize_layers
from distilkobert.models.vocabulary.fit import fit_vocabulary


@dataclass(frozen=True)
class EncoderSpec:
    """Shape of a BERT to train from scratch; the defaults are KoBERT's (its published `config.json`).

    Args:
        layers: Transformer layers.
        hidden_size: width of the hidden states.
        heads: attention heads per layer; must divide `hidden_size`.
        intermediate_size: width inside the feed-forward blocks.
        max_positions: longest sequence, in tokens.
        dropout: dropout of hidden states and attention.
    """

    layers: int = 12
    hidden_size: int = 768
    heads: int = 12
    intermediate_size: int = 3072
    max_positions: int = 512
    dropout: float = 0.1

    def __post_init__(self) -> None:
        for name in ("layers", "hidden_size", "heads", "intermediate_size", "max_positions"):
            if getattr(self, name) < 1:
                raise ValueError(f"encoder.{name}={getattr(self, name)}: must be 1 or more")
        if self.hidden_size % self.heads:
            raise ValueError(f"encoder.heads={self.heads}: must divide encoder.hidden_size={self.hidden_size}")
        if not 0.0 <= self.dropout < 1.0:
            raise ValueError(f"encoder.dropout={self.dropout}: must be in [0, 1)")


def build_encoder(spec: EncoderSpec, *, vocab_size: int, pad_token_id: int) -> BertForMaskedLM:
    """A BERT with a masked-LM head and random weights, in training mode."""
    config = BertConfig(
        vocab_size=vocab_size,
        hidden_size=spec.hidden_size,
        num_hidden_layers=spec.layers,
        num_attention_heads=spec.heads,
        intermediate_size=spec.intermediate_size,
        hidden_dropout_prob=spec.dropout,
        attention_probs_dropout_prob=spec.dropout,
        max_position_embeddings=spec.max_positions,
        pad_token_id=pad_token_id,
    )
    model = BertForMaskedLM(config)
    model.train()
    return model


def weights_sum(model: PreTrainedModel) -> str:
    """SHA-256 sum of a model's weights, which identifies a teacher in any folder."""
    digest = hashlib.sha256()
    for name, weight in model.named_parameters():
        digest.update(name.encode())
        digest.update(weight.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def load_teacher(
    source: str | Path,
    *,
    logits: bool = True,
    vocab_size: int | None = None,
    pad_token_id: int | None = None,
    max_length: int | None = None,
) -> PreTrainedModel:
    """A teacher in float32, evaluation mode, without gradients: a masked-LM model, or a bare encoder without pooler.

    Args:
        source: folder of a transformers model (safetensors or the older `pytorch_model.bin`), checkpoint of this
            project, or hub id.
        logits: whether vocabulary logits are needed; if not, encoders without a trained masked-LM head (E5, BGE,
            ELECTRA's discriminator) are accepted.
        vocab_size: pieces of the tokenizer that the teacher must match; None: not checked.
        pad_token_id: the tokenizer's [PAD] id; None: not checked.
        max_length: longest sequence, in tokens, that the teacher's positions must cover; None: not checked.

    Raises:
        FileNotFoundError: no such folder, file or hub model.
        ValueError: the family is unsupported; weights are missing; there is no trained masked-LM head although logits
            are needed; or it does not fit the tokenizer.
    """
    try:
        model, missing = load_model(source, "masked_lm")
    except NotFetchedError as error:
        raise FileNotFoundError(f"{error}. A teacher in a folder is named with --model.teacher=FOLDER") from error
    try:
        family_of(model.config)
    except ValueError as error:
        raise ValueError(f"teacher {source}: {error}") from error
    check_new_weights(model, missing, f"teacher {source}")
    if missing and logits:
        raise ValueError(
            f"teacher {source}: the checkpoint has no trained masked-LM head; missing: {few(missing)}. A random head "
            "would be distilled without any error. Use a checkpoint with its head (monologg/kobert-lm has one, "
            "monologg/kobert does not), or use only objectives that need no logits, such as those on hidden states"
        )
    fit_vocabulary(model, vocab_size, pad_token_id, str(source))
    check_length(longest_input(model.config), max_length, f"teacher {source}", SHORTER_CORPUS)
    teacher = cast(PreTrainedModel, model.base_model) if missing else model
    teacher.requires_grad_(False)
    teacher.train(False)
    return teacher


TeacherType: TypeAlias = Literal["float32", "bfloat16", "int8"]
"""Number format of a teacher that only runs; int8 is that of the linear maps in its layers, and of a CPU alone."""


def place_teacher(model: PreTrainedModel, dtype: TeacherType, device: torch.device) -> None:
    """Move what `load_teacher` returned to a device, in its number format.

    Buffers keep their type, as in transformers' `from_pretrained(dtype=...)`: ModernBERT's rotary frequencies must
    stay float32.

    Raises:
        ValueError: int8 on a device or with a torch that does not compute in it.
    """
    for weight in model.parameters():
        weight.data = weight.data.to(torch.bfloat16 if dtype == "bfloat16" else torch.float32)
    model.to(device)  # type: ignore[arg-type]
    if dtype == "int8":
        quantize_layers(model)
