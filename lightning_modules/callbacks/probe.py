"""Probe the network while it is trained: NSMC accuracy of a linear classifier on its frozen features."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from distilkobert.io.metric_names import PROBE_ACCURACY, PROBE_RETENTION, PROBE_TEACHER
from distilkobert.models.checks import longest_input
from distilkobert.models.heads import encode
from distilkobert.tasks.files.common import NSMC_TRAIN, find_file, missing_files
from distilkobert.tasks.files.nsmc import read_nsmc
from distilkobert.tasks.probe import ProbeSpec, choose_reviews, fit_classifier, pooled_features
from lightning_modules.base import EncoderModule
from lightning_modules.callbacks.training_log import TrainingLog
from lightning_modules.run.callbacks import first_callback
from lightning_modules.task_module import TaskModule


class LinearProbe(pl.Callback):
    """Log `probe/nsmc_accuracy` at the start, every N optimizer steps, and at the end of training.

    With a teacher also `probe/teacher_nsmc_accuracy`, measured once, and `probe/nsmc_retention`, the student's share of
    it in percent. Rank 0 works while the others wait for its result; weights, gradients, modes and random generators
    are left as they are, so that a run is the same with and without a probe, and its time is not counted as training.

    Args:
        spec: data and sizes; `data_dir` is given.
    """

    def __init__(self, spec: ProbeSpec) -> None:
        self.spec = spec
        self._file: Path | None = None
        self._ids: list[list[list[int]]] = []
        self._labels: list[Tensor] = []
        self._pad = 0
        self._teacher_accuracy: float | None = None
        self._probed_step = -1

    def state_dict(self) -> dict[str, Any]:
        """The optimizer step that was probed last."""
        return {"probed_step": self._probed_step}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Probe on from there."""
        self._probed_step = state_dict["probed_step"]

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Find the file, before any training.

        Raises:
            FileNotFoundError: there is no training file of NSMC in `data_dir`.
            ValueError: the run is a fine-tuning, whose own scores say more.
        """
        if stage != "fit":
            return
        if not isinstance(pl_module, EncoderModule) or isinstance(pl_module, TaskModule):
            raise ValueError(
                f"probe.data_dir={self.spec.data_dir}: the probe is for pretraining and distillation, this run trains "
                f"{type(pl_module).__name__}; leave it out"
            )
        folder = Path(str(self.spec.data_dir))
        self._file = find_file(folder, NSMC_TRAIN, "probe.data_dir")
        if self._file is None:
            remedy = f"get the data with: python -m experiments.prepare fetch nsmc --output {folder}"
            raise missing_files(folder, NSMC_TRAIN, remedy)

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Probe the start; a resumed run has probed its own before."""
        if trainer.global_step == 0:
            self._probe(trainer, pl_module)
        elif self._probed_step < 0:  # the checkpoint is of an earlier version, or of a run without a probe
            self._probed_step = trainer.global_step

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Probe when an optimizer step that is due has just ended."""
        if trainer.global_step % self.spec.every_n_steps == 0:
            self._probe(trainer, pl_module)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Probe the end."""
        self._probe(trainer, pl_module)

    def on_fit_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Probe the end where no training has begun: of `trainer.max_steps=0`, or resumed behind its last step."""
        self._probe(trainer, pl_module)

    def _probe(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        step = trainer.global_step
        if step == self._probed_step:
            return
        self._probed_step = step
        measured: dict[str, float] = {}
        if trainer.is_global_zero:
            log = first_callback(trainer, TrainingLog)
            with log.paused() if log else nullcontext():
                measured = self._measure(trainer, pl_module)
        # The other ranks wait here and get the metrics too, so that a checkpoint may monitor them.
        measured = trainer.strategy.broadcast(measured)
        trainer.callback_metrics.update({name: torch.tensor(value) for name, value in measured.items()})
        for logger in trainer.loggers:
            logger.log_metrics(measured, step=step)

    def _measure(self, trainer: pl.Trainer, pl_module: Any) -> dict[str, float]:
        if not self._ids:
            longest = longest_input(pl_module.network.config)
            self._read(trainer.datamodule.tokenizer, min(self.spec.max_length, longest))  # type: ignore[attr-defined]
        accuracy = self._accuracy(encoder_of(pl_module.network))
        measured = {PROBE_ACCURACY: accuracy}
        teacher = getattr(pl_module, "teacher_run", None)
        if teacher is not None:
            if self._teacher_accuracy is None:
                self._teacher_accuracy = self._accuracy(encoder_of(teacher.model))
            measured[PROBE_TEACHER] = self._teacher_accuracy
            if self._teacher_accuracy > 0:
                measured[PROBE_RETENTION] = 100.0 * accuracy / self._teacher_accuracy
        return measured

    def _read(self, tokenizer: Any, max_length: int) -> None:
        assert self._file is not None
        self._pad = tokenizer.pad_token_id
        for part in choose_reviews(read_nsmc(self._file), self.spec, str(self._file)):
            rows = tokenizer.encode_batch([review.text for review in part])
            capacity = max_length - tokenizer.frame.special_count(1)
            self._ids.append([tokenizer.frame.single(ids[:capacity].tolist()) for ids in rows])
            self._labels.append(torch.tensor([review.label for review in part]))

    def _accuracy(self, encoder: Callable[[Tensor, Tensor], Tensor]) -> float:
        train, test = (pooled_features(ids, encoder, self._pad) for ids in self._ids)
        return fit_classifier(train, self._labels[0], self.spec.l2).accuracy(test, self._labels[1])


def encoder_of(model: Any) -> Callable[[Tensor, Tensor], Tensor]:
    """Last hidden states of ids and mask, without gradients and dropout, on whatever device the model is."""

    def run(input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        with torch.no_grad(), evaluating(model):
            return encode(model, input_ids.to(model.device), attention_mask.to(model.device))

    return run


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Evaluation mode, and afterwards for each part the mode it had."""
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        yield
    finally:
        for module, training in modes.items():
            module.training = training
