"""Continued pretraining: an encoder with a masked-LM head to train on, whatever head its source has."""

from pathlib import Path

from transformers import PreTrainedModel

from distilkobert.models.checkpoints import load_model
from distilkobert.models.checks import SHORTER_CORPUS, DataFacts, check_length, check_new_weights, longest_input
from distilkobert.models.dropout import NO_CHANGE, DropoutSpec, with_dropout
from distilkobert.models.families import head_parameters
from distilkobert.models.heads import freeze_unused_bias
from distilkobert.models.vocabulary.fit import fit_vocabulary


def load_to_continue(
    source: str | Path, facts: DataFacts, dropout: DropoutSpec = NO_CHANGE
) -> tuple[PreTrainedModel, list[str]]:
    """The masked-LM network of a source, in training mode; a missing head is added.

    The output matrix of an added head is the embedding itself (tied), also where the source's configuration says
    otherwise; its other weights are random. A head that is there stays as it is, tied or not.

    Args:
        source: folder, checkpoint or hub id of an encoder with any head or none.
        facts: what the corpus says about itself.
        dropout: where it is not to be the encoder's own.

    Returns:
        The network, and the names of the new weights.

    Raises:
        FileNotFoundError: the model does not exist.
        ValueError: the encoder or its head is incomplete, or it does not fit the corpus.
    """
    model, missing = load_model(source, "masked_lm")
    check_new_weights(model, missing, str(source))
    fit_vocabulary(model, facts.vocab_size, facts.pad_token_id, str(source))
    check_length(longest_input(model.config), facts.max_length, str(source), SHORTER_CORPUS)
    if missing and not model.config.tie_word_embeddings:
        model.config.tie_word_embeddings = True
        model.tie_weights()
    model = with_dropout(model, "masked_lm", dropout)
    freeze_unused_bias(model)
    model.train()
    # A tied weight is missing under each of its names.
    return model, list(head_parameters(model)) if missing else []
