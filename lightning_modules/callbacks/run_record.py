"""Leave a run folder that explains itself: `metrics.json`, the tokenizer's two files and the corpus manifest."""

import platform
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch

from distilkobert.run_files import METRICS_FILE, read_metrics, write_json
from lightning_modules.callbacks.training_log import TrainingLog

_PACKAGES = ("torch", "pytorch-lightning", "transformers", "sentencepiece")


class RunRecord(pl.Callback):
    """Write the run's final figures beside its checkpoints.

    `metrics.json` is flat. `val/...` are those of the last validation of `fit`, or of the `validate` command;
    `test/...` those of the `test` command, which adds to the file of the run it evaluates. What the data module tells
    of itself in `facts` (splits, counts, shares) stands beside them.

    Args:
        folder: the run folder.
        facts: what the command line knows of the run: recipe, arm, seed.
    """

    def __init__(self, folder: Path, facts: dict[str, Any]) -> None:
        self.folder = folder
        self.facts = facts
        self.validated_step: int | None = None
        """Optimizer step of the weights that were validated last, in this process."""

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Copy what an export will need."""
        if trainer.is_global_zero and not trainer.fast_dev_run:  # type: ignore[attr-defined]
            self.folder.mkdir(parents=True, exist_ok=True)
            self._keep_sources(trainer)

    def on_fit_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write metrics of training and of the last validation."""
        self._write(trainer, pl_module, prefixes=("train/", "val/", "probe/"))

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Note which step `val/...` belongs to, and write the metrics of the `validate` command."""
        if trainer.sanity_checking:
            return
        self.validated_step = trainer.global_step
        if trainer.state.fn == "validate":
            self._write(trainer, pl_module, prefixes=("val/",))

    def on_test_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write the metrics of the `test` command."""
        self._write(trainer, pl_module, prefixes=("test/",))

    def _keep_sources(self, trainer: pl.Trainer) -> None:
        data: Any = getattr(trainer, "datamodule", None)
        tokenizer = getattr(data, "tokenizer", None)
        if tokenizer is not None and hasattr(tokenizer, "save_pretrained"):
            tokenizer.save_pretrained(self.folder / "tokenizer")
        manifest = getattr(data, "manifest", None)
        if manifest is not None:
            write_json(self.folder / "corpus_manifest.json", manifest)

    def _write(self, trainer: pl.Trainer, pl_module: pl.LightningModule, *, prefixes: tuple[str, ...]) -> None:
        if not trainer.is_global_zero or trainer.fast_dev_run:  # type: ignore[attr-defined]
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        measured = {name: float(value) for name, value in trainer.callback_metrics.items() if name.startswith(prefixes)}
        data_facts = getattr(getattr(trainer, "datamodule", None), "facts", {})
        record = read_metrics(self.folder) | self.facts | environment() | data_facts | measured
        if self.validated_step is not None:
            record["val/step"] = self.validated_step
        record["parameters"] = sum(p.numel() for p in pl_module.parameters())
        if trainer.state.fn == "fit":
            record |= self._training_facts(trainer)
        write_json(self.folder / METRICS_FILE, record)

    def _training_facts(self, trainer: pl.Trainer) -> dict[str, Any]:
        log = next((c for c in trainer.callbacks if isinstance(c, TrainingLog)), None)  # type: ignore[attr-defined]
        return {
            "steps": trainer.global_step,
            "epochs": trainer.current_epoch,
            "tokens_seen": log.tokens_seen if log else 0,
            "wall_time_s": round(log.train_seconds, 3) if log else 0.0,
            "precision": str(trainer.precision),
            "world_size": trainer.world_size,
        }


def environment() -> dict[str, Any]:
    """Versions, hardware and git revision of this process, all as plain values."""
    if torch.cuda.is_available():
        hardware = f"{torch.cuda.device_count()} x {torch.cuda.get_device_name()}"
    else:
        hardware = f"cpu {platform.machine()}, {torch.get_num_threads()} threads"
    versions = {f"version/{name}": version(name) for name in _PACKAGES}
    return {"hardware": hardware, "python": platform.python_version(), "git_revision": git_revision(), **versions}


def git_revision() -> str:
    """Commit of the source this process runs, `-dirty` added where files differ from it; `unknown` outside git."""
    source = Path(__file__).parent
    try:
        return subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"],
            cwd=source,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
