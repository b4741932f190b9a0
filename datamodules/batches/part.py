"""What the batches of one part of a task's files offer, and lines about few examples and about inputs that are cut."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from distilkobert.batching import BatchKey
from distilkobert.tasks.input_settings import InputSettings

FEW_EXAMPLES: Final = 10
"""A dev part of fewer examples gives a warning."""


class TaskBatches(Protocol):
    """The batches of one part, made inside loader workers; a batch depends on its key alone."""

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Tokens that each item takes in a batch, (N,); an item is what batches are planned over."""

    @property
    def fingerprint(self) -> str:
        """Names the examples of the part."""

    @property
    def facts(self) -> dict[str, int | float]:
        """Counts and shares of the part."""

    def __getitem__(self, key: BatchKey) -> dict[str, Any]:
        """Build the batch that `key` names."""


def few_note(where: str, examples: int) -> str:
    """Why the score of a dev part says little; empty where it has `FEW_EXAMPLES` or more."""
    if examples >= FEW_EXAMPLES:
        return ""
    return (
        f"{where}: {examples} examples choose the checkpoint, so its score is mostly chance; use a larger "
        "data.dev_share or a data.dev_file, where the data module has them"
    )


def cut_note(parts: Sequence[str], facts: Mapping[str, Any], settings: InputSettings) -> str:
    """How many inputs of some parts lose their end, and which setting decides about it; empty where none does.

    Args:
        parts: names of the parts.
        facts: what is known of them, as a data module's `facts` has it.
        settings: of the inputs.
    """

    def cut(part: str, of_all: int) -> int:
        share = facts.get(f"data/{part}_truncated_share", 0.0)
        return int(facts.get(f"data/{part}_questions_cut", 0)) or round(share * of_all)

    counts = {part: int(facts.get(f"data/{part}_examples", 0)) for part in parts}
    found = [f"{n:,} of {count:,} {part}" for part, count in counts.items() if (n := cut(part, count))]
    if not found:
        return ""
    # Contexts of questions are divided into windows, so only the question itself can be cut.
    asked = any(f"data/{part}_questions_cut" in facts for part in parts)
    option, unit = ("max_question", "pieces") if asked else ("max_length", "tokens")
    return (
        f"note: {', '.join(found)} {'questions' if asked else 'inputs'} are longer than data.{option}="
        f"{getattr(settings, option)} {unit} and are cut; a larger data.{option} keeps more, and needs more memory"
    )
