"""The folder of a run: its name, the configuration it keeps, and what may be started or resumed in it."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import yaml
from jsonargparse import Namespace
from pytorch_lightning.cli import SaveConfigCallback
from pytorch_lightning.loggers import TensorBoardLogger

from distilkobert.checkpoints import read_checkpoint
from distilkobert.files import write_text
from distilkobert.run_files import CONFIG_FILE
from experiments.settings import PATHS, flatten
from lightning_modules.base import MODULE_ENTRY

_FREE_ON_RESUME = (*PATHS, "num_workers", "eval_batch_size")
"""Settings of the data that do not change what is trained on."""


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


class RunConfig(SaveConfigCallback):
    """Save the resolved configuration once per run folder, and as text to TensorBoard.

    It is saved when everything has been set up, so that a start that is refused leaves the folder free; and for `fit`
    only, because evaluation must not replace the configuration that made the weights.
    """

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Nothing yet."""

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Save it for a run that is new."""
        used = trainer.log_dir is not None and (Path(trainer.log_dir) / self.config_filename).is_file()
        if not trainer.strategy.broadcast(used):
            super().setup(trainer, pl_module, "fit")

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Of a run that is resumed with other settings keep both configurations, and say what differs."""
        log_dir = trainer.log_dir  # all ranks ask for it
        if log_dir is None or self.already_saved or not trainer.is_global_zero:  # type: ignore[attr-defined]
            return
        path = Path(log_dir) / self.config_filename
        text, before = self.parser.dump(self.config, skip_none=False), path.read_text(encoding="utf-8")
        changes = _changes(yaml.safe_load(before), yaml.safe_load(text))
        if changes:
            earlier = path.with_name(f"{path.stem}_until_step{trainer.global_step}{path.suffix}")
            write_text(earlier, before)
            write_text(path, text)
            self.save_config(trainer, pl_module, "fit")
            print(
                f"note: resumed with other settings: {'; '.join(changes)}. {path} has them now, {earlier.name} the "
                "earlier ones. A change of the run's length bends its learning rate schedule",
                file=sys.stderr,
            )

    def save_config(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Write the configuration as a text tab."""
        if isinstance(trainer.logger, TensorBoardLogger):
            text = self.parser.dump(self.config, skip_none=False)
            trainer.logger.experiment.add_text("config", f"```yaml\n{text}\n```")


def _changes(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    old, new = (flatten({**config, "ckpt_path": None}) for config in (before, now))
    return [f"{name} was {old.get(name)}, is {new.get(name)}" for name in new if new[name] != old.get(name)]


def refuse_used_folder(folder: Path) -> None:
    """Refuse a run folder in which a run was started before.

    Raises:
        ValueError: the folder has a configuration; says how to resume it or to start beside it.
    """
    if not (folder / CONFIG_FILE).is_file():
        return
    last, lack = folder / "checkpoints" / "last.ckpt", ", which kept no checkpoint"
    resume = f"Resume it with -c {folder / CONFIG_FILE} --ckpt_path={last}, start" if last.is_file() else "Start"
    raise ValueError(
        f"{folder} holds a run already{'' if last.is_file() else lack}. {resume} beside it with "
        "another --run.arm or --seed_everything, or remove the folder"
    )


def check_resume(config: Namespace, *, fit: bool) -> None:
    """Check `--ckpt_path` against the module this command configures.

    Raises:
        FileNotFoundError: there is no such checkpoint.
        ValueError: it belongs to another module; or, on `fit`, a setting of module or data differs from the run's.
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
    now = flatten({"model": _plain(config.model.init_args), "data": _plain(config.data.init_args)})
    before = flatten({"model": saved["settings"], "data": _data_settings(Path(path).parent.parent / CONFIG_FILE)})
    differing = [name for name in before if name in now and now[name] != before[name]]
    if differing:
        changes = "; ".join(f"{name}: checkpoint {before[name]!r}, now {now[name]!r}" for name in sorted(differing))
        raise ValueError(
            f"--ckpt_path resumes a run as it was, but settings differ from the checkpoint's ({changes}). Drop the "
            "override, or start a new run from the weights with --model.init_from"
        )


def _plain(settings: Namespace) -> dict[str, Any]:
    return dict(json.loads(json.dumps(settings.as_dict())))


def _data_settings(config: Path) -> dict[str, Any]:
    """What the run's data were made with, from the configuration beside its checkpoints, if that is there."""
    if not config.is_file():
        return {}
    saved = yaml.safe_load(config.read_text(encoding="utf-8"))["data"].get("init_args", {})
    return {name: value for name, value in saved.items() if name not in _FREE_ON_RESUME}
