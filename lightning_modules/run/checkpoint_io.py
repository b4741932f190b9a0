"""How the trainer reads and writes checkpoint files."""

from pathlib import Path
from typing import Any

from lightning_fabric.plugins import TorchCheckpointIO

from distilkobert.io.checkpoint_files import write_checkpoint
from distilkobert.models.checkpoints import read_checkpoint
from distilkobert.stop_signals import StopSignals


class WholeCheckpoints(TorchCheckpointIO):
    """Writes every checkpoint whole or not at all, with a checksum, and reads none whose bytes have changed.

    Lightning's own writes through the folder of temporary files and copies from there where that is on another disk, so
    that a kill or a full disk leaves a part of a file under the checkpoint's name.

    Args:
        signals: where signals are noted that ask the command to stop; one within a write stops it afterwards.
    """

    def __init__(self, signals: StopSignals) -> None:
        super().__init__()
        self._signals = signals

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        """Write a checkpoint.

        Raises:
            OSError: see `write_checkpoint`.
            StoppedBySignal: see `StopSignals.delayed`; the checkpoint is written.
            ValueError: storage options are given, which local files have none of.
        """
        if storage_options is not None:
            raise ValueError(f"storage_options={storage_options}: checkpoints are local files; leave it out")
        with self._signals.delayed():
            write_checkpoint(Path(path), checkpoint)

    def load_checkpoint(self, path: Any, map_location: Any = None, weights_only: bool | None = None) -> dict[str, Any]:
        """Read a checkpoint on the CPU, tensors and plain types only, whatever the arguments say.

        Raises:
            FileNotFoundError, ValueError: see `read_checkpoint`.
        """
        return read_checkpoint(path)
