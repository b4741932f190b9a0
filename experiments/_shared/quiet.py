"""Silence what other libraries say about things that are intended here."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_ROOT: Final = Path(__file__).parents[2]
_SOURCES: Final = tuple(_ROOT / name for name in ("datamodules", "distilkobert", "experiments", "lightning_modules"))


def quieten_transformers() -> None:
    """No load reports, no bars for weights: what is missing is checked, and refused in our own words."""
    from transformers.utils import logging as transformers_logging

    transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]


def quieten_lightning() -> None:
    """No advertisement, and no advice that does not fit loaders that hand out whole batches."""
    unwanted = ("litlogger", "Trainer already configured with model summary callbacks", "TPU available: False")
    logging.getLogger("pytorch_lightning.utilities.rank_zero").addFilter(
        lambda record: not any(phrase in record.getMessage() for phrase in unwanted)
    )
    plain_warnings()  # after Lightning's import, which sets a format of its own
    # Few workers are enough: a batch is one memory-mapped read. Batches come whole, so the loader has no batch_size.
    # Task modules move their batches themselves, because Lightning would search the plain objects in them for tensors.
    # Before the first validation there is nothing to select by; `fit` ends with one, which refuses a wrong name.
    # Whether a run of Slurm needs `srun` is settled before Lightning looks (run/launching.py).
    # The deprecated pytree check is Lightning's own (2.6.6 on torch 2.13): drop the filter when a release fixes it.
    for message in (
        ".*does not have many workers.*",
        ".*Trying to infer the `batch_size`.*",
        ".*overridden `transfer_batch_to_device`.*",
        ".*could not find the monitored key.*",
        ".*`srun` command is available.*",
        ".*isinstance\\(treespec, LeafSpec\\).*",
    ):
        warnings.filterwarnings("ignore", message=message)


def plain_warnings() -> None:
    """Show warnings of this project as `warning: TEXT`, without a path and a line of source; others as they are."""
    usual = warnings.formatwarning

    def own_format(
        message: Warning | str, category: type[Warning], filename: str, lineno: int, line: str | None = None
    ) -> str:
        ours = category is UserWarning and any(Path(filename).is_relative_to(source) for source in _SOURCES)
        return f"warning: {message}\n" if ours else usual(message, category, filename, lineno, line)

    if usual.__name__ != own_format.__name__:
        warnings.formatwarning = own_format


@contextmanager
def only_from(level: int, *names: str) -> Iterator[None]:
    """Loggers of these names (none: the root logger) say nothing below `level` while the block runs.

    A handler that the block adds to the root logger is removed: `logging.warning`, which onnxruntime's quantization
    calls, adds one that would print the lines of all other libraries again.
    """
    loggers, handlers = [logging.getLogger(name) for name in names or (None,)], list(logging.root.handlers)
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(level)
    try:
        yield
    finally:
        for logger, earlier in zip(loggers, before, strict=True):
            logger.setLevel(earlier)
        for added in [handler for handler in logging.root.handlers if handler not in handlers]:
            logging.root.removeHandler(added)
