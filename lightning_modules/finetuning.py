"""What the modules of the tasks share: an encoder under a new head, and what differs: loss, scores and records."""

from abc import abstractmethod
from collections.abc import Sequence

from pytorch_lightning.utilities import rank_zero_info
from torch import Tensor
from transformers import PreTrainedModel

from distilkobert.models.checkpoints import load_model
from distilkobert.models.checks import check_facts, check_new_weights, check_trained_head
from distilkobert.models.dropout import with_dropout
from distilkobert.optim import OptimizerSpec
from distilkobert.tasks.input_settings import InputSettings, stored
from lightning_modules.task_module import Batch, Record, TaskModule, TaskOutput

__all__ = ["FINE_TUNING", "Batch", "FineTuning", "Record", "TaskOutput"]

FINE_TUNING = OptimizerSpec(lr=5e-5, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, warmup=0.0)
"""The original's fine-tuning optimizer (monologg/KoBERT-nsmc, KoBERT-NER, KoBERT-KorQuAD)."""


class FineTuning(TaskModule):
    """An encoder of transformers under the head of one task, trained on the true labels.

    A subclass gives `task_loss` (of the head's outputs), `score` (count predictions into its metrics) and `scores`
    (the metrics' values). The arguments are those of `TaskModule`.
    """

    errors_title = "Wrong answers, most confident first"
    """Above the records that TensorBoard shows."""

    logit_names: tuple[str, ...] = ("logits",)
    """The head's outputs in transformers."""

    batch_keys: tuple[str, ...] = ()
    """Entries of a batch that training needs besides the inputs."""

    @property
    def scorer(self) -> "FineTuning":
        """The module itself."""
        return self

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
