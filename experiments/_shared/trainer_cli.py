"""The command line of the trainer: LightningCLI, made strict, with run folders.

What it adds to LightningCLI: abbreviated options are refused; every run has a folder `runs/<recipe>/<arm>_seed<k>`;
what modules and data share (vocabulary size, pad id, labels) is linked from data to module; `--ckpt_path` on `fit` only
resumes, so settings that differ from the checkpoint's are refused instead of silently losing or winning.
"""

import sys
from typing import Any

import numpy as np
import pytorch_lightning as pl
from pytorch_lightning.callbacks import ModelCheckpoint
from pytorch_lightning.cli import LightningArgumentParser, LightningCLI
from pytorch_lightning.loggers import TensorBoardLogger

import datamodules
import lightning_modules
from distilkobert.tasks.probe import ProbeSpec
from experiments._shared.hardware import suit_processor
from experiments._shared.parsers import StrictParser
from experiments._shared.run_folder import RunSpec
from experiments._shared.settings import comparable_settings
from experiments._shared.start_checks import (
    check_checkpoint,
    check_linked,
    check_numbers,
    plain,
    refuse_evaluating_the_start,
    refuse_used_folder,
)
from lightning_modules.base import EncoderModule
from lightning_modules.callbacks import (
    ConfusionFigure,
    GradientWatch,
    HparamsTab,
    LastCheckpoint,
    LinearProbe,
    ModelLine,
    PredictionFiles,
    ProgressLines,
    RunRecord,
    SampleTable,
    StepSeed,
    TokenProgressBar,
    TrainingLog,
    keep_if_best,
)

DEFAULT_SEED = 42
"""Seed of the original's fine-tuning scripts (monologg/KoBERT-nsmc, KoBERT-NER, KoBERT-KorQuAD)."""

LINKS = ("vocab_size", "pad_token_id", "max_length", "labels", "suffix_tags", "particles", "seed_compatible")
"""What data tells the module, under the same name on both sides; where one side lacks the name nothing is passed."""

LINKED = (*LINKS, "token_counts", "seed")
"""All settings that the module takes from the data, or that the run gives to both."""

__all__ = ["TrainerCLI", "datamodules", "lightning_modules"]


class TrainerParser(StrictParser, LightningArgumentParser):
    """LightningCLI's parser, as strict as that of all other commands."""


TRAINER_OPTIONS: dict[str, Any] = {
    "model_class": pl.LightningModule,
    "datamodule_class": pl.LightningDataModule,
    "subclass_mode_model": True,
    "subclass_mode_data": True,
    "parser_class": TrainerParser,
    "auto_configure_optimizers": False,
}
"""How the trainer's parser is made, by whoever makes one."""


class TrainerCLI(LightningCLI):
    """The parser, its links, its refusals and the callbacks every run has."""

    def add_default_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        """One seed for everything; LightningCLI's own option would also take `true` and `false`."""
        help_text = "Seed of weights, batches, masks and dropout; part of the run folder's name."
        parser.add_argument("--seed_everything", type=int, default=DEFAULT_SEED, help=help_text)

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        """Add the run folder, the probe, the two checkpoint groups and the links from data to module."""
        parser.add_class_arguments(RunSpec, "run")
        parser.add_class_arguments(ProbeSpec, "probe")
        parser.add_lightning_class_args(ModelCheckpoint, "best_checkpoint")
        parser.add_lightning_class_args(LastCheckpoint, "last_checkpoint")
        parser.set_defaults(
            {
                "best_checkpoint.filename": "best",
                "best_checkpoint.monitor": "val/loss",
                "best_checkpoint.mode": "min",
                "best_checkpoint.enable_version_counter": False,
            }
        )
        parser.link_arguments("seed_everything", "data.init_args.seed")
        parser.link_arguments("seed_everything", "model.init_args.seed")
        for name in LINKS:
            parser.link_arguments(f"data.{name}", f"model.init_args.{name}", apply_on="instantiate")
        # The parser checks every number of a list; it knows no NumPy integers.
        counts = ("data.token_counts", "model.init_args.token_counts")
        parser.link_arguments(*counts, compute_fn=np.ndarray.tolist, apply_on="instantiate")

    def parse_arguments(self, parser: LightningArgumentParser, args: Any) -> None:
        """Parse, then refuse numbers out of range, and a checkpoint of another module or of other settings."""
        super().parse_arguments(parser, args)
        config = self.config[self.config.subcommand]
        check_numbers(config)
        self.run_folder = RunSpec(**vars(config.run)).folder(int(config.seed_everything))
        fit, self.resumed_step = self.config.subcommand == "fit", None
        if config.get("ckpt_path"):
            step = check_checkpoint(config, self.run_folder, LINKED, fit=fit)
            self.resumed_step = step if fit else None

    def before_instantiate_classes(self) -> None:
        """Give the trainer its logger, and refuse what would write over a run that the folder has."""
        config = self.config[self.config.subcommand]
        if config.trainer.logger not in (None, True):
            raise ValueError("trainer.logger: runs always log to TensorBoard in their run folder; leave it out")
        self.facts = {"recipe": config.run.recipe, "arm": config.run.arm, "seed": int(config.seed_everything)}
        if config.get("ckpt_path") or config.trainer.fast_dev_run:
            return
        if self.config.subcommand == "fit":
            refuse_used_folder(self.run_folder)
        elif self.config.subcommand != "predict":
            refuse_evaluating_the_start(self.run_folder, self.config.subcommand)

    def instantiate_classes(self) -> None:
        """Make everything; a module of ours gets the checkpoint that will be loaded into it."""
        super().instantiate_classes()
        config = self.config[self.config.subcommand]
        asked = config.model.init_args.as_dict()
        check_linked(asked, self.model, self.datamodule, LINKED)
        if isinstance(self.model, EncoderModule):
            self.model.settings = plain({name: value for name, value in asked.items() if name not in LINKED})
            self.model.checkpoint = config.get("ckpt_path")

    def after_fit(self) -> None:
        """Measure the weights that training ends with, or that a run of no steps has, where no validation did.

        They are the best checkpoint if their figure is the best. `last.ckpt` is written again afterwards, so that a run
        that goes on from it knows what was measured, and which score there is to beat.
        """
        trainer = self.trainer
        if trainer.fast_dev_run:
            return
        record = next(callback for callback in trainer.callbacks if isinstance(callback, RunRecord))
        measured = record.validated_step != trainer.global_step and bool(trainer.limit_val_batches)
        if measured:
            trainer.validate(self.model, datamodule=self.datamodule)
        current = record.validated_step == trainer.global_step
        metrics = {name: value for name, value in record.metrics.items() if current or not name.startswith("val/")}
        if keep_if_best(trainer, metrics) or measured:
            next(callback for callback in trainer.callbacks if isinstance(callback, LastCheckpoint)).save(trainer)
        record.write_best(trainer)

    def instantiate_trainer(self, **kwargs: Any) -> pl.Trainer:
        """The trainer, with TensorBoard always and the callbacks of this project."""
        config = self.config[self.config.subcommand]
        logger = TensorBoardLogger(
            save_dir=config.run.root,
            name=config.run.recipe,
            version=self.run_folder.name,
            default_hp_metric=False,
            # Points of later steps that an interrupted run has written are taken out of its curves.
            purge_step=None if self.resumed_step is None else self.resumed_step + 1,
        )
        probe = ProbeSpec(**vars(config.probe))
        asked = config.trainer.enable_progress_bar
        bar = sys.stdout.isatty() if asked is None else asked
        self.trainer_defaults["callbacks"] = [
            HparamsTab(comparable_settings(config.as_dict(), self.facts, LINKS)),
            # Before the log, whose clock starts again when validation has ended.
            ConfusionFigure(),
            SampleTable(),
            TrainingLog(),
            GradientWatch(),
            StepSeed(self.facts["seed"]),
            *([LinearProbe(probe)] if probe.data_dir else []),
            PredictionFiles(self.run_folder),
            # After what it records: a run with test scores has its predictions.
            RunRecord(self.run_folder, self.facts),
            TokenProgressBar() if bar else ProgressLines(),
            *([ModelLine()] if config.trainer.enable_model_summary is None else []),
        ]
        options = {"logger": logger, "use_distributed_sampler": False, "enable_progress_bar": bar}
        trainer = super().instantiate_trainer(**options, **kwargs)
        suit_processor(trainer)
        return trainer
