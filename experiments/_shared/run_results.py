"""Whether a run folder's `metrics.json` is the run's own, and which of its values are figures.

A study asks before it calls a run done, a report before it puts a run into a table; both must answer alike.
"""

from collections.abc import Mapping
from typing import Any


def differing_owner(metrics: Mapping[str, Any], recipe: str, arm: str, seed: int) -> str:
    """Where the file says that it is another run's, what it says: `arm='b', seed=2`; empty where it does not.

    Args:
        metrics: what the file holds.
        recipe: the run's stage.
        arm: name of its arm.
        seed: its seed.
    """
    own = {"recipe": recipe, "arm": arm, "seed": seed}
    return ", ".join(f"{key}={metrics[key]!r}" for key, value in own.items() if metrics.get(key, value) != value)


def is_number(value: object) -> bool:
    """Whether a value of the file is a number; one that is not finite is."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def no_numbers(metrics: Mapping[str, Any], prefix: str) -> list[str]:
    """Scores, by their prefix, whose value is no number; the writer of the file writes numbers alone."""
    return sorted(name for name, value in metrics.items() if name.startswith(prefix) and not is_number(value))
