"""What the three task modules share: an encoder under a new head, its loss, its scores, and its stored predictions."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
from pytorch_lightning.utilities import rank_zero_info
from torch import Tensor
from transformers import PreTrainedModel

from distilkobert.models.checkpoints import load_model
from distilkobert.models.checks import DataFacts, check_facts, check_new_weights, check_trained_head
from distilkobert.models.dropout import NO_CHANGE, DropoutSpec, with_dropout
from distilkobert.models.task_forward import network_inputs
from distilkobert.optim import OptimizerSpec
from distilkobert.tasks.input_settings import InputSettings, stored
from distilkobert.tasks.kinds import TaskKind
from lightning_modules.base import EncoderModule, WeightedMean

FINE_TUNING = OptimizerSpec(lr=5e-5, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, warmup=0.0)
"""The original's fine-tuning optimizer (monologg/KoBERT-nsmc, KoBERT-NER, KoBERT-KorQuAD)."""

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


class FineTuning(EncoderModule):
    """An encoder of transformers under the head of one task.

    A subclass gives `task_loss` (of the head's outputs), `score` (count predictions into its metrics) and `scores`
    (the metrics' values).

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

    errors_title = "Wrong answers, most confident first"
    """Above the records that TensorBoard shows."""

    logit_names: tuple[str, ...] = ("logits",)
    """The head's outputs in transformers."""

    takes_unlabelled = False
    """Whether examples without a label teach it anything."""

    batch_keys: tuple[str, ...] = ()
    """Entries of a batch that training needs besides the inputs."""

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

    def build(self) -> None:
        """Load the encoder; say which weights are new, and refuse if they are not exactly the head's.

        Raises:
            FileNotFoundError: the model does not exist.
            ValueError: the encoder is incomplete, it does not fit the data, or an untrained head is to be tested.
        """
        source = self.checkpoint or self.init_from
        model, missing = load_model(source, self.task, self.labels or None)
        check_new_weights(model, missing, source)
        check_facts(model, self.facts, self.labels, source)
        check_trained_head(missing, source, self.command)
        if self.input_settings is not None:
            model.config.update(stored(self.settings_kept(model, self.input_settings)))
        rank_zero_info(f"weights from {source}; newly initialised: {', '.join(sorted(missing)) or 'nothing'}")
        self.network = with_dropout(model, self.task, self.dropout)
        # Networks come in evaluation mode, and Lightning leaves the mode as it finds it.
        self.network.train()

    def settings_kept(self, model: PreTrainedModel, settings: InputSettings) -> InputSettings:
        """What the network's configuration is to hold: the data's settings, with what training has added to them."""
        return settings

    def inputs(self, batch: Batch) -> dict[str, Tensor]:
        """What the network takes of a batch: segment ids only for models that use them.

        Raises:
            ValueError: the batch is one of another task.
        """
        absent = [name for name in self.batch_keys if name not in batch]
        if absent:
            raise ValueError(
                f"{type(self).__name__} got batches without {', '.join(absent)}: they belong to another task; check "
                "that data.class_path fits model.class_path"
            )
        return network_inputs(self.network, batch)

    def output(self, batch: Batch) -> TaskOutput:
        """Loss and logits of one batch."""
        found = self.network(**self.inputs(batch))
        return self.task_loss(batch, tuple(getattr(found, name) for name in self.logit_names))

    @abstractmethod
    def task_loss(self, batch: Batch, logits: tuple[Tensor, ...]) -> TaskOutput:
        """Loss of one batch against the true labels.

        Args:
            batch: with its labels.
            logits: the head's outputs, each (B, ...).
        """

    def records(self, batch: Batch, output: TaskOutput) -> list[Record]:
        """One record in plain types for each example of an evaluation batch."""
        return self.codec.records(batch, output.logits, self.labels)

    @property
    def classes(self) -> tuple[str, ...]:
        """Names in `confusions`, in the order they are shown; none where the task has no classes."""
        return ()

    def confusions(self, record: Record) -> list[tuple[str, str]]:
        """True and predicted class of everything that a record classifies."""
        return []

    def is_right(self, record: Record) -> bool:
        """Whether the whole record is answered rightly."""
        return bool(record["gold"] == record["predicted"])

    def weight_of_error(self, record: Record) -> float:
        """By what wrong records are ordered where they are shown: how sure the model was."""
        return float(record["probability"])

    def shown_ids(self, batch: Batch, number: int) -> list[int]:
        """Ids of the text that a reader needs to judge record `number` of the batch."""
        return batch["input_ids"][number].tolist()  # type: ignore[no-any-return]

    @abstractmethod
    def shown_answers(self, batch: Batch, number: int, record: Record) -> tuple[str, str]:
        """True and given answer of record `number` of the batch, to be read."""

    @abstractmethod
    def score(self, batch: Batch, records: Sequence[Record]) -> None:
        """Count the predictions of one batch into the metrics."""

    @abstractmethod
    def scores(self, stage: str) -> dict[str, Tensor]:
        """Values of the metrics over all batches and ranks, which then start again; called on every rank."""

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
        return {"records": self.records(batch, self.output(batch))}

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
        records = self.records(batch, output)
        self.score(batch, records)
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
        self.log_measured(stage, {"loss": loss, **self.scores(stage)})
