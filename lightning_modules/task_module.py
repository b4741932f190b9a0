"""What all fine-tunings share: a network under a task's head, its steps, its loss and its log."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import torch
from torch import Tensor

from distilkobert.models.checks import DataFacts
from distilkobert.models.dropout import NO_CHANGE, DropoutSpec
from distilkobert.models.task_forward import network_inputs
from distilkobert.optim import OptimizerSpec
from distilkobert.tasks.input_settings import InputSettings
from distilkobert.tasks.kinds import TaskKind
from lightning_modules.base import EncoderModule, WeightedMean

if TYPE_CHECKING:
    from lightning_modules.finetuning import FineTuning

Batch: TypeAlias = Mapping[str, Any]
Record: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class TaskOutput:
    """What the head gives for one batch.

    Args:
        loss: mean over the examples that count.
        count: how many those are, or the sum of their weights.
        logits: the head's outputs, each of shape (B, ...).
    """

    loss: Tensor
    count: float | Tensor
    logits: tuple[Tensor, ...]


class TaskModule(EncoderModule):
    """An encoder of transformers under the head of one task; `scorer` has what differs between tasks.

    Args:
        kind: the task kind.
        init_from: encoder to start from: exported folder, checkpoint of this project, or hub id.
        optimizer: AdamW and its schedule.
        dropout: dropout of the encoder in training, where it is not to be its own.
        labels: names of the head's classes; none for question answering.
        input_settings: how texts become inputs; kept in the network's configuration for `predict`.
        vocab_size: pieces of the data's tokenizer.
        pad_token_id: id of [PAD].
    """

    takes_unlabelled = False
    """Whether examples without a label teach it anything."""

    def __init__(
        self,
        *,
        kind: TaskKind,
        init_from: str,
        optimizer: OptimizerSpec,
        dropout: DropoutSpec = NO_CHANGE,
        labels: Sequence[str],
        input_settings: InputSettings | None,
        vocab_size: int | None,
        pad_token_id: int | None,
    ) -> None:
        super().__init__(task=kind.name, optimizer=optimizer)
        self.codec = kind.load_codec()
        self.init_from, self.dropout = init_from, dropout
        self.labels = list(labels)
        self.input_settings = input_settings
        self.facts = DataFacts(vocab_size, pad_token_id, None if input_settings is None else input_settings.max_length)
        self.mean_loss = WeightedMean()

    @property
    @abstractmethod
    def scorer(self) -> "FineTuning":
        """The task's own module, for the loss of true labels, scores and records."""

    def setup(self, stage: str) -> None:
        """Refuse to train on texts without labels where no teacher says anything of them.

        Raises:
            ValueError: the data has such texts.
        """
        unlabelled = getattr(self.trainer.datamodule, "unlabelled", None)  # type: ignore[attr-defined]
        if stage == "fit" and unlabelled is not None and not self.takes_unlabelled:
            raise ValueError(
                f"unlabelled_file={unlabelled}: {type(self).__name__} has no teacher to label its texts; set "
                "model.class_path=TaskDistillation (-c configs/finetune/distil.yaml), or leave unlabelled_file out"
            )

    def inputs(self, batch: Batch) -> dict[str, Tensor]:
        """What the network takes of a batch: segment ids only for models that use them.

        Raises:
            ValueError: the batch is one of another task.
        """
        absent = [name for name in self.scorer.batch_keys if name not in batch]
        if absent:
            raise ValueError(
                f"{type(self).__name__} got batches without {', '.join(absent)}: they belong to another task; check "
                "that data.class_path fits model.class_path"
            )
        return network_inputs(self.network, batch)

    def output(self, batch: Batch) -> TaskOutput:
        """Loss against the true labels, and logits, of one batch."""
        found = self.network(**self.inputs(batch))
        return self.scorer.task_loss(batch, tuple(getattr(found, name) for name in self.scorer.logit_names))

    def transfer_batch_to_device(self, batch: Batch, device: torch.device, dataloader_idx: int) -> Batch:
        """Move the tensors, not plain objects; `padded` is found before, as the device would be waited for."""
        moved = {
            name: value.to(device, non_blocking=True) if isinstance(value, Tensor) else value
            for name, value in batch.items()
        }
        return {**moved, "padded": not bool(batch["attention_mask"].all())}

    def training_step(self, batch: Batch, batch_idx: int) -> dict[str, Any]:
        """Loss of one batch."""
        loss = self.output(batch).loss
        return {"loss": loss, "terms": {"total": loss.detach()}}

    def validation_step(self, batch: Batch, batch_idx: int) -> dict[str, list[Record]]:
        """Count one batch; its `records` go to TensorBoard's views."""
        return {"records": self._evaluate(batch)}

    def test_step(self, batch: Batch, batch_idx: int) -> dict[str, list[Record]]:
        """Count one batch; its `records` go to the run folder."""
        return {"records": self._evaluate(batch)}

    def predict_step(self, batch: Batch, batch_idx: int) -> dict[str, list[Record]]:
        """Predict one batch; its `records` go to the run folder."""
        return {"records": self.scorer.records(batch, self.output(batch))}

    def on_validation_epoch_end(self) -> None:
        """Log `val/loss` and the scores."""
        super().on_validation_epoch_end()
        self._log_scores("val")

    def on_test_epoch_end(self) -> None:
        """Log `test/loss` and the scores.

        Raises:
            FloatingPointError: on all ranks, where the loss is NaN or Inf; before anything is written.
        """
        super().on_test_epoch_end()
        self._log_scores("test")

    def _evaluate(self, batch: Batch) -> list[Record]:
        output = self.output(batch)
        self.mean_loss.update(output.loss.detach().float(), output.count)
        records = self.scorer.records(batch, output)
        self.scorer.score(batch, records)
        return records

    def _log_scores(self, stage: str) -> None:
        loss = self.mean_loss.compute()
        self.mean_loss.reset()
        if stage == "test" and not torch.isfinite(loss):
            raise FloatingPointError(
                f"{self.task}: test/loss is {float(loss)}: the weights or the precision give outputs that are NaN or "
                "Inf, so that there are no scores; predictions and metrics were not written. Test an earlier "
                "checkpoint (--ckpt_path), or set --trainer.precision=32-true"
            )
        self.log_measured(stage, {"loss": loss, **self.scorer.scores(stage)})
