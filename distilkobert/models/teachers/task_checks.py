"""Checks before the first batch: is a model a teacher of this task?"""

from collections.abc import Sequence
from dataclasses import replace

from transformers import PreTrainedModel

from distilkobert.models.forward import network_facts
from distilkobert.objectives.contract.needs import NetworkFacts
from distilkobert.tasks.kinds import TaskKind
from distilkobert.tokenizers.loading import load_tokenizer, tokenizer_beside


def check_teacher_head(missing: Sequence[str], kind: TaskKind, source: str) -> None:
    """Refuse a teacher without a trained head of the task.

    Args:
        missing: weights that the source does not have.
        kind: the task kind.
        source: the teacher, for messages.

    Raises:
        ValueError: a part of the head is missing.
    """
    if missing:
        raise ValueError(
            f"teacher {source} has no trained head for {kind.name}; missing: {', '.join(missing[:4])}. Fine-tune it on "
            "this task first, and name its exported folder or checkpoint"
        )


def check_teacher_tokenizer(source: str, fingerprint: str) -> None:
    """Refuse a teacher whose folder has another tokenizer than the data.

    Args:
        source: exported folder, or checkpoint of a run; a hub id, or a folder without a tokenizer, is not checked.
        fingerprint: of the data's tokenizer; empty leaves it unchecked.

    Raises:
        ValueError: the tokenizers differ.
    """
    folder = tokenizer_beside(source)
    if not fingerprint or folder is None:
        return
    found = load_tokenizer(str(folder))
    if found.fingerprint != fingerprint:
        raise ValueError(
            f"teacher {source} was trained with another tokenizer than data.tokenizer, one of {found.vocab_size} "
            f"pieces; set --data.tokenizer={folder}"
        )


def task_network_facts(model: PreTrainedModel, name: str) -> NetworkFacts:
    """What a network with a task's head says of itself; its head gives the logits that objectives ask for."""
    return replace(network_facts(model, name), has_head=True)
