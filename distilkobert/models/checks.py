"""Checks before the first batch: does a loaded model match its task and data?"""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from transformers import PreTrainedConfig, PreTrainedModel

from distilkobert.listing import few
from distilkobert.models.families import FAMILIES, head_parameters
from distilkobert.models.vocabulary.fit import fit_vocabulary

_log = logging.getLogger(__name__)

SHORTER_CORPUS: Final = "prepare the corpus with --max_tokens {longest}"
"""Remedy for `check_length` where the inputs are a corpus'."""


@dataclass(frozen=True)
class DataFacts:
    """What the data says about itself, compared with the model; None leaves a fact unchecked.

    Args:
        vocab_size: pieces of the tokenizer.
        pad_token_id: id of [PAD].
        max_length: longest input in tokens.
    """

    vocab_size: int | None
    pad_token_id: int | None
    max_length: int | None


def check_new_weights(model: PreTrainedModel, missing: Sequence[str], source: str) -> None:
    """Refuse a model whose missing weights are not exactly those of the head; BERT's whole pooler counts as head.

    Raises:
        ValueError: weights of the encoder, or only a part of the head or of the pooler, are missing.
    """
    encoder, prefix = f"{model.base_model_prefix}.", f"{model.base_model_prefix}.pooler."
    head = head_parameters(model).keys()
    pooler = {name for name, _ in model.named_parameters() if name.startswith(prefix)}
    # A source has a pooler or has none; of a part of one the rest was lost.
    new_pooler = pooler if pooler.issubset(missing) else set()
    lost = [name for name in missing if name.startswith(encoder) and name not in new_pooler]
    if lost:
        raise ValueError(
            f"{source}: the encoder is incomplete; missing: {few(lost)}. Only the task's head may start from random "
            "weights"
        )
    new = head & set(missing)
    if missing and new != head:
        raise ValueError(
            f"{source}: the head is incomplete; missing: {', '.join(sorted(missing))}. The file is "
            "damaged, or was written for another kind of head"
        )


def check_trained_head(missing: Sequence[str], source: str, command: str) -> None:
    """Refuse to test, and to predict with, a head of random weights.

    Args:
        missing: weights that the source does not have.
        source: of the model, for messages.
        command: what is to be done with it.

    Raises:
        ValueError: weights are missing, and `command` is `test` or `predict`.
    """
    if missing and command in ("test", "predict"):
        raise ValueError(
            f"{source} has no trained head for this task ({', '.join(sorted(missing))} would be random), so there is "
            f"nothing to {command}; name the fine-tuned checkpoint with --ckpt_path"
        )


def check_left_out(model: PreTrainedModel, surplus: Sequence[str], source: str) -> None:
    """Log which weights of a source have no place in `model`; refuse if one of them belongs to the encoder.

    A pooler without a place in `model` and parts of another head are left out; a log message counts them by module.

    Raises:
        ValueError: the source has weights of the encoder, such as further layers, that are not in its configuration.
    """
    encoder = f"{model.base_model_prefix}."
    parts = {name for name, _ in model.base_model.named_children()}
    # Files saved from a bare encoder leave its prefix out.
    lost = [
        name
        for name in surplus
        if name.removeprefix(encoder).partition(".")[0] in parts
        or (name.startswith(encoder) and not name.startswith(f"{encoder}pooler."))
    ]
    if lost:
        raise ValueError(
            f"{source}: {len(lost)} weights of the encoder do not occur in its configuration "
            f"({few(sorted(lost))}); the configuration is that of another model, for example one of fewer layers. "
            "Correct config.json, or fetch the model again"
        )
    if surplus:
        modules = Counter(name.removeprefix(encoder).partition(".")[0] for name in surplus)
        listed = ", ".join(f"{name} ({count} weights)" for name, count in sorted(modules.items()))
        _log.warning("%s: %s does not use these weights: %s", source, type(model).__name__, listed)


def longest_input(config: PreTrainedConfig) -> int:
    """Most tokens of an input; the RoBERTa family counts positions from after [PAD]."""
    positions, family = int(config.max_position_embeddings), FAMILIES.get(config.model_type)
    return positions - config.pad_token_id - 1 if family is not None and family.positions_after_pad else positions


def check_length(longest: int, wanted: int | None, name: str, remedy: str) -> None:
    """Refuse a network that is too short for the data.

    Args:
        longest: most tokens of an input that the network accepts.
        wanted: most tokens of an input that the data gives; None leaves it unchecked.
        name: of the network, begins the message.
        remedy: ends the message; `{longest}` in it is the number.

    Raises:
        ValueError: inputs may be longer than the network accepts.
    """
    if wanted is not None and longest < wanted:
        remedy = remedy.format(longest=longest)
        raise ValueError(f"{name}: accepts at most {longest} tokens, but inputs have up to {wanted}; {remedy}")


def takes_segments(config: PreTrainedConfig) -> bool:
    """Whether the network distinguishes segments: DistilBERT has none, RoBERTa a single one."""
    return getattr(config, "type_vocab_size", 0) > 1


def check_facts(
    model: PreTrainedModel,
    facts: DataFacts,
    labels: Sequence[str],
    source: str,
    *,
    name: str | None = None,
    teacher: bool = False,
) -> None:
    """Refuse a model that does not fit the data of a task.

    Args:
        model: the network.
        facts: what the data says.
        labels: names of the data's classes; empty leaves them unchecked.
        source: where the model was loaded from: a folder, a checkpoint of this project or a hub id.
        name: begins messages; None: the source.
        teacher: the model is one that teaches a task; changes what a message advises.

    Raises:
        ValueError: vocabulary, [PAD], length or labels differ.
    """
    name = source if name is None else name
    fit_vocabulary(model, facts.vocab_size, facts.pad_token_id, source, name)
    check_length(longest_input(model.config), facts.max_length, name, "set --data.max_length={longest} or less")
    own = class_names(model)
    if labels and own != list(labels):
        remedy = (
            "set --data.labels to the teacher's, or use a teacher of this task"
            if teacher
            else "use a checkpoint of this task, or as --model.init_from an encoder with the head of another task"
        )
        raise ValueError(
            f"{name}: its head has the labels {', '.join(own)}, the data has {', '.join(labels)}; {remedy}"
        )


def class_names(model: PreTrainedModel) -> list[str]:
    """Names of the head's classes, in the order of their ids."""
    names = {int(number): name for number, name in (model.config.id2label or {}).items()}
    return [names[number] for number in sorted(names)]
