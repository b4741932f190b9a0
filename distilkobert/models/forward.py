"""One forward pass of a network with what the objectives need of it, and nothing more."""

from contextlib import nullcontext
from functools import partial
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel

from distilkobert.batching import IGNORE_INDEX
from distilkobert.models.capture import Capture, Kept
from distilkobert.models.families import family_of, has_head
from distilkobert.models.heads import encode, encode_layers, masked_lm_logits
from distilkobert.objectives.contract.needs import NetworkFacts
from distilkobert.objectives.contract.outputs import Batch, Outputs
from distilkobert.objectives.weighted_sum import Captured, WeightedSum


def network_facts(model: PreTrainedModel, name: str) -> NetworkFacts:
    """What a network's configuration says of it.

    Args:
        model: an encoder of a known family, with or without head.
        name: of the network, for messages.
    """
    config = model.config
    return NetworkFacts(
        name=name,
        family=config.model_type,
        layers=int(config.num_hidden_layers),
        hidden_size=int(config.hidden_size),
        has_head=has_head(model),
        gives_attention=family_of(config).attention is not None,
    )


class NetworkRun:
    """Runs a network once per batch and gives its outputs.

    Args:
        model: the network; it must have no capture yet.
        captured: what is computed and kept.
    """

    def __init__(self, model: PreTrainedModel, captured: Captured) -> None:
        self.model = model
        self.captured = captured
        self.last = int(model.config.num_hidden_layers) - 1
        inner = captured.hidden - {self.last}
        self._capture = None
        if inner or captured.attention:
            self._capture = Capture(model, hidden=inner, projections=captured.attention)

    def __call__(self, batch: Batch, every_layer: bool = False) -> Outputs:
        """The outputs for one batch; with the caller's gradient mode.

        Args:
            batch: the batch.
            every_layer: keep the hidden states after every layer, for other measurements than the objectives.
        """
        run = encode_layers if every_layer else encode_last
        with nullcontext(Kept()) if self._capture is None else self._capture as kept:
            layers = run(self.model, batch.input_ids, batch.padding_mask)
        hidden = {**kept.hidden, **{self.last + 1 - len(layers) + place: states for place, states in enumerate(layers)}}
        return Outputs(
            hidden=hidden,
            attention=kept.projections,
            project=partial(masked_lm_logits, self.model),
            projected=self.captured.logits or "masked_tokens",
            batch=batch,
            last=self.last,
        )


class SharedByCopies:
    """In the place of a run's copy: an average of a training's weights needs no second teacher in memory."""

    def __deepcopy__(self, memo: dict[int, Any]) -> "SharedByCopies":
        """The same object."""
        return self


class TeacherRun(SharedByCopies, NetworkRun):
    """A run of a network that does not learn; copies of a module that has it share it."""


def encode_last(model: PreTrainedModel, input_ids: Tensor, attention_mask: Tensor | None) -> tuple[Tensor]:
    """As `encode_layers`, for the last layer alone."""
    return (encode(model, input_ids, attention_mask),)


def freeze_unreached(objectives: WeightedSum, student: NetworkRun, teacher: NetworkRun | None) -> list[str]:
    """Freeze the student's parameters that no objective reaches, and name them.

    They would get no gradient, which DDP refuses. Found by one small batch forward and backward; torch's random state
    and all gradients are as before.

    Args:
        objectives: built for both networks.
        student: its parameters are frozen where no gradient comes.
        teacher: None where no objective needs it. On the device of the student.
    """
    ids = torch.arange(1, 7).reshape(2, 3)
    labels = torch.full_like(ids, IGNORE_INDEX)
    labels[:, 1] = ids[:, 1]
    batch = Batch(ids, torch.ones_like(ids), labels)
    with torch.random.fork_rng(), torch.enable_grad():
        with torch.no_grad():
            targets = None if teacher is None else teacher(batch)
        total = objectives(student(batch), targets, batch).total
        learning = [(name, p) for name, p in student.model.named_parameters() if p.requires_grad]
        gradients = torch.autograd.grad(total, [parameter for _, parameter in learning], allow_unused=True)
    unreached = [
        (name, parameter) for (name, parameter), gradient in zip(learning, gradients, strict=True) if gradient is None
    ]
    for _, parameter in unreached:
        parameter.requires_grad_(False)
    return [name for name, _ in unreached]
