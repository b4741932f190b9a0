"""The masked language model that `prepare augment` asks for words."""

from typing import Any

import torch

from distilkobert.augmentation.proposals import Proposer
from distilkobert.augmentation.rows import Augmenter, TextSet
from distilkobert.augmentation.spec import AugmentSpec
from distilkobert.augmentation.vocabulary import WordPieces
from distilkobert.listing import few
from distilkobert.models.checkpoints import load_model
from distilkobert.models.checks import longest_input
from distilkobert.models.families import family_of
from distilkobert.models.teachers import weights_sum
from distilkobert.models.vocabulary.fit import fit_vocabulary
from distilkobert.tokenizers.loading import load_tokenizer, tokenizer_beside
from experiments._shared.quiet import quieten_transformers


def load_augmenter(
    model: str, tokenizer: str | None, spec: AugmentSpec, max_length: int, batch_size: int, there: TextSet
) -> tuple[Augmenter, dict[str, Any]]:
    """Load a model and its tokenizer, on the GPU where there is one.

    Args:
        model: folder, checkpoint or hub id.
        tokenizer: folder or hub name; None: that of the model.
        spec: how rows are made.
        max_length: most tokens of an input, special tokens included.
        batch_size: inputs of a forward pass.
        there: texts that no new row may have.

    Returns:
        What makes rows, and what a record keeps of model and tokenizer.

    Raises:
        FileNotFoundError: model or tokenizer does not exist.
        ValueError: a number is out of range, there is no trained masked-LM head or no mask token, the model's family is
            unsupported, or model and tokenizer do not belong together.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size is {batch_size}; expected 1 or more")
    quieten_transformers()
    network, missing = load_model(model, "masked_lm")
    name = tokenizer or str(tokenizer_beside(model) or model)
    encoder = load_tokenizer(name)
    if encoder.mask_token_id is None:
        raise ValueError(f"the tokenizer {name} has no mask token, so a model cannot propose words with it")
    least = encoder.frame.special_count(1) + 1
    if max_length < least:
        raise ValueError(f"max_length is {max_length}; expected {least} or more: special tokens and one piece")
    try:
        family_of(network.config)
    except ValueError as error:
        raise ValueError(f"{model}: {error}") from error
    if missing:
        raise ValueError(
            f"{model} has no trained masked-LM head ({few(missing)} would "
            "be random); use a model with its head, such as an exported teacher or student of general distillation"
        )
    try:
        fit_vocabulary(network, encoder.vocab_size, encoder.pad_token_id, model)
    except ValueError as error:
        raise ValueError(str(error).replace("data.tokenizer", "--tokenizer")) from None
    facts = {"model": {"name": model, "sha256": weights_sum(network)}, "tokenizer": encoder.fingerprint}
    network.to(torch.device("cuda" if torch.cuda.is_available() else "cpu"))  # type: ignore[arg-type]
    proposer = Proposer(
        network,
        encoder,
        WordPieces(encoder, name),
        count=spec.proposals,
        beam=spec.beam,
        max_pieces=spec.max_pieces,
        max_length=min(max_length, longest_input(network.config)),
        batch_size=batch_size,
    )
    return Augmenter(proposer, encoder, spec, there), facts
