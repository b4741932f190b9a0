"""The command line of the trainer: LightningCLI, made strict, with run folders.

What it adds to LightningCLI: abbreviated options are refused; every run has a folder `runs/<recipe>/<arm>_seed<k>`;
what modules and data share (vocabulary size, pad id, labels) is linked from data to module (`links.py`); `--ckpt_path`
on `fit` only resumes, so settings that differ from the checkpoint's are refused instead of silently losing or winning.
"""

import sys
from contextlib import ExitStack
from typing import Any, cast

import pytorch_lightning as pl
from pytorch_lightning.cli import LightningArgumentParser, LightningCLI
from pytorch_lightning.utilities import rank_zero_info

import datamodules
import lightning_modules
from distilkobert.io.metric_names import ARM, LOSS, RECIPE, SEED, VAL
from distilkobert.stop_signals import StopSignals
from experiments._shared.command_checks import check_command
from experiments._shared.commandline import plain_cause
from experiments._shared.links import LINKED, LinkError, add_links
from experiments._shared.machine.hardware import suit_processor
from experiments._shared.run.checkpoint_settings import content_of_sources
from experiments._shared.run.folder import RunSpec
from experiments._shared.run.launching import settle_processes
from experiments._shared.run.resuming import settle_checkpoint, take_folder
from experiments._shared.run_callbacks import CALLBACKS, SETTINGS, run_callbacks
from experiments._shared.settings import as_json
from experiments._shared.start_checks import refuse_evaluating_the_start, refuse_used_folder
from experiments._shared.training.closing import closing_lines, resumable
from experiments._shared.training.data_tokenizer import check_sources, check_tokenizers, fill_tokenizer
from experiments._shared.training.loggers import make_loggers
from experiments._shared.training.objective_errors import named_objective
from experiments._shared.training.own_config import place_by_own_config
from experiments._shared.training.parser import TrainerParser
from experiments._shared.training.saved_paths import keepable
from experiments._shared.training.trainer_checks import check_device, check_trainer, settle_sanity_steps
from lightning_modules.base import EncoderModule
from lightning_modules.callbacks import (
    CHECKED_BATCHES,
    LastCheckpoint,
    Length,
    RunRecord,
    keep_if_best,
)
from lightning_modules.callbacks.graceful_stop import OwnSignals
from lightning_modules.loggers.run_logger import RunLogger
from lightning_modules.run.checkpoint_io import WholeCheckpoints

DEFAULT_SEED = 42
"""Seed of the original's fine-tuning scripts (monologg/KoBERT-nsmc, KoBERT-NER, KoBERT-KorQuAD)."""

__all__ = ["TrainerCLI", "datamodules", "lightning_modules"]

TRAINER_OPTIONS: dict[str, Any] = {
    "model_class": pl.LightningModule,
    "datamodule_class": pl.LightningDataModule,
    "subclass_mode_model": True,
    "subclass_mode_data": True,
    "parser_class": TrainerParser,
    "auto_configure_optimizers": False,
}
"""How the trainer's parser is made, for every caller."""


class TrainerCLI(LightningCLI):
    """The parser, its links, its refusals and the callbacks every run has.

    Args:
        signals: where signals are noted that ask the command to stop.
        held: what ends with the command; the lock on the run's folder is added to it.
        options: `TRAINER_OPTIONS` and those of one command.
    """

    def __init__(self, signals: StopSignals, held: ExitStack, **options: Any) -> None:
        self.signals = signals
        self.held = held
        args = options.get("args", ())
        first = next(iter(sys.argv[1:] if args is None else args), None)
        self.asked_command = first if first in self.subcommands() else None
        super().__init__(**options)

    def _prepare_subcommand_parser(self, klass: type, subcommand: str, **kwargs: Any) -> LightningArgumentParser:
        """Add the settings of the command that the line begins with; of all, where it begins with none."""
        if self.asked_command in (None, subcommand):
            return super()._prepare_subcommand_parser(klass, subcommand, **kwargs)
        return self.init_parser(**kwargs)

    def add_default_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        """One seed for everything; LightningCLI's own option would also take `true` and `false`."""
        help_text = "Seed of weights, batches, masks and dropout; part of the name of the run folder."
        parser.add_argument("--seed_everything", type=int, default=DEFAULT_SEED, help=help_text)

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        """Add the run folder, the probe, the two checkpoint groups and the links from data to module."""
        for name, group in SETTINGS.items():
            parser.add_class_arguments(group, name)
        for name, callback in CALLBACKS.items():
            parser.add_lightning_class_args(callback, name)
        parser.set_defaults(
            {
                "best_checkpoint.filename": "best",
                "best_checkpoint.monitor": LOSS,
                "best_checkpoint.mode": "min",
                "best_checkpoint.enable_version_counter": False,
            }
        )
        parser.link_arguments("seed_everything", "data.init_args.seed")
        parser.link_arguments("seed_everything", "model.init_args.seed")
        add_links(parser, self._module_settings)

    def parse_arguments(self, parser: LightningArgumentParser, args: Any) -> None:
        """Parse, take the run's folder, and refuse numbers out of range and checkpoints that do not fit.

        Raises:
            AlreadyFinished: `--run.resume=auto` has nothing left to do.
        """
        super().parse_arguments(parser, args)
        self.config = self.config.clone(with_meta=False)  # where settings of shared files were read from
        config, fit = self.config[self.config.subcommand], self.config.subcommand == "fit"
        settle_processes(config.trainer)
        own = cast(TrainerParser, self._parser(self.config.subcommand))
        check_command(self.config, sys.argv[1:] if args is None else args, own.config_files)
        place_by_own_config(config, own)
        fill_tokenizer(config)
        self.run_folder = RunSpec(**vars(config.run)).folder(int(config.seed_everything))
        self.length = Length.asked(config.trainer)
        if config.run.check_only:
            if not fit:
                raise ValueError("--run.check_only works with fit only; leave it out")
            config.trainer.fast_dev_run = CHECKED_BATCHES
        if not config.trainer.fast_dev_run:
            take_folder(self.run_folder, self.held)
        step = settle_checkpoint(config, self.run_folder, LINKED, fit=fit)
        if fit or not config.get("ckpt_path"):
            check_sources(config.model.init_args.as_dict(), resumes=bool(config.get("ckpt_path")))
        self.resumed_step = step if fit else None

    def before_instantiate_classes(self) -> None:
        """Give the trainer its logger, and refuse what would write over a run that the folder has."""
        config = self.config[self.config.subcommand]
        check_trainer(config.trainer)
        check_device(config.trainer)
        settle_sanity_steps(config.trainer)
        self.facts = {RECIPE: config.run.recipe, ARM: config.run.arm, SEED: int(config.seed_everything)}
        if config.get("ckpt_path") or (config.trainer.fast_dev_run and not config.run.check_only):
            return
        if self.config.subcommand == "fit":
            if config.run.resume == "never":
                refuse_used_folder(self.run_folder)
        elif self.config.subcommand != "predict":
            refuse_evaluating_the_start(self.run_folder, self.config.subcommand)

    def instantiate_classes(self) -> None:
        """Make everything; a module of ours gets the checkpoint that will be loaded into it."""
        config = self.config[self.config.subcommand]
        # Loggers are made when there is something to log; the settings that are saved name them.
        self.asked_loggers, config.trainer.logger = config.trainer.logger, None
        try:
            super().instantiate_classes()
        except ValueError as error:  # the parser's own, around what a constructor or a link says
            cause = plain_cause(error)
            cause = cause.__cause__ if isinstance(cause.__cause__, LinkError) else cause
            raise named_objective(cause, config.model.init_args.get("objectives")) from None
        config.trainer.logger = self.asked_loggers
        asked = config.model.init_args.as_dict()
        if isinstance(self.model, EncoderModule):
            kept = keepable(config).model.init_args.as_dict()
            self.model.settings = as_json({name: value for name, value in kept.items() if name not in LINKED})
            self.model.checkpoint = config.get("ckpt_path")
            if self.config.subcommand == "fit" and not config.get("ckpt_path"):
                self.model.sources = content_of_sources(asked)
        tokenizer = getattr(self.datamodule, "tokenizer", None)
        if tokenizer is not None and not config.get("ckpt_path"):
            check_tokenizers(asked, tokenizer)

    def _module_settings(self) -> tuple[str, dict[str, Any]]:
        """Class path of the module, and its settings as they were parsed."""
        model = self.config[self.config.subcommand].model
        return model.class_path, model.init_args.as_dict()

    def fit(self, **options: Any) -> None:
        """Train.

        Raises:
            StoppedBySignal: a signal has stopped it.
        """
        with resumable(self.trainer, self.run_folder):
            self.trainer.fit(**options)

    def after_fit(self) -> None:
        """Do what comes after training.

        Raises:
            StoppedBySignal: a signal has stopped it.
        """
        with resumable(self.trainer, self.run_folder):
            self._close()

    def _close(self) -> None:
        """Measure the weights that training ends with, or that a run of no steps has, where no validation did.

        They become the best checkpoint if they are the best. `last.ckpt` is written again afterwards, so that a run
        that continues from it knows the metrics and the best score.
        """
        trainer: Any = self.trainer  # Lightning types neither callbacks nor fast_dev_run
        if trainer.fast_dev_run:
            return
        run_record = next(callback for callback in trainer.callbacks if isinstance(callback, RunRecord))
        measured = run_record.validated_step != trainer.global_step and bool(trainer.limit_val_batches)
        if measured:
            trainer.validate(self.model, datamodule=self.datamodule)
        current = run_record.validated_step == trainer.global_step
        metrics = {name: value for name, value in run_record.metrics.items() if current or not name.startswith(VAL)}
        if keep_if_best(trainer, metrics) or measured:
            next(callback for callback in trainer.callbacks if isinstance(callback, LastCheckpoint)).save(trainer)
        reason = run_record.write_end(trainer)
        rank_zero_info("\n".join(closing_lines(trainer, self.model, self.run_folder, reason)))

    def instantiate_trainer(self, **kwargs: Any) -> pl.Trainer:
        """The trainer, with TensorBoard always, the loggers of the command line, and the callbacks of this project."""
        config = self.config[self.config.subcommand]
        logger = RunLogger(
            save_dir=config.run.root,
            name=config.run.recipe,
            version=self.run_folder.name,
            default_hp_metric=False,
            # Points of later steps that an interrupted run has written are taken out of its curves.
            purge_step=None if self.resumed_step is None else self.resumed_step + 1,
        )
        asked = config.trainer.enable_progress_bar
        bar = sys.stdout.isatty() if asked is None else asked
        self.trainer_defaults["callbacks"] = run_callbacks(
            config, self.facts, self.run_folder, self.length, self.signals, bar
        )
        options = {
            "logger": [logger, *make_loggers(self.asked_loggers, self.run_folder, self.resumed_step)],
            "use_distributed_sampler": False,
            "enable_progress_bar": bar,
            # Lightning looks there for checkpoints that no command has named, and would else in the working folder.
            "default_root_dir": str(self.run_folder),
        }
        trainer = super().instantiate_trainer(**options, **kwargs)
        trainer.strategy.checkpoint_io = WholeCheckpoints(self.signals)
        trainer._signal_connector = OwnSignals()  # type: ignore[assignment]
        suit_processor(trainer, config.run.allow_slow_precision)
        return trainer
