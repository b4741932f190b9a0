"""A logger besides TensorBoard, which starts with the first value to log and continues when its run is resumed."""

from argparse import Namespace
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pytorch_lightning.loggers import Logger
from pytorch_lightning.utilities import rank_zero_only

from distilkobert.io.run_files import LOGGERS_FILE, read_json_object, write_json


class LateLogger(Logger):
    """Hands everything to a logger that is made when it is first needed, on the first process alone.

    A start that is refused so begins no run anywhere. The id that a tracking service gives the run is kept in the run's
    folder, in `loggers.json`, for later commands. Settings are logged once, when the run starts there.

    Args:
        make: makes the logger, from the id of the run to continue; None for a new one.
        key: name of the logger in the file of ids.
        folder: of the run.
        named: gives a metric the name that the logger gets.
    """

    def __init__(
        self, make: Callable[[str | None], Logger], key: str, folder: Path, named: Callable[[str], str] = str
    ) -> None:
        super().__init__()
        self._make, self._key, self._folder, self._named = make, key, folder, named
        self._made: Logger | None = None
        self._is_new = True

    @property
    def name(self) -> str:
        """The run's recipe."""
        return self._folder.parent.name

    @property
    def version(self) -> str:
        """Name of the run's folder."""
        return self._folder.name

    @property
    def log_dir(self) -> str:
        """The run's folder."""
        return str(self._folder)

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Log scalars at an optimizer step."""
        self._logger().log_metrics({self._named(name): value for name, value in metrics.items()}, step)
        self._keep_id()

    @rank_zero_only
    def log_hyperparams(self, params: dict[str, Any] | Namespace, *args: Any, **kwargs: Any) -> None:
        """Log the run's settings, where the run is new to the logger."""
        logger = self._logger()
        if self._is_new:
            logger.log_hyperparams(params)
            self._keep_id()

    @rank_zero_only
    def save(self) -> None:
        """Write what is buffered."""
        if self._made is not None:
            self._made.save()

    @rank_zero_only
    def after_save_checkpoint(self, checkpoint_callback: Any) -> None:
        """Let the logger see a new checkpoint."""
        if self._made is not None:
            self._made.after_save_checkpoint(checkpoint_callback)

    @rank_zero_only
    def finalize(self, status: str) -> None:
        """End the run with the logger, if it has begun."""
        if self._made is not None:
            self._made.finalize(status)

    def _logger(self) -> Logger:
        if self._made is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            known = read_json_object(self._folder / LOGGERS_FILE).get(self._key)
            self._is_new = known is None
            self._made = self._make(known)
        return self._made

    def _keep_id(self) -> None:
        if not self._is_new:
            return
        ids = read_json_object(self._folder / LOGGERS_FILE)
        if self._key not in ids:
            write_json(self._folder / LOGGERS_FILE, {**ids, self._key: str(self._logger().version)})
