"""One forward pass of a network with a task's head, with what objectives need of it: the task's logits, hidden states,
attention."""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel

from distilkobert.batching import IGNORE_INDEX
from distilkobert.models.capture import Capture, Kept
from distilkobert.models.checks import takes_segments
from distilkobert.models.forward import SharedByCopies
from distilkobert.models.heads import mask_for
from distilkobert.objectives.contract.outputs import Batch, Outputs
from distilkobert.objectives.weighted_sum import Captured
from distilkobert.tasks.kinds import (
    MULTI_LABEL_CLASSIFICATION,
    QUESTION_ANSWERING,
    TOKEN_CLASSIFICATION,
    TaskKind,
    head_of_class,
)

_NOWHERE = -1e4
"""Logit of a position that no answer can have: its probability is 0 in float32, and differences stay finite."""


def network_inputs(network: PreTrainedModel, batch: Mapping[str, Any]) -> dict[str, Tensor]:
    """What a network takes of a batch: a mask where something is padded, segment ids if the network uses them.

    Args:
        network: with or without head.
        batch: as the data module makes it; `padded`, if it is there, says whether anything is padding.
    """
    inputs = {"input_ids": batch["input_ids"]}
    mask = mask_for(network, batch["attention_mask"] if batch.get("padded", True) else None)
    if mask is not None:
        inputs["attention_mask"] = mask
    if takes_segments(network.config):
        inputs["token_type_ids"] = batch["token_type_ids"]
    return inputs


def logit_rows(
    kind: TaskKind, logits: Sequence[Tensor], attention_mask: Tensor, labels: Tensor | None = None
) -> Tensor:
    """A task's logits as rows of choices, (N, K), so that objectives on logits see one distribution a row.

    Classes and a score: a row per text. Any number of labels: a row per text and label, of the label's logit and 0,
    whose softmax is the sigmoid. Tags: a row for each piece that carries a label. Answers: a row over the T positions
    for the start of each window and one for its end.

    Args:
        kind: the task kind.
        logits: the head's outputs.
        attention_mask: (B, T), 0 on padding.
        labels: (B, T), `IGNORE_INDEX` on pieces without a tag; of tags alone.
    """
    if kind is MULTI_LABEL_CLASSIFICATION:
        given = logits[0].flatten()
        return torch.stack([given, torch.zeros_like(given)], dim=-1)
    if kind is TOKEN_CLASSIFICATION:
        assert labels is not None
        return logits[0][labels != IGNORE_INDEX]
    if kind is QUESTION_ANSWERING:
        return torch.cat([part.masked_fill(attention_mask == 0, _NOWHERE) for part in logits])
    return logits[0]


class TaskRun:
    """Runs a network with a task's head once per batch.

    Args:
        model: the network; it must have no capture yet.
        captured: what is kept for the objectives.
    """

    def __init__(self, model: PreTrainedModel, captured: Captured) -> None:
        self.model = model
        self.last = int(model.config.num_hidden_layers) - 1
        self._over_positions = head_of_class(type(model).__name__) is QUESTION_ANSWERING
        self._capture = None
        if captured.hidden or captured.attention:
            self._capture = Capture(model, hidden=captured.hidden, projections=captured.attention)

    def __call__(self, inputs: Mapping[str, Tensor], names: Sequence[str]) -> tuple[tuple[Tensor, ...], Kept]:
        """The head's outputs, and what was kept; with the caller's gradient mode.

        Args:
            inputs: what the network takes.
            names: of the head's outputs.
        """
        with nullcontext(Kept()) if self._capture is None else self._capture as kept:
            found = self.model(**inputs)
        return tuple(getattr(found, name) for name in names), kept

    def outputs(self, kept: Kept, rows: Tensor, tokens: Batch) -> Outputs:
        """What objectives compute from.

        Args:
            kept: of the same pass.
            rows: of `logit_rows`; objectives get them whichever tokens they ask for.
            tokens: the batch.
        """
        return Outputs(
            hidden=kept.hidden,
            attention=kept.projections,
            project=_no_vocabulary,
            projected="real_tokens",
            batch=tokens,
            last=self.last,
            _logits={"real_tokens": rows, "masked_tokens": rows},
            choices=tokens.real.repeat(2, 1) if self._over_positions else None,
        )


class TaskTeacherRun(SharedByCopies, TaskRun):
    """A run of a network that does not learn; copies of a module that has it share it."""


def _no_vocabulary(hidden: Tensor) -> Tensor:
    raise RuntimeError("a task's head has no vocabulary; its logits are rows already")
