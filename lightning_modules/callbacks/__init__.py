"""Trainer callbacks, one purpose each."""

from lightning_modules.callbacks.checkpoints.best import keep_if_best
from lightning_modules.callbacks.checkpoints.last import LastCheckpoint
from lightning_modules.callbacks.graceful_stop import GracefulStop
from lightning_modules.callbacks.gradients import GradientWatch
from lightning_modules.callbacks.predictions import PredictionFiles
from lightning_modules.callbacks.probe import LinearProbe
from lightning_modules.callbacks.progress import TokenProgressBar
from lightning_modules.callbacks.progress_lines import ModelLine, ProgressLines
from lightning_modules.callbacks.run_record import RunRecord
from lightning_modules.callbacks.start_check import CHECKED_BATCHES, Length, StartCheck
from lightning_modules.callbacks.step_seed import StepSeed
from lightning_modules.callbacks.tensorboard.confusion import ConfusionFigure
from lightning_modules.callbacks.tensorboard.hparams_tab import HparamsTab
from lightning_modules.callbacks.tensorboard.objective_charts import ObjectiveCharts
from lightning_modules.callbacks.tensorboard.samples import SampleTable
from lightning_modules.callbacks.training_log import TrainingLog

__all__ = [
    "CHECKED_BATCHES",
    "ConfusionFigure",
    "GracefulStop",
    "GradientWatch",
    "HparamsTab",
    "LastCheckpoint",
    "Length",
    "LinearProbe",
    "ModelLine",
    "ObjectiveCharts",
    "PredictionFiles",
    "ProgressLines",
    "RunRecord",
    "SampleTable",
    "StartCheck",
    "StepSeed",
    "TokenProgressBar",
    "TrainingLog",
    "keep_if_best",
]
