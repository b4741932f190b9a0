"""What is compared before an export gets its name: the model that was read back, and its tokenizer."""

from pathlib import Path
from typing import Final

import torch
from torch import Tensor
from transformers import AutoTokenizer, PreTrainedModel

from distilkobert.io.pretrained import load_pretrained
from distilkobert.models.checkpoints import load_model
from distilkobert.models.checks import class_names, longest_input
from distilkobert.models.vocabulary.fit import holds_pieces
from distilkobert.tasks.kinds import Task
from distilkobert.tokenizers.loading import TextEncoder

_ROUNDING: Final = 1e-5
"""Largest difference, as a part of the largest value: on some processors sums depend on where weights are in memory."""


def check_tokenizer(encoder: TextEncoder, model: PreTrainedModel) -> None:
    """Check that a tokenizer is the model's.

    Raises:
        ValueError: it is not.
    """
    config = model.config
    if not holds_pieces(config.vocab_size, encoder.vocab_size) or encoder.pad_token_id != config.pad_token_id:
        raise ValueError(
            f"the tokenizer has {encoder.vocab_size} pieces and [PAD]={encoder.pad_token_id}, the model "
            f"{config.vocab_size} and {config.pad_token_id}; name the tokenizer it was trained with"
        )


def check_export(folder: Path, model: PreTrainedModel, task: Task) -> None:
    """Load the exported model, head included, and tokenizer as a user would, and compare.

    Raises:
        ValueError: weights, hidden states, the head's outputs or its labels differ from those of `model`, or the
            tokenizer does not fit the model.
    """
    loaded, missing = load_model(folder, task)
    if type(loaded) is not type(model) or missing or class_names(loaded) != class_names(model):
        raise ValueError(
            f"the exported model is a {type(loaded).__name__} with the labels {', '.join(class_names(loaded))} that "
            f"has no {', '.join(missing) or 'missing weight'}, the checkpoint a {type(model).__name__} with "
            f"{', '.join(class_names(model))}; the export was not kept"
        )
    weights = model.state_dict()
    changed = [name for name, value in loaded.state_dict().items() if not torch.equal(value, weights[name])]
    if changed:
        raise ValueError(
            f"exported weights differ from the checkpoint's ({len(changed)} of them, first {changed[0]}); the export "
            "was not kept"
        )
    length = min(16, longest_input(model.config))
    ids = torch.randint(0, model.config.vocab_size, (2, length), generator=torch.Generator().manual_seed(0))
    mask = torch.ones_like(ids)
    mask[1, length // 2 :] = 0
    ours, theirs = (_outputs(network, ids, mask) for network in (model, loaded))
    for name, value in ours.items():
        difference = (value - theirs[name]).abs().max().item()
        if not difference <= _ROUNDING * value.abs().max().item():
            raise ValueError(
                f"the exported model differs from the checkpoint by {difference:.3g} in {name}; the export was not kept"
            )
    tokenizer = load_pretrained(AutoTokenizer, folder)
    if not holds_pieces(model.config.vocab_size, len(tokenizer)) or tokenizer.pad_token_id != model.config.pad_token_id:
        raise ValueError(
            f"the exported tokenizer has {len(tokenizer)} pieces and [PAD]={tokenizer.pad_token_id}, the model "
            f"{model.config.vocab_size} and {model.config.pad_token_id}; the export was not kept"
        )
    with torch.inference_mode():
        loaded(**tokenizer("한국어", "모델", return_tensors="pt"))


@torch.inference_mode()
def _outputs(network: PreTrainedModel, ids: Tensor, mask: Tensor) -> dict[str, Tensor]:
    """The last hidden states of a network, and its head's outputs, by name."""
    found = network(input_ids=ids, attention_mask=mask, output_hidden_states=True)
    heads = {name: value for name, value in found.items() if name.endswith("logits")}
    return {"hidden states": found.hidden_states[-1], **heads}
