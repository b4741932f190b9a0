"""The callbacks that every run has, and the groups of options for a run that are neither module nor data."""

from pathlib import Path
from typing import Any, Final

import pytorch_lightning as pl
from jsonargparse import Namespace
from pytorch_lightning.callbacks import ModelCheckpoint

from distilkobert.io.metric_names import SEED
from distilkobert.stop_signals import StopSignals
from distilkobert.tasks.probe import ProbeSpec
from experiments._shared.links import LINKED
from experiments._shared.run.checkpoint_settings import data_settings
from experiments._shared.run.folder import RunSpec
from experiments._shared.settings import comparable_settings
from lightning_modules.callbacks import (
    ConfusionFigure,
    GracefulStop,
    GradientWatch,
    HparamsTab,
    LastCheckpoint,
    Length,
    LinearProbe,
    ModelLine,
    ObjectiveCharts,
    PredictionFiles,
    ProgressLines,
    RunRecord,
    SampleTable,
    StartCheck,
    StepSeed,
    TokenProgressBar,
    TrainingLog,
)

SETTINGS: Final[dict[str, type]] = {"run": RunSpec, "probe": ProbeSpec, "progress": ProgressLines}
"""Groups of options, with the classes that check them."""
CALLBACKS: Final[dict[str, type[pl.Callback]]] = {
    "best_checkpoint": ModelCheckpoint,
    "last_checkpoint": LastCheckpoint,
    "gradients": GradientWatch,
}
"""Groups of options of callbacks that Lightning's command line makes."""


def run_callbacks(
    config: Namespace, facts: dict[str, Any], folder: Path, length: Length, signals: StopSignals, bar: bool
) -> list[pl.Callback]:
    """Make them, in the order in which they are called.

    Args:
        config: the command's settings.
        facts: recipe, arm and seed.
        folder: the run's.
        length: how long training is asked to be.
        signals: where signals are noted that ask the command to stop.
        bar: show a progress bar, not lines.
    """
    probe = ProbeSpec(**vars(config.probe))
    return [
        HparamsTab(comparable_settings(config.as_dict(), facts, LINKED)),
        # Before the log, whose clock starts again when validation has ended.
        ConfusionFigure(),
        SampleTable(),
        ObjectiveCharts(),
        TrainingLog(),
        StartCheck(folder, length, config.run.check_only),  # before the seed of the batch is set
        StepSeed(facts[SEED]),
        *([LinearProbe(probe)] if probe.data_dir else []),
        PredictionFiles(folder),
        # After what it records: a run with test scores has its predictions.
        RunRecord(folder, facts, data_settings(config)),
        TokenProgressBar() if bar else ProgressLines(**vars(config.progress)),
        *([ModelLine()] if config.trainer.enable_model_summary is None else []),
        GracefulStop(signals, requeue=config.run.resume == "auto"),
    ]
