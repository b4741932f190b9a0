"""What the three task modules share: an encoder under a new head, its loss, its scores, and its stored predictions."""

import json
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeAlias

import torch
from pytorch_lightning.utilities import rank_zero_info
from torch import Tensor
from torchmetrics import MeanMetric
from transformers import PreTrainedModel

from distilkobert.checkpoints import Task, load_model
from distilkobert.files import write_text
from distilkobert.optim import OptimizerSpec
from distilkobert.particles import ParticleMode
from lightning_modules.base import EncoderModule

FINE_TUNING = OptimizerSpec(lr=5e-5, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, warmup=0.0)
"""The original's fine-tuning optimizer (monologg/KoBERT-nsmc, KoBERT-NER, KoBERT-KorQuAD)."""

Batch: TypeAlias = Mapping[str, Any]
Record: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class DataFacts:
    """What the data says about itself, compared with the model; None leaves a fact unchecked.

    Args:
        vocab_size: pieces of the tokenizer.
        pad_token_id: id of [PAD].
        max_length: longest input in tokens.
        particles: how words were cut before encoding; kept in the model's configuration for prediction.
    """

    vocab_size: int | None
    pad_token_id: int | None
    max_length: int | None
    particles: ParticleMode = "none"


@dataclass(frozen=True)
class TaskOutput:
    """What the head gives for one batch.

    Args:
        loss: mean over the examples that count.
        count: how many those are.
        logits: the head's outputs, each of shape (B, ...).
    """

    loss: Tensor
    count: int
    logits: tuple[Tensor, ...]


class FineTuning(EncoderModule):
    """An encoder of transformers under the head of one task.

    A subclass gives `output` (loss and logits of a batch), `records` (its predictions in plain types), `score` (count
    them into its metrics) and `scores` (the metrics' values).

    Args:
        task: the head.
        init_from: exported folder, checkpoint of ours, or hub id that gives the encoder.
        optimizer: AdamW and its schedule.
        labels: names of the head's classes; none for question answering.
        facts: what the data says about itself.
    """

    batch_keys: tuple[str, ...] = ()
    """Entries of a batch, beside the inputs, without which training makes no sense."""

    def __init__(
        self, *, task: Task, init_from: str, optimizer: OptimizerSpec, labels: Sequence[str], facts: DataFacts
    ) -> None:
        super().__init__(
            task=task, optimizer=optimizer, settings={"init_from": init_from, "optimizer": asdict(optimizer)}
        )
        self.init_from = init_from
        self.labels = list(labels)
        self.facts = facts
        self.mean_loss = MeanMetric()

    def configure_model(self) -> None:
        """Load the encoder; say which weights are new, and refuse if they are not exactly the head's.

        With `--ckpt_path` the network is the checkpoint's, and `init_from` need not be there any more.

        Raises:
            FileNotFoundError: there is no such model.
            ValueError: the encoder is incomplete, it does not fit the data, or an untrained head is to be tested.
        """
        if self.is_configured:
            return
        source = str(self.trainer.ckpt_path or self.init_from)
        model, missing = load_model(source, self.task, self.labels or None)
        check_new_weights(model, missing, source)
        check_facts(model, self.facts, self.labels, source)
        stage = str(self.trainer.state.fn.value) if self.trainer.state.fn else ""
        if missing and stage in ("test", "predict"):
            raise ValueError(
                f"{source} has no trained head for this task ({', '.join(sorted(missing))} would be random), so there "
                f"is nothing to {stage}; name the fine-tuned checkpoint with --ckpt_path"
            )
        model.config.update({"particles": self.facts.particles})
        rank_zero_info(f"weights from {source}; newly initialised: {', '.join(sorted(missing)) or 'nothing'}")
        # Networks come in evaluation mode, and Lightning leaves the mode as it finds it.
        model.train()
        self.network = model

    def inputs(self, batch: Batch) -> dict[str, Tensor]:
        """What the network takes of a batch: segment ids only for models that know them.

        Raises:
            ValueError: the batch is one of another task.
        """
        absent = [name for name in self.batch_keys if name not in batch]
        if absent:
            raise ValueError(
                f"{type(self).__name__} got batches without {', '.join(absent)}: they belong to another task; check "
                "that data.class_path fits model.class_path"
            )
        names = ["input_ids", "attention_mask"]
        if self.network.config.model_type != "distilbert":
            names.append("token_type_ids")
        return {name: batch[name] for name in names}

    @abstractmethod
    def output(self, batch: Batch) -> TaskOutput:
        """Loss and logits of one batch."""

    @abstractmethod
    def records(self, batch: Batch, output: TaskOutput) -> list[Record]:
        """One record in plain types for each example of an evaluation batch."""

    @abstractmethod
    def score(self, batch: Batch, records: Sequence[Record]) -> None:
        """Count the predictions of one batch into the metrics."""

    @abstractmethod
    def scores(self, stage: str) -> dict[str, Tensor]:
        """Values of the metrics over all batches and ranks, which then start again; called on every rank."""

    def transfer_batch_to_device(self, batch: Batch, device: torch.device, dataloader_idx: int) -> Batch:
        """Move the tensors; the plain objects beside them stay as they are."""
        return {
            name: value.to(device, non_blocking=True) if isinstance(value, Tensor) else value
            for name, value in batch.items()
        }

    def training_step(self, batch: Batch, batch_idx: int) -> dict[str, Any]:
        """Loss of one batch."""
        loss = self.output(batch).loss
        return {"loss": loss, "terms": {"total": loss.detach()}}

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Count one batch."""
        self._evaluate(batch)

    def test_step(self, batch: Batch, batch_idx: int) -> list[Record]:
        """Count one batch; its predictions go to the run folder."""
        return self._evaluate(batch)

    def predict_step(self, batch: Batch, batch_idx: int) -> list[Record]:
        """Predictions of one batch."""
        return self.records(batch, self.output(batch))

    def on_validation_epoch_end(self) -> None:
        """Log `val/loss` and the scores."""
        self._log_scores("val")

    def on_test_epoch_end(self) -> None:
        """Log `test/loss` and the scores."""
        self._log_scores("test")

    def save_predictions(self, folder: Path, stem: str, records: Sequence[Record]) -> None:
        """Write `<stem>.jsonl`, one JSON object a line, whole or not at all."""
        lines = (json.dumps(record, ensure_ascii=False) + "\n" for record in records)
        write_text(folder / f"{stem}.jsonl", "".join(lines))

    def _evaluate(self, batch: Batch) -> list[Record]:
        output = self.output(batch)
        self.mean_loss.update(output.loss.detach().float(), output.count)
        records = self.records(batch, output)
        self.score(batch, records)
        return records

    def _log_scores(self, stage: str) -> None:
        values = {"loss": self.mean_loss.compute(), **self.scores(stage)}
        self.mean_loss.reset()
        # The metrics have gathered all ranks already; the mean of equal values keeps Lightning from warning.
        self.log_dict({f"{stage}/{name}": value for name, value in values.items()}, sync_dist=True)


def check_new_weights(model: PreTrainedModel, missing: Sequence[str], source: str) -> None:
    """Refuse a model whose missing weights are not exactly those of the head; BERT's pooler counts as head.

    Raises:
        ValueError: weights of the encoder, or a part of the head only, are missing.
    """
    encoder, pooler = f"{model.base_model_prefix}.", f"{model.base_model_prefix}.pooler."
    head = {name for name, _ in model.named_parameters() if not name.startswith(encoder)}
    lost = [name for name in missing if name.startswith(encoder) and not name.startswith(pooler)]
    if lost:
        raise ValueError(
            f"{source}: the encoder is incomplete; it lacks {', '.join(lost[:4])}{' and others' if lost[4:] else ''}. "
            "Only the task's head may start from random weights"
        )
    new = head.intersection(missing)
    if missing and new != head:
        raise ValueError(
            f"{source}: the head is incomplete; it lacks {', '.join(sorted(missing))} but has other parts. The file is "
            "damaged, or was written for another kind of head"
        )


def check_facts(model: PreTrainedModel, facts: DataFacts, labels: Sequence[str], source: str) -> None:
    """Refuse a model that does not fit the data.

    Raises:
        ValueError: vocabulary, [PAD], length or labels differ.
    """
    config = model.config
    if facts.vocab_size is not None and config.vocab_size != facts.vocab_size:
        raise ValueError(
            f"{source}: its vocabulary has {config.vocab_size} pieces, the data's tokenizer {facts.vocab_size}; name "
            "the tokenizer the model was trained with in data.tokenizer"
        )
    if facts.pad_token_id is not None and config.pad_token_id != facts.pad_token_id:
        raise ValueError(
            f"{source}: its [PAD] is id {config.pad_token_id}, the data's tokenizer has {facts.pad_token_id}; name the "
            "tokenizer the model was trained with in data.tokenizer"
        )
    if facts.max_length is not None and config.max_position_embeddings < facts.max_length:
        raise ValueError(
            f"{source}: takes {config.max_position_embeddings} tokens at most, data.max_length is {facts.max_length}; "
            f"set --data.max_length={config.max_position_embeddings} or less"
        )
    own = [config.id2label[number] for number in sorted(config.id2label)]
    if labels and own != list(labels):
        raise ValueError(
            f"{source}: its head knows the labels {', '.join(own)}, the data has {', '.join(labels)}; choose a "
            "checkpoint of this task, or start a new head with --model.init_from"
        )
