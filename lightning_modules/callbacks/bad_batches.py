"""The batches of a step whose loss or gradient is not finite, kept for inspection."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor

from distilkobert.io.run_files import write_json

FOLDER = "nonfinite"
"""Folder of the files, in that of the run."""


class StepBatches:
    """This rank's micro-batches of the optimizer step that is being made, each with whether its loss is finite."""

    def __init__(self) -> None:
        self._batches: list[tuple[int, Any]] = []
        self._bad: list[Tensor] = []

    def begin(self, number: int, batch: Any) -> None:
        """Note the micro-batch that comes next; its number counts from the epoch's start."""
        self._batches.append((number, batch))

    def end(self, bad: Tensor) -> None:
        """Note whether its loss is not finite, on the device, without waiting for it."""
        self._bad.append(bad)

    def bad_losses(self) -> Tensor:
        """How many of the losses so far are not finite, (), on the device."""
        return torch.stack(self._bad).sum()

    @property
    def latest(self) -> tuple[Any, int] | None:
        """The micro-batch noted last, and its number; None where there is none."""
        if not self._batches:
            return None
        number, batch = self._batches[-1]
        return batch, number

    def forget(self) -> None:
        """Begin another optimizer step."""
        self._batches, self._bad = [], []

    def save(self, trainer: pl.Trainer, by_loss: bool) -> list[Path]:
        """Write a file for each micro-batch whose loss is not finite; for all where only the gradient is not.

        Args:
            trainer: the trainer.
            by_loss: whether any rank has a loss that is not finite.

        Returns:
            The files of this rank.
        """
        chosen = [pair for pair, bad in zip(self._batches, self._bad, strict=False) if bad or not by_loss]
        folder = Path(str(trainer.log_dir)) / FOLDER  # on every rank: Lightning broadcasts it
        if trainer.fast_dev_run:  # type: ignore[attr-defined]
            return []
        folder.mkdir(parents=True, exist_ok=True)
        paths = []
        for number, batch in chosen:
            paths.append(folder / f"step{trainer.global_step:08d}_batch{number:06d}_rank{trainer.global_rank}.json")
            place = {"step": trainer.global_step, "epoch": trainer.current_epoch, "batch": number}
            write_json(paths[-1], {**place, **_plain(batch), "pieces": _pieces(trainer, batch)})
        return paths


def _plain(batch: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value.tolist() if isinstance(value, Tensor) else value
        for name, value in batch.items()
        if isinstance(value, (Tensor, str, int, float)) or (isinstance(value, Sequence) and all(map(_is_plain, value)))
    }


def _is_plain(value: Any) -> bool:
    return isinstance(value, (str, int, float))


def _pieces(trainer: pl.Trainer, batch: dict[str, Tensor]) -> list[str]:
    """The rows of a batch as pieces, padding left out; empty where the data has no tokenizer."""
    tokenizer = getattr(getattr(trainer, "datamodule", None), "tokenizer", None)
    if tokenizer is None or not torch.is_tensor(batch.get("input_ids")):
        return []
    rows = zip(batch["input_ids"].tolist(), batch["attention_mask"].tolist(), strict=True)
    kept = ([number for number, real in zip(ids, mask, strict=True) if real] for ids, mask in rows)
    return [" ".join(tokenizer.convert_ids_to_tokens(ids)) for ids in kept]
