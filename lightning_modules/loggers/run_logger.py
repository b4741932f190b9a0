"""TensorBoard's logger, which makes no file before there is something to write."""

from collections.abc import Callable
from typing import Any

from lightning_fabric.loggers.logger import rank_zero_experiment
from pytorch_lightning.loggers import TensorBoardLogger
from torch.utils.tensorboard import SummaryWriter


class LazyWriter:
    """A placeholder for a writer that is created on first use; until then there is nothing to flush or close.

    Args:
        make: makes the writer, and with it its event file.
    """

    def __init__(self, make: Callable[[], SummaryWriter]) -> None:
        self._make = make
        self.made: SummaryWriter | None = None

    def __getattr__(self, name: str) -> Any:
        if self.made is None:
            self.made = self._make()
        return getattr(self.made, name)

    def flush(self) -> None:
        """Write what is buffered."""
        if self.made is not None:
            self.made.flush()

    def close(self) -> None:
        """End the event file."""
        if self.made is not None:
            self.made.close()


class RunLogger(TensorBoardLogger):
    """A logger that leaves no event file of a start that is refused.

    Lightning asks loggers for their writer before the model is made, which may find that the teacher is missing.
    """

    _experiment: Any

    @property
    @rank_zero_experiment
    def experiment(self) -> Any:
        """The writer."""
        if self._experiment is None:
            self._experiment = LazyWriter(lambda: SummaryWriter(log_dir=self.log_dir, **self._kwargs))
        return self._experiment

    def save(self) -> None:
        """Flush, and write `hparams.yaml`, once anything was written."""
        if self._experiment is not None and self._experiment.made is not None:
            super().save()
