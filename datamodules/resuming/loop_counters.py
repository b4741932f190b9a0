"""A place in a training, and the counters of Lightning's loops (2.6) from which training continues there."""

from dataclasses import asdict, dataclass
from typing import Any, cast

from pytorch_lightning import __version__ as lightning_version  # type: ignore[attr-defined]

_FORMAT = {
    "state_dict": {},
    "epoch_loop.state_dict": {"_batches_that_stepped"},
    "epoch_loop.batch_progress": {"total", "current", "is_last_batch"},
    "epoch_loop.scheduler_progress": {"total", "current"},
    "epoch_loop.automatic_optimization.state_dict": {},
    "epoch_loop.automatic_optimization.optim_progress": {"optimizer"},
    "epoch_loop.manual_optimization.state_dict": {},
    "epoch_loop.manual_optimization.optim_step_progress": {"total", "current"},
    "epoch_loop.val_loop.state_dict": {},
    "epoch_loop.val_loop.batch_progress": {"total", "current", "is_last_batch"},
    "epoch_progress": {"total", "current"},
}
"""What the state of Lightning's training loop consists of (2.6)."""

_COUNTS = ("ready", "started", "processed", "completed")


@dataclass(frozen=True)
class Place:
    """A place between two optimizer steps of a training; the same on every rank.

    Args:
        epoch: epochs that are over, their last hooks included.
        batches: batches of the epoch after them that the weights were trained on, over all ranks.
        total: batches since the run began, over all ranks.
        ended: whether `batches` are all of that epoch; its last hooks are still to come.
        validated: batches of that epoch after which the last validation came; more than `batches` if it came before the
            end of the step after them.
    """

    epoch: int = 0
    batches: int = 0
    total: int = 0
    ended: bool = False
    validated: int = 0


def place_of(state: dict[str, Any]) -> Place:
    """The place in a data module's state.

    Raises:
        ValueError: it has none.
    """
    try:
        return Place(**{name: state[name] for name in asdict(Place())})
    except KeyError as error:
        raise ValueError(
            f"the checkpoint does not say whether '{error.args[0]}': it was written by an earlier version of this "
            "project, whose checkpoints cannot be resumed. Start a new run; its weights can still be evaluated and "
            "exported"
        ) from error


def counters_at(found: dict[str, Any], place: Place, processes: int, steps: int) -> dict[str, Any]:
    """The state of Lightning's training loop from which it continues at a place.

    Args:
        found: the loop's state in the checkpoint; what only informs is kept of it.
        place: where to continue.
        processes: number of processes now.
        steps: optimizer steps taken.

    Raises:
        RuntimeError: the state is one of another Lightning.
    """
    check_counters(found)
    begun = place.batches > 0
    here, total = place.batches // processes, place.total // processes
    epoch = {"ready": place.epoch + begun, "started": place.epoch + begun, "processed": place.epoch}
    epochs = {**epoch, "completed": place.epoch}
    # A validation that has begun and not ended is run again, one without any batch is not.
    pending = place.validated < place.batches
    validation = {"ready": int(pending), "started": int(pending), "processed": 0, "completed": 0}
    return {
        **found,
        "epoch_progress": {"total": dict(epochs), "current": dict(epochs)},
        "epoch_loop.batch_progress": {
            "total": dict.fromkeys(_COUNTS, total),
            "current": dict.fromkeys(_COUNTS, here),
            "is_last_batch": place.ended,
        },
        # Lightning counts a step after the validation that follows it.
        "epoch_loop.state_dict": {"_batches_that_stepped": steps - begun},
        "epoch_loop.val_loop.batch_progress": {
            "total": validation,
            "current": dict.fromkeys(_COUNTS, 0),
            "is_last_batch": False,
        },
    }


def check_counters(state: dict[str, Any]) -> None:
    """Check that the state of Lightning's training loop consists of the expected counters.

    Raises:
        RuntimeError: it does not; names those that are new or missing.
    """
    unlike = sorted(state.keys() ^ _FORMAT.keys())
    unlike += [
        f"{name}.{part}"
        for name, parts in _FORMAT.items()
        if name in state and parts
        for part in sorted(set(state[name]) ^ set(parts))
    ]
    for name in ("epoch_progress", "epoch_loop.batch_progress", "epoch_loop.val_loop.batch_progress"):
        for part in ("total", "current"):
            counts = cast(dict[str, Any], state.get(name, {}).get(part, {}))
            unlike += [f"{name}.{part}.{count}" for count in sorted(counts.keys() ^ set(_COUNTS))]
    if unlike:
        raise RuntimeError(
            f"pytorch-lightning {lightning_version} has other loop counters than 2.6, for which exact resume was built "
            f"({', '.join(unlike[:4])}); install the version in constraints.txt"
        )
