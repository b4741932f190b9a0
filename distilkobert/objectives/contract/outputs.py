"""Inputs of objectives: a masked batch with its token positions, and the outputs of one forward pass.

Shapes: B batch, T tokens, V vocabulary, H width, A heads, N selected tokens.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import torch
from torch import Tensor

from distilkobert.batching import IGNORE_INDEX
from distilkobert.objectives.contract.needs import Tokens


class Attention(NamedTuple):
    """Query, key and value of one layer, each (B, A, T, H / A), after rotary embedding where there is one.

    Tokens attend to those less than `window` positions away, where it is not None.
    """

    query: Tensor
    key: Tensor
    value: Tensor
    window: int | None = None


@dataclass(frozen=True)
class Batch:
    """A masked batch with the flat positions of its tokens.

    Args:
        input_ids: (B, T).
        attention_mask: (B, T), 0 on padding.
        labels: (B, T) true ids, `IGNORE_INDEX` where nothing is masked.
        progress: share of the optimizer steps taken, 0 to 1.
        real_positions: flat positions (N,) in B * T of the real tokens, rising; None: they are looked up.
        masked_positions: the same of the masked tokens.
    """

    input_ids: Tensor
    attention_mask: Tensor
    labels: Tensor
    progress: float = 0.0
    real_positions: Tensor | None = None
    masked_positions: Tensor | None = None

    @property
    def padding_mask(self) -> Tensor | None:
        """(B, T) for the network, None where nothing is padded, which is known without a look at the mask's values."""
        positions = self.real_positions
        return None if positions is not None and len(positions) == self.input_ids.numel() else self.attention_mask

    @cached_property
    def real(self) -> Tensor:
        """(B, T) boolean, true at all tokens but padding."""
        return self.attention_mask.bool()

    @cached_property
    def positions(self) -> Mapping[Tokens, Tensor]:
        """Flat positions (N,) in B * T of the real and of the masked tokens.

        Looking them up waits for a CUDA device, as their number has to be known; the loader gives them along.
        """
        real, masked = self.real_positions, self.masked_positions
        return {
            "real_tokens": _flat(self.real) if real is None else real,
            "masked_tokens": _flat(self.labels != IGNORE_INDEX) if masked is None else masked,
        }

    @cached_property
    def masked_among_real(self) -> Tensor:
        """Places of the masked tokens in the list of real tokens, (N,)."""
        return torch.searchsorted(self.positions["real_tokens"], self.positions["masked_tokens"])

    def select(self, values: Tensor, tokens: Tokens) -> Tensor:
        """The rows of `values` (B, T, ...) at some tokens, (N, ...)."""
        return values.flatten(0, 1).index_select(0, self.positions[tokens])

    def labels_of(self, tokens: Tokens) -> Tensor:
        """The labels of some tokens, (N,)."""
        return self.select(self.labels, tokens)


def batch_of(values: Mapping[str, Tensor], progress: float = 0.0) -> Batch:
    """The batch of a data module: `input_ids`, `attention_mask`, `labels`, and positions where it gives them."""
    return Batch(
        values["input_ids"],
        values["attention_mask"],
        values["labels"],
        progress,
        values.get("real_positions"),
        values.get("masked_positions"),
    )


def _flat(mask: Tensor) -> Tensor:
    return mask.flatten().nonzero().squeeze(-1)


@dataclass
class Outputs:
    """What one forward pass of a network gave.

    Args:
        hidden: by layer, the hidden states (B, T, H); layer -1 is the embedding output.
        attention: by layer, query, key and value.
        project: vocabulary logits (N, V) of hidden states (N, H), through the network's head.
        projected: the tokens that are sent through it for the whole batch: all real ones if an objective needs them.
        batch: the batch.
        last: number of the last layer, from 0.
        choices: (N, V) boolean, true at the entries of the logits that count, such as those of real positions; None:
            all of them.
    """

    hidden: Mapping[int, Tensor]
    attention: Mapping[int, Attention]
    project: Callable[[Tensor], Tensor]
    projected: Tokens
    batch: Batch
    last: int
    _logits: dict[Tokens, Tensor] = field(default_factory=dict)
    choices: Tensor | None = None

    def logits(self, tokens: Tokens) -> Tensor:
        """Vocabulary logits (N, V) of some tokens; the projection runs once for all objectives."""
        if self.projected not in self._logits:
            self._logits[self.projected] = self.project(self.batch.select(self.hidden[self.last], self.projected))
        if tokens not in self._logits:
            self._logits[tokens] = self._logits["real_tokens"].index_select(0, self.batch.masked_among_real)
        return self._logits[tokens]


def required(teacher: Outputs | None) -> Outputs:
    """The teacher's outputs of an objective whose `needs` names the teacher."""
    if teacher is None:
        raise RuntimeError("the teacher did not run; set Needs(teacher=True)")
    return teacher


def mean_over(values: Tensor, mask: Tensor) -> Tensor:
    """Mean of `values` where `mask`, which broadcasts to them, is true; 0 with a gradient of 0 where it never is."""
    mask = mask.expand_as(values)
    total = torch.where(mask, values, torch.zeros((), dtype=values.dtype, device=values.device)).sum()
    return total / mask.sum().clamp(min=1)
