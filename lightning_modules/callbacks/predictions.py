"""Store the predictions of `test` and `predict` in the run folder."""

from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.utilities import rank_zero_info

from distilkobert.io.prediction_files import GROUP, STEMS
from lightning_modules.base import EncoderModule
from lightning_modules.callbacks.gathering import gather_to_zero
from lightning_modules.run.own_data import keeps_whole_test


class PredictionFiles(pl.Callback):
    """Gather what `test_step` or `predict_step` returned over batches and ranks; rank 0 writes the module's files.

    It says where they are; a module that returns no records has no files. Records come out in the order of the data
    file, whatever the order and the number of the batches.

    Args:
        folder: the run folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._records: list[dict[str, Any]] = []

    def on_test_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Start empty."""
        self._records = []

    def on_test_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Keep the records of one batch."""
        if isinstance(outputs, dict):
            self._records += outputs["records"]

    on_predict_start = on_test_start
    on_predict_batch_end = on_test_batch_end

    def on_test_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write the files; those of a part of the batches do not replace those of a whole test."""
        if not keeps_whole_test(trainer, self.folder):
            self._write(trainer, pl_module, "test")

    def on_predict_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write the files."""
        self._write(trainer, pl_module, "predict")

    def _write(self, trainer: pl.Trainer, pl_module: pl.LightningModule, command: str) -> None:
        if not isinstance(pl_module, EncoderModule) or trainer.fast_dev_run:  # type: ignore[attr-defined]
            return
        parts = gather_to_zero(trainer, self._records)
        records = sorted((record for part in parts for record in part), key=lambda record: record["row"])
        data: Any = trainer.datamodule  # type: ignore[attr-defined]
        if (groups := getattr(data, "groups", lambda _: None)(command)) is not None:
            records = [{**record, GROUP: groups[record["row"]]} for record in records]
        if records:
            stem = STEMS[command]
            self.folder.mkdir(parents=True, exist_ok=True)
            pl_module.save_predictions(self.folder, stem, records)
            rank_zero_info(f"{len(records):,} predictions in {self.folder / stem}.jsonl")
