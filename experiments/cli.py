"""The command line of the trainer: LightningCLI, made strict, with run folders.

What it adds to LightningCLI: abbreviated options are refused; every run has a folder `runs/<recipe>/<arm>_seed<k>`;
what modules and data share (vocabulary size, pad id, labels) is linked from data to module; `--ckpt_path` on `fit` only
resumes, so settings that differ from the checkpoint's are refused instead of silently losing or winning.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
from jsonargparse import Namespace
from pytorch_lightning.callbacks import ModelCheckpoint
from pytorch_lightning.cli import LightningArgumentParser, LightningCLI, SaveConfigCallback
from pytorch_lightning.loggers import TensorBoardLogger

import datamodules
import lightning_modules
from distilkobert.checkpoints import read_checkpoint
from distilkobert.probe import ProbeSpec
from distilkobert.run_files import CONFIG_FILE
from experiments.hardware import warn_of_emulated_bf16
from experiments.parsers import StrictParser
from experiments.settings import comparable_settings, flatten
from lightning_modules.base import MODULE_ENTRY
from lightning_modules.callbacks import (
    ConfusionFigure,
    GradientWatch,
    HparamsTab,
    LastCheckpoint,
    LinearProbe,
    PredictionFiles,
    RunRecord,
    SampleTable,
    StepSeed,
    TokenProgressBar,
    TrainingLog,
)
from lightning_modules.finetuning import FineTuning

DEFAULT_SEED = 42
"""Seed of the original's fine-tuning scripts (monologg/KoBERT-nsmc, KoBERT-NER, KoBERT-KorQuAD)."""

LINKS = ("vocab_size", "pad_token_id", "max_length", "labels", "suffix_tags", "particles", "seed_compatible")
"""What data tells the module, under the same name on both sides; where one side lacks the name nothing is passed."""

__all__ = ["TrainerCLI", "datamodules", "lightning_modules"]


@dataclass(frozen=True)
class RunSpec:
    """Where the run's files go: `<root>/<recipe>/<arm>_seed<k>`.

    Args:
        root: folder of all runs; open it with TensorBoard.
        recipe: name of the recipe or study.
        arm: name of the variant within it.
    """

    root: str = "runs"
    recipe: str = "scratch"
    arm: str = "base"

    def __post_init__(self) -> None:
        for name in ("recipe", "arm"):
            value = getattr(self, name)
            if not value or value.strip() != value or any(c in value for c in '/\\:*?"<>|\0') or value in (".", ".."):
                raise ValueError(f"run.{name}={value!r} cannot be a folder name; use letters, digits, '-', '_' and '.'")

    def folder(self, seed: int) -> Path:
        """The run's folder for one seed."""
        return Path(self.root) / self.recipe / f"{self.arm}_seed{seed}"


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


class RunConfig(SaveConfigCallback):
    """Save the resolved configuration once per run folder, and as text to TensorBoard."""

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Save it for `fit` only: evaluation must not replace the configuration that made the weights."""
        resumed = trainer.log_dir is not None and (Path(trainer.log_dir) / self.config_filename).is_file()
        if stage == "fit" and not trainer.strategy.broadcast(resumed):
            super().setup(trainer, pl_module, stage)

    def save_config(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Write the configuration as a text tab."""
        if isinstance(trainer.logger, TensorBoardLogger):
            text = self.parser.dump(self.config, skip_none=False)
            trainer.logger.experiment.add_text("config", f"```yaml\n{text}\n```")


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
        for name in LINKS:
            parser.link_arguments(f"data.{name}", f"model.init_args.{name}", apply_on="instantiate")
        # The parser checks every number of a list; it knows no NumPy integers.
        counts = ("data.token_counts", "model.init_args.token_counts")
        parser.link_arguments(*counts, compute_fn=np.ndarray.tolist, apply_on="instantiate")

    def parse_arguments(self, parser: LightningArgumentParser, args: Any) -> None:
        """Parse, then refuse a checkpoint of another module or, on `fit`, of other settings."""
        super().parse_arguments(parser, args)
        config = self.config[self.config.subcommand]
        if config.get("ckpt_path"):
            check_resume(config, fit=self.config.subcommand == "fit")

    def before_instantiate_classes(self) -> None:
        """Give the trainer its logger and refuse to start a second run in a folder that has one."""
        config = self.config[self.config.subcommand]
        if config.trainer.logger not in (None, True):
            raise ValueError("trainer.logger: runs always log to TensorBoard in their run folder; leave it out")
        spec, seed = RunSpec(**vars(config.run)), int(config.seed_everything)
        self.run_folder = spec.folder(seed)
        self.facts = {"recipe": spec.recipe, "arm": spec.arm, "seed": seed}
        if self.config.subcommand == "fit" and not config.get("ckpt_path") and not config.trainer.fast_dev_run:
            refuse_used_folder(self.run_folder)

    def instantiate_classes(self) -> None:
        """Make everything; a task's module learns which checkpoint will be loaded into it."""
        super().instantiate_classes()
        if isinstance(self.model, FineTuning):
            self.model.checkpoint = self.config[self.config.subcommand].get("ckpt_path")

    def after_fit(self) -> None:
        """Measure the weights that training ends with, or that a run of no steps has, where no validation did."""
        trainer = self.trainer
        record = next(callback for callback in trainer.callbacks if isinstance(callback, RunRecord))
        if record.validated_step != trainer.global_step and trainer.limit_val_batches and not trainer.fast_dev_run:
            trainer.validate(self.model, datamodule=self.datamodule)

    def instantiate_trainer(self, **kwargs: Any) -> pl.Trainer:
        """The trainer, with TensorBoard always and the callbacks of this project."""
        config = self.config[self.config.subcommand]
        logger = TensorBoardLogger(
            save_dir=config.run.root,
            name=config.run.recipe,
            version=self.run_folder.name,
            default_hp_metric=False,
        )
        probe = ProbeSpec(**vars(config.probe))
        self.trainer_defaults["callbacks"] = [
            HparamsTab(comparable_settings(config.as_dict(), self.facts, LINKS)),
            # Before the log, whose clock starts again when validation has ended.
            ConfusionFigure(),
            SampleTable(),
            TrainingLog(),
            GradientWatch(),
            StepSeed(self.facts["seed"]),
            *([LinearProbe(probe)] if probe.data_dir else []),
            RunRecord(self.run_folder, self.facts),
            PredictionFiles(self.run_folder),
            *([TokenProgressBar()] if config.trainer.enable_progress_bar is not False else []),
        ]
        trainer = super().instantiate_trainer(logger=logger, use_distributed_sampler=False, **kwargs)
        warn_of_emulated_bf16(trainer)
        return trainer


def refuse_used_folder(folder: Path) -> None:
    """Refuse a run folder in which a run was started before.

    Raises:
        ValueError: the folder has a configuration; says how to resume it or to start beside it.
    """
    if (folder / CONFIG_FILE).is_file():
        last = folder / "checkpoints" / "last.ckpt"
        raise ValueError(
            f"{folder} holds a run already. Resume it with -c {folder}/config.yaml --ckpt_path={last}, start beside it "
            "with another --run.arm or --seed_everything, or remove the folder"
        )


def check_resume(config: Namespace, *, fit: bool) -> None:
    """Check `--ckpt_path` against the module this command configures.

    Raises:
        FileNotFoundError: there is no such checkpoint.
        ValueError: it belongs to another module; or, on `fit`, a setting differs from the checkpoint's.
    """
    path = config.ckpt_path
    saved = read_checkpoint(path).get(MODULE_ENTRY, {"class": "an unknown module", "settings": {}})
    asked = config.model.class_path.rpartition(".")[2]
    if saved["class"] != asked:
        raise ValueError(
            f"--ckpt_path={path} was written by {saved['class']}, this command configures {asked}; --ckpt_path only "
            "resumes or evaluates the same module. To start from other weights use --model.init_from or --model.teacher"
        )
    if not fit:
        return
    settings = flatten(json.loads(json.dumps(config.model.init_args.as_dict())))
    before = flatten(saved["settings"])
    differing = [name for name in before if name in settings and settings[name] != before[name]]
    if differing:
        changes = "; ".join(f"model.{n}: checkpoint {before[n]!r}, now {settings[n]!r}" for n in sorted(differing))
        raise ValueError(
            f"--ckpt_path resumes a run as it was, but settings differ from the checkpoint's ({changes}). Drop the "
            "override, or start a new run from the weights with --model.init_from"
        )
