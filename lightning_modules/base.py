"""What all modules share: optimizer wiring, the checkpoint's description of itself, and validation means."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import pytorch_lightning as pl
import torch
from pytorch_lightning.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR
from torchmetrics import MeanMetric
from transformers import PreTrainedModel

from distilkobert.io.prediction_files import write_records
from distilkobert.models.checkpoints import ENTRY, describe
from distilkobert.optim import OptimizerSpec, apply_schedule, build_optimizer, build_schedule
from distilkobert.tasks.kinds import Task
from lightning_modules.run.remedies import other_weights
from lightning_modules.run.total_steps import total_steps

MODULE_ENTRY = "module"
"""Key under which a checkpoint names its module's class and settings."""

SOURCES_ENTRY = "sources"
"""Key under which a checkpoint keeps the content of the models that its run has started from."""

RUN_ENTRY = "run_record"
"""Key under which a checkpoint keeps what was measured up to it."""


class EncoderModule(pl.LightningModule):
    """A module around one network of transformers, held as `self.network`, which is all its checkpoints save.

    Subclasses build `self.network` in `build`, so that making a module reads no file.

    Args:
        task: head of the network.
        optimizer: AdamW and its schedule.
    """

    network: PreTrainedModel

    @classmethod
    def check_settings(cls, settings: Mapping[str, Any]) -> None:
        """Check settings by themselves, without facts of the data: no file is read, no network built.

        A study checks those of all its runs so before the first.

        Args:
            settings: the constructor's arguments, by name.

        Raises:
            ValueError: a setting is out of range, or two contradict each other.
        """

    def __init__(self, *, task: Task, optimizer: OptimizerSpec) -> None:
        super().__init__()
        self.task: Task = task
        self.optimizer_spec = optimizer
        self.settings: dict[str, Any] = {}
        """The parsed settings of the module in plain types, set by the command line; stored in checkpoints and compared
        when training resumes."""
        self.checkpoint: str | None = None
        """Checkpoint that the trainer is about to load, set by the command line: a network that starts from another
        source is built from it, so that the source need not be there any more."""
        self.sources: dict[str, str] = {}
        """Content of the models that a new run starts from, by option, set by the command line; stored in checkpoints
        and compared when training resumes with another path."""
        self._loaded_step = 0
        self.loaded_metrics: dict[str, Tensor] = {}
        """What was measured of the loaded weights when their checkpoint was written; empty where nothing was."""

    @property
    def is_configured(self) -> bool:
        """Whether `configure_model`, which Lightning may call more than once, has run."""
        return "network" in self._modules

    @property
    def command(self) -> str:
        """What the trainer does: `fit`, `validate`, `test` or `predict`; empty before it begins."""
        return str(self.trainer.state.fn.value) if self.trainer.state.fn else ""

    @property
    def weights_step(self) -> int:
        """Optimizer steps of the weights: those of this training, or in evaluation those of the checkpoint."""
        return max(self.trainer.global_step, self._loaded_step)

    def configure_model(self) -> None:
        """Build the networks once, on the CPU; Lightning moves the module to its device afterwards.

        Lightning calls this while its device is torch's default one. There transformers loads no weights without the
        package accelerate, and weights drawn at random would be others than on a CPU.
        """
        if not self.is_configured:
            with torch.device("cpu"):
                self.build()

    @abstractmethod
    def build(self) -> None:
        """Build `self.network`, and whatever else is made of files."""

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """AdamW over the network, its schedule over all optimizer steps of the run."""
        total = total_steps(self.trainer)
        if total == float("inf"):
            raise ValueError("the schedule needs an end: set trainer.max_steps or trainer.max_epochs")
        optimizer = build_optimizer(self.learning(), self.optimizer_spec)
        schedule = build_schedule(optimizer, self.optimizer_spec, int(total), self.second_warmup(int(total)))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def learning(self) -> list[nn.Module]:
        """What the optimizer trains."""
        return [self.network]

    def on_train_start(self) -> None:
        """Take the learning rate from this run's schedule; not from the schedule of the checkpoint."""
        for config in self.trainer.lr_scheduler_configs:
            apply_schedule(cast(LambdaLR, config.scheduler))

    def second_warmup(self, total_steps: int) -> int:
        """Optimizer step at which the learning rate climbs from 0 once more; 0 for never."""
        return 0

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Describe network and module, in plain types."""
        checkpoint[ENTRY] = describe(self.network, self.task, "network.")
        checkpoint[MODULE_ENTRY] = {"class": type(self).__name__, "settings": self.settings}
        checkpoint[SOURCES_ENTRY] = self.sources

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Refuse the checkpoint of another module, or of a network of another shape.

        Raises:
            ValueError: the checkpoint was written by another module class, or its weights have no place here.
        """
        found = checkpoint.get(MODULE_ENTRY, {}).get("class", "a module of another project")
        if found != type(self).__name__:
            raise ValueError(
                f"the checkpoint was written by {found}, but this run trains {type(self).__name__}; --ckpt_path only "
                f"resumes or evaluates the same module. {other_weights(self.settings)}"
            )
        self._check_shapes(checkpoint["state_dict"])
        self.sources = checkpoint.get(SOURCES_ENTRY, {})
        self._loaded_step = checkpoint["global_step"]
        record = checkpoint.get(RUN_ENTRY, {})
        self.loaded_metrics = record["metrics"] if record.get("validated_step") == self._loaded_step else {}

    def on_validation_epoch_end(self) -> None:
        """Place the scalars of this validation at the step of the weights."""
        self._log_step()

    def on_test_epoch_end(self) -> None:
        """Place the scalars of this test at the step of the weights."""
        self._log_step()

    def save_predictions(self, folder: Path, stem: str, records: Sequence[dict[str, Any]]) -> None:
        """Write `<stem>.jsonl`, one JSON object per line, whole or not at all."""
        write_records(folder, stem, records)

    def log_measured(self, stage: str, values: Mapping[str, Tensor]) -> None:
        """Log values that are final, the same on every rank, as `<stage>/<name>`."""
        # The mean of equal values keeps Lightning from warning.
        self.log_dict({f"{stage}/{name}": value for name, value in values.items()}, sync_dist=True)

    def _check_shapes(self, state: Mapping[str, Tensor]) -> None:
        found, made = (
            {name: tuple(value.shape) for name, value in part.items()} for part in (state, self.state_dict())
        )
        unlike = [name for name in sorted(found.keys() | made.keys()) if found.get(name) != made.get(name)]
        if unlike:
            shapes = (
                f"{name} is {found.get(name, 'not there')}, here {made.get(name, 'not there')}" for name in unlike
            )
            raise ValueError(
                f"--ckpt_path={self.trainer.ckpt_path}: {len(unlike)} of its weights do not fit the network of these "
                f"settings ({'; '.join(list(shapes)[:2])}). Use the settings of its run, its "
                f"config.yaml{', and a teacher of the same shape' if 'teacher' in self.settings else ''}"
            )

    def _log_step(self) -> None:
        # Lightning takes an entry of this name for the step of all others. Its own is one less in training, and 0 in
        # `validate` and `test`, where TensorBoard would drop the curve that training drew beyond it.
        self.log("step", float(self.weights_step), sync_dist=True)


class WeightedMean(MeanMetric):
    """Mean of single values over batches and ranks; NaN if a value with a weight is NaN, or nothing has a weight.

    Other than `MeanMetric`, which drops NaN with its weight, and drops all weights with `nan_strategy="disable"`
    (torchmetrics 1.9).
    """

    def update(self, value: float | Tensor, weight: float | Tensor | None = None) -> None:
        """Add one value.

        Args:
            value: a scalar.
            weight: 0 or more, 1 by default; a value of weight 0 adds nothing, whatever it is.
        """
        added, by = (
            torch.as_tensor(number, dtype=self.dtype, device=self.device)
            for number in (value, 1.0 if weight is None else weight)
        )
        self.mean_value += torch.where(by > 0, added * by, 0.0)  # 0 times NaN is NaN
        self.weight += by


class TokenMeans(nn.Module):
    """Means over tokens, weighted across batches and ranks, one `WeightedMean` for each name.

    Args:
        names: what is averaged; each is logged as `<stage>/<name>`.
    """

    def __init__(self, *names: str) -> None:
        super().__init__()
        self.metrics = nn.ModuleDict({name: WeightedMean() for name in names})

    def add(self, module: pl.LightningModule, stage: str, name: str, mean: Tensor, count: int) -> None:
        """Add the mean over `count` tokens of one batch; a batch without tokens adds nothing."""
        metric = cast(WeightedMean, self.metrics[name])
        metric.update(mean.detach().float(), count)
        module.log(f"{stage}/{name}", metric, on_step=False, on_epoch=True, batch_size=1)

    def compute(self, name: str) -> Tensor:
        """The mean of one name over all batches and ranks; called on every rank."""
        return cast(WeightedMean, self.metrics[name]).compute()
