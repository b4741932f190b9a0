"""Whether a run folder's `metrics.json` is the run's own and its last word, and which of its values are metrics.

A study asks before it calls a run done, a report before it puts a run into a table; both need the same answer.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeGuard

from distilkobert.io.metric_names import ARM, RECIPE, SEED, STEPS, VAL_STEP
from distilkobert.io.run_files import CONFIG_FILE, read_metrics, why_unfinished


def differing_owner(metrics: Mapping[str, Any], recipe: str, arm: str, seed: int) -> str:
    """Where the file says that it is another run's, what it says: `arm='b', seed=2`; empty where it does not.

    Args:
        metrics: what the file holds.
        recipe: the run's stage.
        arm: name of its arm.
        seed: its seed.
    """
    own = {RECIPE: recipe, ARM: arm, SEED: seed}
    return ", ".join(f"{key}={metrics[key]!r}" for key, value in own.items() if metrics.get(key, value) != value)


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether a value of the file is a number; one that is not finite is."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def no_numbers(metrics: Mapping[str, Any], prefix: str) -> list[str]:
    """Scores, by their prefix, whose value is not a number; the writer of the file writes numbers alone."""
    return sorted(name for name, value in metrics.items() if name.startswith(prefix) and not is_number(value))


def how_to_finish(folder: Path) -> str:
    """Why a run is not finished and which command resumes it; empty where its training and validation ended.

    A training that its own early stopping has ended is finished.

    Raises:
        ValueError: its `metrics.json` is not a JSON object.
    """
    metrics, config = read_metrics(folder), folder / CONFIG_FILE
    last = folder / "checkpoints" / "last.ckpt"
    if not config.is_file():
        return ""
    command = f"python -m experiments.train {{}} -c {config} --ckpt_path={last}".format
    if reason := why_unfinished(metrics):
        again = f"resume with: {command('fit')}" if last.is_file() else "remove the folder and start it again"
        return f"{folder}: {reason}; {again}"
    if metrics.get(VAL_STEP) != metrics[STEPS]:
        return f"{folder}: its last step was not validated; run: {command('validate')}"
    return ""
