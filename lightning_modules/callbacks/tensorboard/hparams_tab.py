"""Put the run into TensorBoard's hparams tab: its settings under short names, and all metrics."""

import time
from collections.abc import Mapping
from typing import TypeAlias

import pytorch_lightning as pl
from pytorch_lightning.loggers import TensorBoardLogger
from pytorch_lightning.trainer.states import TrainerFn
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.hparams import metadata
from tensorboard.plugins.hparams.api_pb2 import STATUS_SUCCESS
from tensorboard.plugins.hparams.plugin_data_pb2 import (
    HParamsPluginData,
    SessionEndInfo,
    SessionStartInfo,
)
from torch import Tensor

from distilkobert.io.metric_names import VAL
from distilkobert.tasks.kinds import KINDS
from lightning_modules.base import EncoderModule

Setting: TypeAlias = str | bool | int | float


def headlines() -> list[str]:
    """Validation scores listed first in the tab, as `final/<name>`: it shows the first five scalars at first."""
    return sorted({"agreement", "loss", *(score.key for kind in KINDS for score in kind.scores)})


class HparamsTab(pl.Callback):
    """Write the settings when the run starts; when its training ends the last validation, and that it succeeded.

    The tab shows for every run the last value of each of its scalars: a run is there while it trains, and `test/...`
    joins once `test` has run; `final/...` are then the held-out scores of the checkpoint that was tested. Lightning's
    `log_hyperparams` also writes a description of the whole experiment; TensorBoard takes that of whichever run it
    finds first for all runs, and hides the settings and scores of the others. Without one it collects what all runs
    have, and shows which settings differ.

    Of one run folder TensorBoard reads the settings once, from its first event file; those that a resumed run or `test`
    write again make no second row.

    Args:
        settings: flat settings of the run.
    """

    def __init__(self, settings: dict[str, Setting]) -> None:
        self.settings = settings
        self._started = False

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write the settings once nothing about the start can be refused; not when Lightning tries a validation."""
        if self._started or trainer.sanity_checking:
            return
        self._started = True
        start = SessionStartInfo(start_time_secs=time.time())
        for name, value in self.settings.items():
            if isinstance(value, bool):
                start.hparams[name].bool_value = value
            elif isinstance(value, str):
                start.hparams[name].string_value = value
            else:
                start.hparams[name].number_value = value
        self._write(trainer, metadata.SESSION_START_INFO_TAG, HParamsPluginData(session_start_info=start))
        for logger in trainer.loggers:
            logger.log_hyperparams(self.settings)  # TensorBoard's writes hparams.yaml and, without metrics, no event

    on_validation_start = on_test_start = on_predict_start = on_train_start
    on_fit_end = on_train_start  # of a run of no steps, which begins no training

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write the last validation's scores, and say that the run has come to its end."""
        self._write_final(trainer, pl_module, trainer.callback_metrics)
        end = SessionEndInfo(status=STATUS_SUCCESS, end_time_secs=time.time())
        self._write(trainer, metadata.SESSION_END_INFO_TAG, HParamsPluginData(session_end_info=end))

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write the scores of the `validate` command, which also ends a run of no steps."""
        if trainer.state.fn == TrainerFn.VALIDATING:
            self._write_final(trainer, pl_module, trainer.callback_metrics)

    def on_test_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Let the held-out scores be those of the checkpoint that was tested, as they were when it was written."""
        assert isinstance(pl_module, EncoderModule)
        self._write_final(trainer, pl_module, pl_module.loaded_metrics)

    def _write_final(self, trainer: pl.Trainer, pl_module: pl.LightningModule, metrics: Mapping[str, Tensor]) -> None:
        assert isinstance(pl_module, EncoderModule)
        measured = {name: metrics.get(f"{VAL}{name}") for name in headlines()}
        scores = {f"final/{name}": float(value) for name, value in measured.items() if value is not None}
        for logger in trainer.loggers if scores else ():
            logger.log_metrics(scores, step=pl_module.weights_step)

    def _write(self, trainer: pl.Trainer, tag: str, content: HParamsPluginData) -> None:
        if not trainer.is_global_zero:
            return
        described = metadata.create_summary_metadata(content)
        summary = Summary(value=[Summary.Value(tag=tag, metadata=described, tensor=metadata.NULL_TENSOR)])
        for logger in trainer.loggers:
            if isinstance(logger, TensorBoardLogger):
                logger.experiment.file_writer.add_summary(summary)
