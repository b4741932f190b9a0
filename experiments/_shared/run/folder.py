"""The folder of a run: its name, and the configuration it keeps."""

import itertools
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytorch_lightning as pl
import yaml
from pytorch_lightning.cli import SaveConfigCallback
from pytorch_lightning.loggers import TensorBoardLogger

from distilkobert.io.files import write_text
from experiments._shared.settings import flatten
from experiments._shared.training.saved_paths import keepable, with_absolute_paths


@dataclass(frozen=True)
class RunSpec:
    """Where the run's files go: `<root>/<recipe>/<arm>_seed<k>`.

    Args:
        root: folder of all runs; open it with TensorBoard.
        recipe: name of the recipe or study.
        arm: name of the variant within it.
        resume: what `fit` does if the folder contains a run. `never` refuses it. `auto` resumes a run of the same
            command; a finished run is not changed, a run without a checkpoint starts again. For jobs that are requeued.
        check_only: `fit` builds everything, trains and validates a few batches, prints time, memory, disk and the
            initial objectives, and writes nothing.
        allow_slow_precision: run with a `trainer.precision` that this CPU has no instructions for.
    """

    root: str = "runs"
    recipe: str = "scratch"
    arm: str = "base"
    resume: Literal["auto", "never"] = "never"
    check_only: bool = False
    allow_slow_precision: bool = False

    def __post_init__(self) -> None:
        for name in ("recipe", "arm"):
            value = getattr(self, name)
            if not value or value.strip() != value or any(c in value for c in '/\\:*?"<>|\0') or value in (".", ".."):
                raise ValueError(f"run.{name}={value!r} cannot be a folder name; use letters, digits, '-', '_' and '.'")

    def folder(self, seed: int) -> Path:
        """The run's folder for one seed."""
        return Path(self.root) / self.recipe / f"{self.arm}_seed{seed}"


class RunConfig(SaveConfigCallback):
    """Save the resolved configuration once per run folder, and as text to TensorBoard.

    It is saved when training starts, after all checks and the validation that Lightning tries first, so that a start
    that is refused leaves the folder free; and for `fit` only, because evaluation must not replace the configuration
    that made the weights.
    """

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Nothing yet."""

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Save it for a run that is new; of one resumed with other settings keep both, and say what differs.

        Raises:
            ValueError: the folder's own is damaged.
        """
        if self._keep(trainer, pl_module) or not trainer.is_global_zero:
            return
        assert trainer.logger is not None  # runs always have one
        path = Path(str(trainer.logger.log_dir)) / self.config_filename
        self.config = keepable(self.config)
        text, before = self.parser.dump(self.config, skip_none=False), path.read_text(encoding="utf-8")
        changes = _changes(read_config(path), yaml.safe_load(text))
        if changes:
            stem = f"{path.stem}_until_step{trainer.global_step}"
            names = (f"{stem}{f'_{number}' if number > 1 else ''}{path.suffix}" for number in itertools.count(1))
            earlier = next(other for other in map(path.with_name, names) if not other.exists())
            write_text(earlier, before)
            write_text(path, text)
            self.save_config(trainer, pl_module, "fit")
            print(
                f"note: resumed with different settings: {'; '.join(changes)}. {path} has the new ones, "
                f"{earlier.name} the old ones. If the length differs, the learning rate follows the schedule of the "
                "new length from here on",
                file=sys.stderr,
            )

    def on_fit_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Save it for a new run of no steps, which begins no training."""
        self._keep(trainer, pl_module)

    def _keep(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> bool:
        """Save it in a folder that has none; whether it was so. All ranks must call it."""
        log_dir = trainer.log_dir
        used = log_dir is not None and (Path(log_dir) / self.config_filename).is_file()
        if trainer.strategy.broadcast(used):
            return False
        self.config = keepable(self.config)
        super().setup(trainer, pl_module, "fit")
        return True

    def save_config(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Show the file that was just written as a text tab."""
        if isinstance(trainer.logger, TensorBoardLogger):
            text = (Path(trainer.logger.log_dir) / self.config_filename).read_text(encoding="utf-8")
            trainer.logger.experiment.add_text("config", f"```yaml\n{text}\n```")


def read_config(path: Path) -> dict[str, Any]:
    """The configuration that a run has kept.

    Raises:
        ValueError: it is damaged.
    """
    try:
        config = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: not readable ({' '.join(str(error).split())})") from None
    if not isinstance(config, dict) or not {"data", "seed_everything"} <= config.keys():
        fault = "truncated or edited" if config else "empty"
        raise ValueError(
            f"{path}: not the configuration of a run: {fault}; restore it from a copy (TensorBoard's text tab has one)"
        )
    return config


def _changes(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    old, new = (with_absolute_paths(flatten({**config, "ckpt_path": None})) for config in (before, now))
    names = sorted(name for name in old.keys() | new.keys() if new.get(name) != old.get(name))
    return [f"{name} was {old.get(name)}, is {new.get(name)}" for name in names]
