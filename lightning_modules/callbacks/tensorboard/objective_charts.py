"""One page of TensorBoard with all objectives of a distillation, side by side."""

import pytorch_lightning as pl
from pytorch_lightning.loggers import TensorBoardLogger

from distilkobert.io.metric_names import LOSS_TERM, TRAIN, VAL
from lightning_modules.distillation import Distillation

CATEGORY = "objectives"
"""Heading of the charts."""


class ObjectiveCharts(pl.Callback):
    """Describe three charts for the custom-scalars page: values, values times weight, and held-out values.

    Each chart has one line an objective. TensorBoard joins the charts of several runs by their titles.
    """

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write the description; the lines come with the training log and the validations."""
        if not isinstance(pl_module, Distillation) or not trainer.is_global_zero:
            return
        names = [name for name, _ in pl_module.objectives.items()]
        charts = {
            "value": [f"{LOSS_TERM}{name}" for name in names],
            "value times weight": [f"{TRAIN}weighted/{name}" for name in names],
            "held-out value": [f"{VAL}objective/{name}" for name in names],
        }
        for logger in trainer.loggers:
            if isinstance(logger, TensorBoardLogger):
                lines = {title: ["Multiline", tags] for title, tags in charts.items()}
                logger.experiment.add_custom_scalars({CATEGORY: lines})
