"""Dropout of an encoder: which settings of a configuration hold it, and other values for them."""

from dataclasses import dataclass
from typing import cast

from transformers import PreTrainedConfig, PreTrainedModel

from distilkobert.io.pretrained import build_from_config
from distilkobert.models.families import family_of
from distilkobert.tasks.kinds import Task, head_named


@dataclass(frozen=True)
class DropoutSpec:
    """Dropout of an encoder during training, in [0, 1); None keeps what its configuration has.

    Without dropout of attention probabilities, torch has a fused attention kernel on a CPU too, which never holds a
    (B, heads, T, T) tensor and gains more the longer the inputs are.

    Args:
        hidden: of embeddings, hidden states and feed-forward blocks, and of heads without a setting of their own.
        attention: of attention probabilities.

    Raises:
        ValueError: a value is out of range.
    """

    hidden: float | None = None
    attention: float | None = None

    def __post_init__(self) -> None:
        for name, value in (("hidden", self.hidden), ("attention", self.attention)):
            if value is not None and not 0.0 <= value < 1.0:
                raise ValueError(f"dropout.{name}={value}: must be in [0, 1), or null for the encoder's value")

    @property
    def changes(self) -> bool:
        """Whether any value is given."""
        return self.hidden is not None or self.attention is not None


NO_CHANGE = DropoutSpec()
"""The encoder's own dropout."""


def set_dropout(config: PreTrainedConfig, spec: DropoutSpec) -> None:
    """Write the given values into a configuration, before a network is made from it.

    Args:
        config: of a known encoder family; its own names of the settings are used.
        spec: the values.
    """
    for name in family_of(config).dropouts:
        value = spec.attention if "attention" in name else spec.hidden
        if value is not None:
            setattr(config, name, value)


def with_dropout(model: PreTrainedModel, task: Task, spec: DropoutSpec) -> PreTrainedModel:
    """The same network with other dropout; the model itself where nothing is given.

    Args:
        model: a network of a known encoder family.
        task: its head.
        spec: the values.

    Returns:
        A network with equal weights, in evaluation mode.
    """
    if not spec.changes:
        return model
    set_dropout(model.config, spec)
    # Modules hold their dropout from the moment they are made.
    changed = cast(PreTrainedModel, build_from_config(head_named(task).auto_class, model.config))
    changed.load_state_dict(model.state_dict())
    changed.train(False)
    return changed
